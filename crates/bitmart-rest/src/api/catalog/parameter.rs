//! What is known of a parameter.

/// How a parameter stands in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A text.
    Text,
    /// A decimal number in a text.
    Decimal,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
    /// A list, whose members are objects with the parameter's [`items`](Parameter::items), or texts.
    List,
}

/// Whether a request must carry a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Presence {
    /// Always.
    Required,
    /// Never.
    Optional,
    /// It depends on others; the documentation of the request says when.
    Conditional,
}

/// A parameter of an endpoint. Texts are empty where nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "made by the generator, and by users for endpoints of their own"
)]
pub struct Parameter {
    /// Name on the wire.
    pub name: &'static str,
    /// How it stands in a request.
    pub form: Form,
    /// Whether it must be there.
    pub presence: Presence,
    /// What it means.
    pub doc: &'static str,
    /// Unit of a number or time.
    pub unit: &'static str,
    /// Smallest value.
    pub min: &'static str,
    /// Largest value.
    pub max: &'static str,
    /// What the exchange assumes without it.
    pub default: &'static str,
    /// The documented values; empty where any is allowed.
    pub values: &'static [&'static str],
    /// Parameters of the objects in a list.
    pub items: &'static [Parameter],
}

impl Parameter {
    /// An optional text of which nothing else is known, to be refined by struct update.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            form: Form::Text,
            presence: Presence::Optional,
            doc: "",
            unit: "",
            min: "",
            max: "",
            default: "",
            values: &[],
            items: &[],
        }
    }
}
