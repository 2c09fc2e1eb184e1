//! Whether requests kept a limit, judged from outside: by when each was sent and when it ended.

use std::collections::BTreeMap;

/// A request of a process; microseconds of the machine's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) at: u64,
    /// `None` if its process was killed before.
    pub(crate) end: Option<u64>,
}

/// The most requests that the exchange may have counted in one window, wherever it begins and whenever each
/// request was counted between its beginning and its end. A request without an end was counted within `timeout`.
pub(crate) fn most_in_a_window(requests: &[Sent], window: u64, timeout: u64) -> usize {
    let mut changes: BTreeMap<u64, i64> = BTreeMap::new();
    for Sent { at, end } in requests {
        *changes.entry(*at).or_default() += 1;
        *changes.entry(end.unwrap_or(at + timeout) + window).or_default() -= 1;
    }
    let mut count = 0;
    let counts = changes.values().map(|change| {
        count += change;
        count
    });
    usize::try_from(counts.max().unwrap_or(0)).expect("not negative")
}

#[test]
fn requests_count_until_a_window_after_their_end() {
    let sent = |at, end| Sent { at, end: Some(end) };
    let apart = [sent(0, 10), sent(110, 120), sent(220, 230)];
    assert_eq!(most_in_a_window(&apart, 100, 0), 1);
    assert_eq!(most_in_a_window(&apart, 101, 0), 2);
    // Slow, so that it may have been counted together with the last.
    assert_eq!(most_in_a_window(&[sent(0, 150), apart[2]], 100, 0), 2);
    let killed = Sent { at: 0, end: None };
    assert_eq!(most_in_a_window(&[killed, apart[2]], 100, 120), 1);
    assert_eq!(most_in_a_window(&[killed, apart[2]], 100, 121), 2);
}
