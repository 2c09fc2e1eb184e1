use super::*;

const SIDES: [(Dialect, Access); 4] = [
    (Dialect::Spot, Access::Public),
    (Dialect::Spot, Access::Private),
    (Dialect::Futures, Access::Public),
    (Dialect::Futures, Access::Private),
];

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// The setting that is refused, and whose limit it is.
fn refusal(
    policy: ConnectionPolicy,
    side: (Dialect, Access),
) -> Option<(&'static str, LimitSource)> {
    policy.limits(side.0, side.1).err().map(|error| (error.setting(), error.limit_source()))
}

#[test]
fn a_policy_in_which_nothing_is_set_is_the_limits_of_the_side() {
    for (dialect, access) in SIDES {
        assert_eq!(
            ConnectionPolicy::new().limits(dialect, access),
            Ok(Limits::of(dialect, access))
        );
    }
}

#[test]
fn what_the_venue_allows_at_most_is_taken_and_a_little_more_is_refused_everywhere() {
    let new = ConnectionPolicy::new;
    let bit = Duration::from_nanos(1);
    for side in SIDES {
        let published = PublishedLimits::new(side.0, side.1);
        let limits = Limits::of(side.0, side.1);
        let stated = published.topics_per_connection;
        let source = stated.map_or(LimitSource::Crate, |_| LimitSource::Venue);
        let topics = limits.topics_per_connection;
        assert_eq!(refusal(new().topics_per_connection(topics), side), None);
        assert_eq!(
            refusal(new().topics_per_connection(topics + 1), side),
            Some(("topics_per_connection", source))
        );
        let venue = |setting| Some((setting, LimitSource::Venue));
        let most = published.connections_per_address;
        assert_eq!(refusal(new().connections_per_side(most), side), None);
        assert_eq!(
            refusal(new().connections_per_side(most + 1), side),
            venue("connections_per_side")
        );
        let silence = published.idle_close;
        assert_eq!(refusal(new().silence(silence), side), None);
        assert_eq!(refusal(new().silence(silence + bit), side), venue("silence"));
        assert_eq!(refusal(new().heartbeat(silence.saturating_sub(bit)), side), None);
        assert_eq!(refusal(new().heartbeat(silence), side), venue("heartbeat"));
        let closes = published.no_topic_close;
        assert_eq!(refusal(new().linger(closes.saturating_sub(bit)), side), None);
        assert_eq!(refusal(new().linger(closes), side), venue("linger"));
        let backoff = |lasted| new().backoff(Backoff::default().healthy_after(lasted));
        assert_eq!(refusal(backoff(limits.connect_spacing), side), None);
        assert_eq!(
            refusal(backoff(limits.connect_spacing.saturating_sub(bit)), side),
            venue("backoff.healthy_after")
        );
    }
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let new = ConnectionPolicy::new;
    let none = Duration::ZERO;
    let cases = [
        (new().topics_per_connection(0), "topics_per_connection"),
        (new().connections_per_side(0), "connections_per_side"),
        (new().connect_timeout(none), "connect_timeout"),
        (new().connect_timeout(seconds(61)), "connect_timeout"),
        (new().heartbeat(Duration::from_millis(999)), "heartbeat"),
        (new().silence(Duration::from_millis(1_999)), "silence"),
        (new().silence(none), "silence"),
        (new().silence(seconds(5)).heartbeat(seconds(5)), "silence"),
        (new().backoff(Backoff::new(none, seconds(1))), "backoff.base"),
        (new().backoff(Backoff::new(seconds(2), seconds(1))), "backoff.cap"),
        (new().backoff(Backoff::new(seconds(2), Duration::MAX)), "backoff.cap"),
    ];
    for (policy, setting) in cases {
        for side in SIDES {
            assert_eq!(refusal(policy, side), Some((setting, LimitSource::Crate)), "{policy:?}");
        }
    }
}

#[test]
fn silence_brings_heartbeat_and_staleness_along() {
    let limits = |policy: ConnectionPolicy| {
        let limits = policy.limits(Dialect::Spot, Access::Public).expect("allowed");
        [limits.ping_interval, limits.stale_after, limits.silence].map(|time| time.as_secs())
    };
    assert_eq!(limits(ConnectionPolicy::new().silence(seconds(8))), [4, 6, 8]);
    assert_eq!(
        limits(ConnectionPolicy::new().silence(seconds(8)).heartbeat(seconds(2))),
        [2, 5, 8]
    );
    assert_eq!(limits(ConnectionPolicy::new().heartbeat(seconds(4))), [4, 12, 20]);
}

#[test]
fn a_refusal_says_where_how_much_and_why() {
    let refused = ConnectionPolicy::new().linger(seconds(30));
    let error = refused.limits(Dialect::Futures, Access::Public).expect_err("too long");
    let text = "`linger` of public futures connections must be less than 5s, not 30s: the venue \
                closes a connection without topics then (limit of the description of BitMart's API)";
    assert_eq!(error.to_string(), text);
    assert!(refused.limits(Dialect::Spot, Access::Public).is_ok(), "spot waits for longer");
}
