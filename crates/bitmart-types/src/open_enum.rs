//! Enumerations that keep unknown values.

use std::fmt;

use smol_str::SmolStr;

use crate::notes::{self, Note};

/// The text of an enumeration value that this version does not know. Only decoding and the `From`
/// implementations of the enumeration create one, and never for a known spelling.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnknownValue(SmolStr);

impl UnknownValue {
    #[doc(hidden)]
    pub fn __new(enumeration: &'static str, text: &str) -> Self {
        let value = Self(SmolStr::new(text));
        notes::note(|| Note::UnknownValue { enumeration, value: value.clone() });
        value
    }
    #[doc(hidden)]
    pub fn __from_number(enumeration: &'static str, number: i64) -> Self {
        Self::__new(enumeration, itoa(&mut [0; 20], number.unsigned_abs(), number < 0))
    }
    /// The text on the wire, or the digits of a number.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The number on the wire, if it is a number or the text of one.
    pub fn as_number(&self) -> Option<i64> {
        self.0.parse().ok()
    }
}

impl fmt::Debug for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for UnknownValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Defines an enumeration of texts that the exchange may extend.
///
/// Each variant has its documented spelling and, after `|`, other observed spellings. Reading compares
/// exactly, then without surrounding blanks and ignoring case; any other text becomes `Unknown`.
/// Writing uses the documented spelling.
///
/// ```
/// bitmart_types::open_enum! {
///     /// Role of an order in a trade.
///     pub enum Role {
///         /// Rested in the book.
///         Maker = "maker" | "M",
///         /// Took from the book.
///         Taker = "taker" | "T",
///     }
/// }
///
/// assert_eq!(serde_json::from_str::<Role>(r#""M""#)?, Role::Maker);
/// assert_eq!(serde_json::to_string(&Role::Maker)?, r#""maker""#);
///
/// let new: Role = serde_json::from_str(r#""referee""#)?;
/// assert!(!new.is_known());
/// assert_eq!(new.as_str(), "referee");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! open_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident = $wire:literal $(| $alias:literal)*
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        ///
        /// The exchange may add values; a value that this version does not know is kept as `Unknown`.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        $vis enum $name {
            $(
                $(#[$variant_meta])*
                #[doc = ::core::concat!("\n\nOn the wire: `", $wire, "`.")]
                $variant,
            )+
            /// A value that this version does not know.
            Unknown($crate::UnknownValue),
        }

        impl $name {
            /// All values that this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The documented spelling, or the text of an unknown value.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $wire,)+
                    Self::Unknown(value) => value.as_str(),
                }
            }
            /// Whether this version knows the value.
            pub const fn is_known(&self) -> bool {
                !::core::matches!(self, Self::Unknown(_))
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    $($wire $(| $alias)* => return Self::$variant,)+
                    _ => {}
                }
                let trimmed = text.trim();
                $(
                    if trimmed.eq_ignore_ascii_case($wire) $(|| trimmed.eq_ignore_ascii_case($alias))* {
                        return Self::$variant;
                    }
                )+
                Self::Unknown($crate::UnknownValue::__new(
                    ::core::stringify!($name),
                    text,
                ))
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = ::core::convert::Infallible;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                ::core::result::Result::Ok(Self::from(text))
            }
        }

        impl ::core::convert::AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::__private::serde::Serializer,
            {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::__private::serde::Deserializer<'de>,
            {
                $crate::__private::read_text(deserializer, |text| Self::from(text))
            }
        }
    };
}

