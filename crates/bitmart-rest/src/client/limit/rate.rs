//! Published limits and the rates actually used, which are lower by the headroom.

use std::time::Duration;

/// Bounds the memory that a header or a description can make a bucket use.
const MAX_PERMITS: u32 = 10_000;

/// Bounds how long a header can pause requests. No published window is longer than 2 s; a documented example of
/// the headers has 60.
const MAX_WINDOW: Duration = Duration::from_secs(60);

/// A published limit: `count` requests per `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Published {
    count: u32,
    window: Duration,
}

/// The rate that is used of a published limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate {
    pub(super) permits: usize,
    pub(super) window: Duration,
}

impl Published {
    /// `None` for a limit of zero, which is treated as unknown.
    pub(super) fn new(count: u32, window: Duration) -> Option<Self> {
        let window = window.min(MAX_WINDOW);
        (count > 0 && !window.is_zero()).then(|| Self { count: count.min(MAX_PERMITS), window })
    }

    /// The limit minus `headroom` percent, 99 at most.
    ///
    /// Rounding permits down would cost small limits too much: 2 less 15 % would be 1. So permits are
    /// rounded up and the window is stretched to compensate.
    pub(super) fn less(self, headroom: u32) -> Rate {
        let hundredths = self.count * (100 - headroom.min(99));
        let permits = hundredths.div_ceil(100);
        let nanos = self.window.as_nanos() * u128::from(permits) * 100;
        let nanos = nanos.div_ceil(u128::from(hundredths));
        Rate {
            permits: permits as usize,
            window: Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(count: u32, millis: u64) -> Published {
        Published::new(count, Duration::from_millis(millis)).unwrap()
    }

    #[test]
    fn headroom_lowers_the_pace_exactly_and_never_exceeds_the_count() {
        for (count, window, permits, stretched) in [
            (40, 2000, 34, 2000),
            (20, 1000, 17, 1000),
            (12, 2000, 11, 2157),
            (2, 2000, 2, 2353),
            (1, 3000, 1, 3530),
        ] {
            let rate = published(count, window).less(15);
            assert_eq!(rate.permits, permits, "{count}");
            let millis = rate.window.as_nanos().div_ceil(1_000_000);
            assert_eq!(millis, stretched, "{count}");
        }
    }

    #[test]
    fn headroom_leaves_at_least_one_permit() {
        assert_eq!(published(1, 2000).less(1000).permits, 1);
        assert_eq!(published(7, 2000).less(0), Rate { permits: 7, window: Duration::from_secs(2) });
    }

    #[test]
    fn extreme_header_values_are_bounded() {
        assert_eq!(Published::new(0, Duration::from_secs(2)), None);
        assert_eq!(Published::new(5, Duration::ZERO), None);
        let absurd = Published::new(u32::MAX, Duration::from_secs(u32::MAX.into())).unwrap();
        assert_eq!((absurd.count, absurd.window), (MAX_PERMITS, MAX_WINDOW));
    }
}
