//! What the values of a column have in common, which decides how they are written.

use bitmart::Timestamp;

use super::cells;
use super::columns::Kind;
use super::exact::Exact;
use crate::output::json::Json;

/// What was seen of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// A value is not of the kind of the column.
    pub(super) is_mixed: bool,
    /// Most digits before the point of a decimal, and behind it.
    pub(super) whole: usize,
    pub(super) scale: usize,
}

impl Shape {
    /// Looks at a value of a column of this kind.
    pub(super) fn see(&mut self, value: &Json, kind: Kind) {
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
                let number = Exact::read(&value.cell());
                if let Some(number) = &number {
                    self.whole = self.whole.max(number.whole());
                    self.scale = self.scale.max(number.scale());
                }
                number.is_none()
            }
            Kind::Id | Kind::Text | Kind::List => false,
        };
    }

    /// Looks at a time that is written in words.
    pub(super) fn see_moment(&mut self, value: &Json) {
        let is_moment = |text: String| text.parse::<Timestamp>().is_ok();
        self.is_mixed |= !is_blank(value) && !is_moment(value.cell());
    }
}

/// Whether a value counts as none in a column that is not text.
pub(super) fn is_blank(value: &Json) -> bool {
    matches!(value, Json::Null) || matches!(value, Json::Text(text) if text.is_empty())
}
