//! Statistics about a column's values, which decide its type in a file.

use bitmart::Timestamp;

use super::cells;
use super::columns::Kind;
use super::wide_decimal::WideDecimal;
use crate::output::json::Json;

/// Statistics of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ColumnStats {
    /// A value is not of the column's documented kind.
    pub(super) is_mixed: bool,
    /// Largest numbers of digits of a decimal before and after the decimal point.
    pub(super) integer_digits: usize,
    pub(super) scale: usize,
}

impl ColumnStats {
    /// Adds a value of a column of this kind.
    pub(super) fn add(&mut self, value: &Json, kind: Kind) {
        if is_blank(value) {
            return;
        }
        self.is_mixed |= match kind {
            Kind::Time(unit) => cells::time(&value.cell(), unit).is_none(),
            Kind::Integer | Kind::Code => {
                !matches!(value, Json::Number(digits) if digits.parse::<i64>().is_ok())
            }
            Kind::Flag => !matches!(value, Json::Bool(_)),
            Kind::Decimal => {
                let number = WideDecimal::parse(&value.cell());
                if let Some(number) = &number {
                    self.integer_digits = self.integer_digits.max(number.integer_digits());
                    self.scale = self.scale.max(number.scale());
                }
                number.is_none()
            }
            Kind::Id | Kind::Text | Kind::List => false,
        };
    }

    /// Adds a value of a column of times as text.
    pub(super) fn add_time_text(&mut self, value: &Json) {
        let is_time = |text: String| text.parse::<Timestamp>().is_ok();
        self.is_mixed |= !is_blank(value) && !is_time(value.cell());
    }
}

/// Whether a value counts as null in a column that is not text.
pub(super) fn is_blank(value: &Json) -> bool {
    matches!(value, Json::Null) || matches!(value, Json::Text(text) if text.is_empty())
}
