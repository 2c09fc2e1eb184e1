//! Structs that are arrays on the wire.

/// Defines a struct that is an array on the wire: the fields are its columns, in order.
///
/// A field may name a [`codec`](crate::codec) helper after `as`; without one it uses the `serde`
/// implementations of its type. Additional columns at the end are ignored. A missing column at the end
/// reads as `null`: an optional field is `None`, any other field is an error that names the column.
///
/// ```
/// use bitmart_types::{Decimal, Timestamp, positional, codec};
///
/// positional! {
///     /// A trade of the public tape.
///     pub struct PublicTrade {
///         /// When it happened.
///         pub time: Timestamp as codec::millis_text,
///         /// Price, in the quote currency.
///         pub price: Decimal as codec::decimal,
///         /// Size, in the base currency.
///         pub size: Decimal as codec::decimal,
///         /// The side of the taker.
///         pub side: String,
///     }
/// }
///
/// let trade: PublicTrade =
///     serde_json::from_str(r#"["1692245338000","26995.13","0.0412","buy","new column"]"#)?;
/// assert_eq!(trade.side, "buy");
///
/// let error = serde_json::from_str::<PublicTrade>(r#"["1692245338000"]"#).unwrap_err();
/// assert!(error.to_string().contains("row has 1 of 4 columns, missing `price`"));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! positional {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $(
                $(#[$field_meta:meta])*
                $field_vis:vis $field:ident: $type:ty $(as $($helper:ident)::+)?
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        $vis struct $name {
            $(
                $(#[$field_meta])*
                $field_vis $field: $type,
            )+
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::__private::serde::Deserializer<'de>,
            {
                struct __Row;

                impl<'de> $crate::__private::serde::de::Visitor<'de> for __Row {
                    type Value = $name;

                    fn expecting(
                        &self,
                        f: &mut ::core::fmt::Formatter<'_>,
                    ) -> ::core::fmt::Result {
                        ::core::write!(
                            f,
                            "a row of {} columns",
                            const { [$(::core::stringify!($field)),+].len() },
                        )
                    }

                    fn visit_seq<A>(
                        self,
                        mut columns: A,
                    ) -> ::core::result::Result<Self::Value, A::Error>
                    where
                        A: $crate::__private::serde::de::SeqAccess<'de>,
                    {
                        const COLUMNS: &[&str] = &[$(::core::stringify!($field)),+];
                        let mut read = 0_usize;
                        $(
                            // Each column is written in place: returning it through the layers of
                            // the decoder would copy it in each one.
                            let mut $field = ::core::option::Option::None;
                            {
                                struct __Column<'a>(&'a mut ::core::option::Option<$type>);
                                impl<'de> $crate::__private::serde::de::DeserializeSeed<'de>
                                    for __Column<'_>
                                {
                                    type Value = ();

                                    fn deserialize<D>(
                                        self,
                                        deserializer: D,
                                    ) -> ::core::result::Result<(), D::Error>
                                    where
                                        D: $crate::__private::serde::Deserializer<'de>,
                                    {
                                        let value = $crate::positional!(
                                            @deserialize deserializer, $type
                                            $(, $($helper)::+)?
                                        )?;
                                        *self.0 = ::core::option::Option::Some(value);
                                        ::core::result::Result::Ok(())
                                    }
                                }
                                columns.next_element_seed(__Column(&mut $field))?;
                            }
                            let $field = match $field {
                                ::core::option::Option::Some(value) => {
                                    read += 1;
                                    value
                                }
                                ::core::option::Option::None => {
                                    let missing = $crate::__private::missing_column();
                                    let value: ::core::result::Result<
                                        $type,
                                        $crate::__private::ColumnError,
                                    > = $crate::positional!(
                                        @deserialize missing, $type $(, $($helper)::+)?
                                    );
                                    value.map_err(|_| {
                                        $crate::__private::short_row(read, COLUMNS)
                                    })?
                                }
                            };
                        )+
                        $crate::__private::skip_rest(columns)?;
                        ::core::result::Result::Ok($name { $($field),+ })
                    }
                }

                deserializer.deserialize_seq(__Row)
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::__private::serde::Serializer,
            {
                use $crate::__private::serde::ser::SerializeTuple as _;

                let mut row = serializer
                    .serialize_tuple(const { [$(::core::stringify!($field)),+].len() })?;
                $({
                    struct __Column<'a>(&'a $type);
                    impl $crate::__private::serde::Serialize for __Column<'_> {
                        fn serialize<S>(
                            &self,
                            serializer: S,
                        ) -> ::core::result::Result<S::Ok, S::Error>
                        where
                            S: $crate::__private::serde::Serializer,
                        {
                            $crate::positional!(
                                @serialize serializer, self.0 $(, $($helper)::+)?
                            )
                        }
                    }
                    row.serialize_element(&__Column(&self.$field))?;
                })+
                row.end()
            }
        }
    };
    (@deserialize $deserializer:ident, $type:ty) => {
        <$type as $crate::__private::serde::Deserialize>::deserialize($deserializer)
    };
    (@deserialize $deserializer:ident, $type:ty, $($helper:ident)::+) => {
        $($helper)::+::deserialize($deserializer)
    };
    (@serialize $serializer:ident, $value:expr) => {
        $crate::__private::serde::Serialize::serialize($value, $serializer)
    };
    (@serialize $serializer:ident, $value:expr, $($helper:ident)::+) => {
        $($helper)::+::serialize($value, $serializer)
    };
}

/// The error of reading a missing column.
pub type ColumnError = serde_json::Error;

/// Returns a `null` in place of a missing column. A JSON value, since some columns are read as JSON text.
pub const fn missing_column() -> serde_json::Value {
    serde_json::Value::Null
}

/// Returns the error for a row with too few columns.
pub fn short_row<E: serde::de::Error>(read: usize, columns: &[&str]) -> E {
    E::custom(format_args!(
        "row has {read} of {} columns, missing `{}`",
        columns.len(),
        columns.get(read).unwrap_or(&"?"),
    ))
}

/// Skips the remaining columns.
///
/// # Errors
/// When the input ends early.
pub fn skip_rest<'de, A: serde::de::SeqAccess<'de>>(mut columns: A) -> Result<(), A::Error> {
    while columns.next_element::<serde::de::IgnoredAny>()?.is_some() {}
    Ok(())
}