/// Defines an enumeration of numbers that the exchange may extend.
///
/// Like [`open_enum!`], but the documented form is a JSON number. The number as text is read as well,
/// and so are the texts after `|`. Use [`codec::text`](crate::codec::text) for a field that writes the
/// number as text.
///
/// ```
/// bitmart_types::open_int_enum! {
///     /// Which price triggers the order.
///     pub enum PriceKind {
///         /// The last traded price.
///         Last = 1 | "last_price",
///         /// The fair price.
///         Mark = 2 | "fair_price",
///     }
/// }
///
/// assert_eq!(serde_json::from_str::<PriceKind>("1")?, PriceKind::Last);
/// assert_eq!(serde_json::from_str::<PriceKind>(r#""fair_price""#)?, PriceKind::Mark);
/// assert_eq!(serde_json::to_string(&PriceKind::Mark)?, "2");
/// assert_eq!(serde_json::from_str::<PriceKind>("7")?.as_number(), Some(7));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[macro_export]
macro_rules! open_int_enum {
    (
        $(#[$meta:meta])*
        $vis:vis enum $name:ident {
            $(
                $(#[$variant_meta:meta])*
                $variant:ident = $wire:literal $(| $alias:literal)*
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        ///
        /// The exchange may add values; a value that this version does not know is kept as `Unknown`.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        $vis enum $name {
            $(
                $(#[$variant_meta])*
                #[doc = ::core::concat!("\n\nOn the wire: `", $wire, "`.")]
                $variant,
            )+
            /// A value that this version does not know.
            Unknown($crate::UnknownValue),
        }

        impl $name {
            /// All values that this version knows.
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),+];

            /// The documented number as text, or the text of an unknown value.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => ::core::stringify!($wire),)+
                    Self::Unknown(value) => value.as_str(),
                }
            }
            /// The number on the wire; `None` for an unknown value that is not a number.
            pub fn as_number(&self) -> ::core::option::Option<i64> {
                match self {
                    $(Self::$variant => ::core::option::Option::Some($wire),)+
                    Self::Unknown(value) => value.as_number(),
                }
            }
            /// Whether this version knows the value.
            pub const fn is_known(&self) -> bool {
                !::core::matches!(self, Self::Unknown(_))
            }
        }

        impl ::core::convert::From<i64> for $name {
            fn from(number: i64) -> Self {
                match number {
                    $($wire => Self::$variant,)+
                    _ => Self::Unknown($crate::UnknownValue::__from_number(
                        ::core::stringify!($name),
                        number,
                    )),
                }
            }
        }

        impl ::core::convert::From<&str> for $name {
            fn from(text: &str) -> Self {
                let trimmed = text.trim();
                $(
                    if trimmed == ::core::stringify!($wire)
                        $(|| trimmed.eq_ignore_ascii_case($alias))*
                    {
                        return Self::$variant;
                    }
                )+
                Self::Unknown($crate::UnknownValue::__new(
                    ::core::stringify!($name),
                    text,
                ))
            }
        }

        impl ::core::str::FromStr for $name {
            type Err = ::core::convert::Infallible;

            fn from_str(text: &str) -> ::core::result::Result<Self, Self::Err> {
                ::core::result::Result::Ok(Self::from(text))
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl $crate::__private::serde::Serialize for $name {
            fn serialize<S>(&self, serializer: S) -> ::core::result::Result<S::Ok, S::Error>
            where
                S: $crate::__private::serde::Serializer,
            {
                match self.as_number() {
                    ::core::option::Option::Some(number) => serializer.serialize_i64(number),
                    ::core::option::Option::None => serializer.serialize_str(self.as_str()),
                }
            }
        }

        impl<'de> $crate::__private::serde::Deserialize<'de> for $name {
            fn deserialize<D>(deserializer: D) -> ::core::result::Result<Self, D::Error>
            where
                D: $crate::__private::serde::Deserializer<'de>,
            {
                $crate::__private::read_text(deserializer, |text| Self::from(text))
            }
        }
    };
}

/// Reads a text, a boolean as text, or an integer as its digits.
///
/// # Errors
/// When the value is neither.
pub fn read_text<'de, D, T>(deserializer: D, make: impl FnOnce(&str) -> T) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
{
    use crate::codec::scalar::{Scalar, read};

    read(deserializer, "a text or a number", |scalar| match scalar {
        Scalar::Text(text) | Scalar::Number(text) => Ok(make(text)),
        Scalar::Unsigned(number) => Ok(make(itoa(&mut [0; 20], number, false))),
        Scalar::Signed(number) => Ok(make(itoa(&mut [0; 20], number.unsigned_abs(), number < 0))),
        Scalar::Bool(value) => Ok(make(if value { "true" } else { "false" })),
        Scalar::Null | Scalar::Float(_) => Err(None),
    })
}

/// Writes decimal digits without an allocation. Twenty bytes suffice for every `u64` and `i64`.
pub(crate) fn itoa(buffer: &mut [u8; 20], mut number: u64, negative: bool) -> &str {
    let mut start = buffer.len();
    loop {
        start -= 1;
        // The remainder is a single digit.
        buffer[start] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            break;
        }
    }
    if negative && start > 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    std::str::from_utf8(&buffer[start..]).unwrap_or_default()
}
