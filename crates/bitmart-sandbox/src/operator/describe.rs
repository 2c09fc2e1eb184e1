//! The types that describe calls and their fields, and the macros that declare them.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

/// The type of a value in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// An integer of at least 0.
    Integer,
    /// A decimal, in responses as a string.
    Decimal,
    /// A string.
    Text,
    /// `true` or `false`.
    Boolean,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// An array of values of one type.
    List(&'static Kind),
    /// An object with these fields.
    Object(&'static [Field]),
    /// A value that is not described.
    Any,
}

/// A field of a call or of its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// The name in JSON.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// Whether a call without it is rejected, or a response always has it.
    pub required: bool,
    /// Its description.
    pub description: &'static str,
    /// A value in JSON.
    pub(crate) example: Option<&'static str>,
}

impl Kind {
    /// The name of the type, such as `list of text`.
    pub fn name(&self) -> String {
        match self {
            Self::Integer => "integer".to_owned(),
            Self::Decimal => "decimal".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::OneOf(values) => values.join(" | "),
            Self::List(item) => format!("list of {}", item.name()),
            Self::Object(_) => "object".to_owned(),
            Self::Any => "any".to_owned(),
        }
    }

    /// The fields of an object or of the objects in a list; empty for other types.
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Self::Object(fields) => fields,
            Self::List(item) => item.fields(),
            _ => &[],
        }
    }

    /// An example of a value of this type.
    pub(crate) fn example(&self) -> Value {
        match self {
            Self::Integer => Value::from(1),
            Self::Decimal => Value::from("1"),
            Self::Text => Value::from("text"),
            Self::Boolean => Value::from(true),
            Self::OneOf(values) => values.first().copied().into(),
            Self::List(item) => Value::Array(vec![item.example()]),
            Self::Object(fields) => Value::Object(
                fields
                    .iter()
                    .filter_map(|field| Some((field.name.to_owned(), field.example()?)))
                    .collect(),
            ),
            Self::Any => Value::Object(Map::new()),
        }
    }
}

impl Field {
    /// An example of the field; `None` for an optional field without an example.
    pub(crate) fn example(&self) -> Option<Value> {
        match self.example {
            Some(text) => serde_json::from_str(text).ok(),
            None => self.required.then(|| self.kind.example()),
        }
    }
}

/// A Rust type with its type in JSON.
pub trait Described {
    /// The type in JSON.
    const KIND: Kind;
    /// Whether a field of this type is required.
    const REQUIRED: bool = true;
}

impl<T: Described> Described for Option<T> {
    const KIND: Kind = T::KIND;
    const REQUIRED: bool = false;
}

impl<T: Described> Described for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
}

impl<T: Described> Described for (T, T) {
    const KIND: Kind = Kind::List(&T::KIND);
}

macro_rules! kinds {
    ($($type:ty: $kind:expr),+ $(,)?) => {
        $(impl Described for $type { const KIND: Kind = $kind; })+
    };
}
pub(super) use kinds;

kinds! {
    bool: Kind::Boolean,
    u16: Kind::Integer,
    u32: Kind::Integer,
    u64: Kind::Integer,
    usize: Kind::Integer,
    Decimal: Kind::Decimal,
    String: Kind::Text,
    &'static str: Kind::Text,
}

/// Describes the fields of a type that is declared elsewhere: name, type, example and description.
macro_rules! describe {
    ($name:ty { $( $(#[doc = $about:literal])+ $field:ident : $type:ty $(= $example:tt)? ),+ $(,)? }) => {
        impl Described for $name {
            const KIND: Kind = Kind::Object(&[$( field!($field: $type $(= $example)?, $($about)+) ),+]);
        }
    };
}
pub(super) use describe;

macro_rules! field {
    ($name:ident : $type:ty, $($about:literal)+) => {
        field!(@ $name, $type, None, $($about)+)
    };
    ($name:ident : $type:ty = $example:tt, $($about:literal)+) => {
        field!(@ $name, $type, Some(stringify!($example)), $($about)+)
    };
    (@ $name:ident, $type:ty, $example:expr, $($about:literal)+) => {
        Field {
            name: stringify!($name),
            kind: <$type as Described>::KIND,
            required: <$type as Described>::REQUIRED,
            description: concat!($($about),+).trim_ascii(),
            example: $example,
        }
    };
}
pub(super) use field;

/// Declares a response: the struct and its description.
macro_rules! response {
    (
        $(#[doc = $about:literal])+
        $name:ident { $( $(#[doc = $field_about:literal])+ $field:ident : $type:ty $(= $example:tt)? ),* $(,)? }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[non_exhaustive]
        pub struct $name { $( $(#[doc = $field_about])+ pub $field: $type, )* }

        impl Described for $name {
            const KIND: Kind =
                Kind::Object(&[$( field!($field: $type $(= $example)?, $($field_about)+) ),*]);
        }
    };
}
pub(super) use response;

/// Declares the calls of a group. From each declaration follow the struct that the library takes, the route of
/// the admin API, its entry of `GET /help`, and the command of the program:
///
/// ```text
/// /// Description of the call.
/// Stored "POST /accounts/freeze" => freeze_account(FreezeAccount) -> FreezeAccount {
///     /// Description of the field.
///     account: u32 = 2,
/// }
/// ```
///
/// `Stored` is its [`Effect`]; `freeze_account` is the function that carries it out, and the name of the call; a
/// value after `=` is an example in JSON. A field of the type `Option` may be absent.
macro_rules! calls {
    ($(
        $(#[doc = $about:literal])+
        $effect:ident $route:literal => $run:ident($name:ident) -> $response:ty
        { $( $(#[doc = $field_about:literal])+ $field:ident : $type:ty $(= $example:tt)? ),* $(,)? }
    )+) => {
        $(
            $(#[doc = $about])+
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub struct $name {
                $( $(#[doc = $field_about])+ pub $field: $type, )*
            }

            impl Described for $name {
                const KIND: Kind =
                    Kind::Object(&[$( field!($field: $type $(= $example)?, $($field_about)+) ),*]);
            }

            impl super::sealed::Sealed for $name {}

            impl OperatorCall for $name {
                const NAME: &'static str = stringify!($run);
                const ROUTE: &'static str = $route;
                const DESCRIPTION: &'static str = concat!($($about),+).trim_ascii();
                const EFFECT: Effect = Effect::$effect;
                type Response = $response;

                fn run(self, operator: Operator<'_>) -> Result<$response, OperatorError> {
                    $run(self, operator.shared)
                }
            }
        )+

        /// The calls of this group.
        pub(super) const CALLS: &[Call] = &[$( Call::of::<$name>() ),+];
    };
}
pub(super) use calls;
