//! Fields of a response.

/// A documented field of a response's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// JSON path below the data: `records[].fee`; a column of a positional row is `[][2]`.
    pub path: &'static str,
    /// Name of a column of positional rows; empty for other fields.
    pub column: &'static str,
    /// The form of its values.
    pub kind: FieldKind,
    /// Form and unit as text: `decimal text, base currency`.
    pub form: &'static str,
    /// The unit and other remarks of the form: `base currency`; empty if there are none.
    pub unit: &'static str,
    /// The unit of a time; `None` if it is no time, or no source states the unit.
    pub time: Option<TimeUnit>,
    /// What it means; empty if unknown.
    pub doc: &'static str,
    /// What its values mean, for enumerations. The exchange may add others.
    pub values: &'static [Meaning],
    /// Whether it is an identifier, even if it is written as a number.
    pub is_id: bool,
}

/// The form of the values of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FieldKind {
    /// A text, or an undocumented form.
    Text,
    /// A decimal number, as text or number.
    Decimal,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Flag,
}

/// A value of an enumeration, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meaning {
    /// The documented spelling on the wire; the digits of a number.
    pub value: &'static str,
    /// Its name: `open_long`.
    pub name: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// Unit of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the exchange has these two")]
pub enum TimeUnit {
    /// Seconds since 1970, UTC.
    Seconds,
    /// Milliseconds since 1970, UTC.
    Millis,
}

impl Field {
    /// The field at `path`, of this kind and form.
    pub const fn new(path: &'static str, kind: FieldKind, form: &'static str) -> Self {
        let (column, unit, doc) = ("", "", "");
        Self { path, column, kind, form, unit, time: None, doc, values: &[], is_id: false }
    }
    /// Sets the name of a column of positional rows.
    #[must_use]
    pub const fn column(mut self, column: &'static str) -> Self {
        self.column = column;
        self
    }
    /// Sets the unit.
    #[must_use]
    pub const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }
    /// Marks it as a time.
    #[must_use]
    pub const fn time(mut self, unit: TimeUnit) -> Self {
        self.time = Some(unit);
        self
    }
    /// Sets what it means.
    #[must_use]
    pub const fn doc(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }
    /// Sets what its values mean.
    #[must_use]
    pub const fn values(mut self, values: &'static [Meaning]) -> Self {
        self.values = values;
        self
    }
    /// Marks it as an identifier.
    #[must_use]
    pub const fn id(mut self) -> Self {
        self.is_id = true;
        self
    }
}

impl Meaning {
    /// `value` on the wire is called `name` and means `doc`.
    pub const fn new(value: &'static str, name: &'static str, doc: &'static str) -> Self {
        Self { value, name, doc }
    }
}
