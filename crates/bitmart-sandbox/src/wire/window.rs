//! The time window of a history query. Both ends are inclusive.

use super::params::Params;
use crate::wire::error::{WireError, error};

const DAY_MS: u64 = 86_400_000;
/// Length of a window whose start is not requested, as documented.
const DEFAULT_MS: u64 = 7 * DAY_MS;
const MAX_FUTURES_MS: u64 = 90 * DAY_MS;
const MAX_AFFILIATE_MS: u64 = 60 * DAY_MS;

/// A time window in milliseconds since 1970.
#[allow(clippy::struct_field_names, reason = "all names have the unit")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    from_ms: u64,
    to_ms: u64,
    /// Rows after this time are not listed, whatever is requested (`Fault::LateHistory`).
    newest_ms: u64,
}

impl Window {
    /// `startTime` and `endTime` in milliseconds.
    pub(crate) fn spot(params: &Params, now_ms: u64) -> Result<Self, WireError> {
        let (from, to) = (time(params, "startTime")?, time(params, "endTime")?);
        let window = Self::new(from, to, params, now_ms);
        window.ok_or_else(|| error(52004))
    }

    /// `start_time` and `end_time` in seconds, at most 90 days apart.
    pub(crate) fn futures(params: &Params, now_ms: u64) -> Result<Self, WireError> {
        let seconds = |name| {
            let time = time(params, name)?;
            Ok(time.map(|seconds| seconds.saturating_mul(1_000)))
        };
        Self::within_bounds(seconds("start_time")?, seconds("end_time")?, params, now_ms)
    }

    /// `start_time` and `end_time` in milliseconds, at most 90 days apart.
    pub(crate) fn futures_ms(params: &Params, now_ms: u64) -> Result<Self, WireError> {
        let (start, end) = (time(params, "start_time")?, time(params, "end_time")?);
        Self::within_bounds(start, end, params, now_ms)
    }

    /// `start_time` and `end_time` in seconds, at most 60 days apart.
    pub(crate) fn affiliate(params: &Params, now_ms: u64) -> Result<Self, WireError> {
        let window = Self::open(params, "start_time", "end_time", now_ms)?;
        if window.to_ms - window.from_ms > MAX_AFFILIATE_MS {
            return Err(params.invalid("end_time", "must be within 60 days after start_time"));
        }
        Ok(window)
    }

    /// Times in seconds with the given names. Without a start the window begins in 1970; without an end it ends now, or
    /// at a start that is later.
    pub(crate) fn open(
        params: &Params,
        start: &str,
        end: &str,
        now_ms: u64,
    ) -> Result<Self, WireError> {
        let from_ms = time(params, start)?.unwrap_or(0).saturating_mul(1_000);
        let to_ms = time(params, end)?.map(|seconds| seconds.saturating_mul(1_000));
        let to_ms = to_ms.unwrap_or(now_ms.max(from_ms));
        if to_ms < from_ms {
            return Err(params.invalid(end, &format!("must not be before {start}")));
        }
        Ok(Self { from_ms, to_ms, newest_ms: params.newest_listed_ms() })
    }

    fn within_bounds(
        start: Option<u64>,
        end: Option<u64>,
        params: &Params,
        now_ms: u64,
    ) -> Result<Self, WireError> {
        Self::new(start, end, params, now_ms)
            .filter(|window| window.to_ms - window.from_ms <= MAX_FUTURES_MS)
            .ok_or_else(|| {
                params.invalid("end_time", "must not be before start_time, nor 90 days after it")
            })
    }

    fn new(start: Option<u64>, end: Option<u64>, params: &Params, now_ms: u64) -> Option<Self> {
        let to_ms = end.unwrap_or(now_ms.max(start.unwrap_or_default()));
        let from_ms = start.unwrap_or(to_ms.saturating_sub(DEFAULT_MS));
        let newest_ms = params.newest_listed_ms();
        (from_ms <= to_ms).then_some(Self { from_ms, to_ms, newest_ms })
    }

    pub(crate) fn contains(self, time_ms: u64) -> bool {
        (self.from_ms..=self.to_ms.min(self.newest_ms)).contains(&time_ms)
    }
}

/// A time of a request, in the unit of the field; `None` if absent.
fn time(params: &Params, name: &str) -> Result<Option<u64>, WireError> {
    let whole = params.integer(name)?;
    let positive = |value| u64::try_from(value).map_err(|_| params.invalid(name, "is below 0"));
    whole.map(positive).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::generated::Codes;

    const NOW: u64 = 1_000 * DAY_MS;

    fn params(fields: &serde_json::Value, codes: Codes) -> Params {
        Params::new(fields.as_object().expect("an object").clone(), codes)
    }

    #[test]
    fn a_window_without_a_start_is_seven_days_long() {
        let spot = |fields| Window::spot(&params(&fields, Codes::Spot), NOW).expect("good");
        let week = Window { from_ms: NOW - 7 * DAY_MS, to_ms: NOW, newest_ms: u64::MAX };
        assert_eq!(spot(json!({})), week);
        assert_eq!(spot(json!({ "endTime": NOW })), week);
        let open = spot(json!({ "startTime": "5" }));
        assert!(
            open.contains(5) && !open.contains(4) && open.contains(NOW) && !open.contains(NOW + 1)
        );
    }

    #[test]
    fn reversed_and_too_long_windows_are_rejected() {
        let spot = params(&json!({ "startTime": 2, "endTime": 1 }), Codes::Spot);
        assert_eq!(Window::spot(&spot, NOW).expect_err("reversed").code, 52004);
        let days = |days: u64| {
            let fields = json!({ "start_time": 0, "end_time": days * DAY_MS / 1_000 });
            Window::futures(&params(&fields, Codes::Futures), NOW)
        };
        assert_eq!(days(90), Ok(Window { from_ms: 0, to_ms: 90 * DAY_MS, newest_ms: u64::MAX }));
        assert_eq!(days(91).expect_err("too long").code, 40007);
    }
}
