//! What is known of a field of an answer.

/// A documented field of an answer's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Field {
    /// JSON path below the data: `records[].fee`; a column of a row is `[][2]`.
    pub path: &'static str,
    /// Form and unit in words: `decimal text, base currency`.
    pub form: &'static str,
    /// What it means; empty where nothing is known.
    pub doc: &'static str,
    /// What its values mean, where they are out of a list. The exchange may add others.
    pub values: &'static [Meaning],
    /// Whether it names something and counts nothing, even where it is written as a number.
    pub is_id: bool,
}

/// A value out of a list, and what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Meaning {
    /// The documented spelling on the wire; the digits of a number.
    pub value: &'static str,
    /// A word for it: `open_long`.
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
    /// The field at `path`, of this form.
    pub const fn new(path: &'static str, form: &'static str) -> Self {
        Self { path, form, doc: "", values: &[], is_id: false }
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
    /// Says that it names something.
    #[must_use]
    pub const fn id(mut self) -> Self {
        self.is_id = true;
        self
    }

    /// The unit of a time; `None` for what is no time, or one whose unit no source states.
    ///
    /// ```
    /// use bitmart_rest::catalog::{Field, TimeUnit};
    ///
    /// let field = Field::new("[].createTime", "integer, ms");
    /// assert_eq!(field.time_unit(), Some(TimeUnit::Millis));
    /// ```
    pub fn time_unit(&self) -> Option<TimeUnit> {
        self.form.split(", ").find_map(|part| match part {
            "s" | "seconds" => Some(TimeUnit::Seconds),
            "ms" | "milliseconds" => Some(TimeUnit::Millis),
            _ => None,
        })
    }
}

impl Meaning {
    /// `value` on the wire is called `name` and means `doc`.
    pub const fn new(value: &'static str, name: &'static str, doc: &'static str) -> Self {
        Self { value, name, doc }
    }
}
