//! Which values a policy accepts, and what it says about the others.

use super::*;

const ENDPOINTS: [(Market, Access); 4] = [
    (Market::Spot, Access::Public),
    (Market::Spot, Access::Private),
    (Market::Futures, Access::Public),
    (Market::Futures, Access::Private),
];

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Returns the rejected setting and the source of its limit.
fn rejection(
    policy: ConnectionPolicy,
    endpoint: (Market, Access),
) -> Option<(&'static str, LimitSource)> {
    policy.limits(endpoint.0, endpoint.1).err().map(|error| (error.setting(), error.limit_source()))
}

#[test]
fn a_default_policy_has_the_limits_of_the_endpoint() {
    for (market, access) in ENDPOINTS {
        assert_eq!(
            ConnectionPolicy::new().limits(market, access),
            Ok(Limits::for_endpoint(market, access))
        );
    }
}

#[test]
fn accepts_the_limits_of_the_exchange_and_rejects_values_beyond_them() {
    let new = ConnectionPolicy::new;
    let tick = Duration::from_nanos(1);
    for endpoint in ENDPOINTS {
        let published = PublishedLimits::new(endpoint.0, endpoint.1);
        let limits = Limits::for_endpoint(endpoint.0, endpoint.1);
        let stated = published.topics_per_connection;
        let source = stated.map_or(LimitSource::Library, |_| LimitSource::Exchange);
        let topics = limits.topics_per_connection;
        assert_eq!(rejection(new().topics_per_connection(topics), endpoint), None);
        assert_eq!(
            rejection(new().topics_per_connection(topics + 1), endpoint),
            Some(("topics_per_connection", source))
        );
        let exchange = |setting| Some((setting, LimitSource::Exchange));
        let most = published.connections_per_address;
        assert_eq!(rejection(new().connections_per_endpoint(most), endpoint), None);
        assert_eq!(
            rejection(new().connections_per_endpoint(most + 1), endpoint),
            exchange("connections_per_endpoint")
        );
        let idle = published.idle_close;
        assert_eq!(rejection(new().idle_timeout(idle), endpoint), None);
        assert_eq!(rejection(new().idle_timeout(idle + tick), endpoint), exchange("idle_timeout"));
        assert_eq!(rejection(new().heartbeat_interval(idle.saturating_sub(tick)), endpoint), None);
        assert_eq!(
            rejection(new().heartbeat_interval(idle), endpoint),
            exchange("heartbeat_interval")
        );
        let closes = published.no_topic_close;
        assert_eq!(rejection(new().unused_timeout(closes.saturating_sub(tick)), endpoint), None);
        assert_eq!(rejection(new().unused_timeout(closes), endpoint), exchange("unused_timeout"));
        let backoff = |lasted| new().backoff(Backoff::default().healthy_after(lasted));
        assert_eq!(rejection(backoff(limits.connect_spacing), endpoint), None);
        assert_eq!(
            rejection(backoff(limits.connect_spacing.saturating_sub(tick)), endpoint),
            exchange("backoff.healthy_after")
        );
    }
}

#[test]
fn rejects_values_that_make_no_sense() {
    let new = ConnectionPolicy::new;
    let zero = Duration::ZERO;
    let cases = [
        (new().topics_per_connection(0), "topics_per_connection"),
        (new().connections_per_endpoint(0), "connections_per_endpoint"),
        (new().connect_timeout(zero), "connect_timeout"),
        (new().connect_timeout(seconds(61)), "connect_timeout"),
        (new().heartbeat_interval(Duration::from_millis(999)), "heartbeat_interval"),
        (new().idle_timeout(Duration::from_millis(1_999)), "idle_timeout"),
        (new().idle_timeout(zero), "idle_timeout"),
        (new().idle_timeout(seconds(5)).heartbeat_interval(seconds(5)), "idle_timeout"),
        (new().backoff(Backoff::new(zero, seconds(1))), "backoff.base"),
        (new().backoff(Backoff::new(seconds(2), seconds(1))), "backoff.cap"),
        (new().backoff(Backoff::new(seconds(2), Duration::MAX)), "backoff.cap"),
    ];
    for (policy, setting) in cases {
        for endpoint in ENDPOINTS {
            assert_eq!(
                rejection(policy, endpoint),
                Some((setting, LimitSource::Library)),
                "{policy:?}"
            );
        }
    }
}

#[test]
fn the_idle_timeout_determines_heartbeat_and_staleness() {
    let limits = |policy: ConnectionPolicy| {
        let limits = policy.limits(Market::Spot, Access::Public).expect("allowed");
        [limits.heartbeat_interval, limits.stale_after, limits.idle_timeout]
            .map(|time| time.as_secs())
    };
    assert_eq!(limits(ConnectionPolicy::new().idle_timeout(seconds(8))), [4, 6, 8]);
    assert_eq!(
        limits(ConnectionPolicy::new().idle_timeout(seconds(8)).heartbeat_interval(seconds(2))),
        [2, 5, 8]
    );
    assert_eq!(limits(ConnectionPolicy::new().heartbeat_interval(seconds(4))), [4, 12, 20]);
}

#[test]
fn the_error_names_endpoint_limit_and_source() {
    let policy = ConnectionPolicy::new().unused_timeout(seconds(30));
    let error = policy.limits(Market::Futures, Access::Public).expect_err("too long");
    let text = "`unused_timeout` of public futures connections must be less than 5s, not 30s: the \
                exchange closes a connection without topics then (a limit of the exchange)";
    assert_eq!(error.to_string(), text);
    assert!(policy.limits(Market::Spot, Access::Public).is_ok(), "spot waits longer");
}
