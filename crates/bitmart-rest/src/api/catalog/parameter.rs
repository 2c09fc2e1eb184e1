//! Parameters of a request.

/// The form of a parameter.
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
    /// Yes.
    Required,
    /// No.
    Optional,
    /// Depending on other parameters; see the documentation of the request.
    Conditional,
}

/// A parameter of an endpoint. Texts are empty if unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_structs,
    reason = "constructed by generated code, and by users for their own endpoints"
)]
pub struct Parameter {
    /// Name on the wire.
    pub name: &'static str,
    /// Its form.
    pub form: Form,
    /// Whether it is required.
    pub presence: Presence,
    /// What it means.
    pub doc: &'static str,
    /// Unit of a number or time.
    pub unit: &'static str,
    /// Smallest value.
    pub min: &'static str,
    /// Largest value.
    pub max: &'static str,
    /// The exchange's default.
    pub default: &'static str,
    /// The documented values; empty if any is allowed.
    pub values: &'static [&'static str],
    /// Parameters of the objects in a list.
    pub items: &'static [Parameter],
}

impl Parameter {
    /// An optional text, to be refined by struct update.
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
