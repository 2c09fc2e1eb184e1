//! The retry class of every failure, for reads and writes.

use bytes::Bytes;
use http::StatusCode;
use proptest::prelude::*;

use super::*;
use crate::code;
use crate::error::{ApiError, ResponseInfo};
use crate::protocol::endpoint::{Host, Metadata, Method};
use crate::transport::TransportError;

const READ: Metadata = Metadata::new("read", Method::Get, Host::Spot, "/read");
const TRADE: Metadata =
    Metadata::new("trade", Method::Post, Host::Spot, "/trade").effect(Effect::Trade);
const TRANSFER: Metadata =
    Metadata::new("transfer", Method::Post, Host::Spot, "/transfer").effect(Effect::Transfer);
const SETTING: Metadata =
    Metadata::new("setting", Method::Post, Host::Spot, "/setting").effect(Effect::Account);
const WRITES: [&Metadata; 3] = [&TRADE, &TRANSFER, &SETTING];

const AT_ONCE: RetryClass = RetryClass::AfterTime { wait: Duration::ZERO };

fn response(status: u16) -> ResponseInfo {
    let status = StatusCode::from_u16(status).expect("a status");
    ResponseInfo { status, rate_limit: None, body: Bytes::new() }
}

/// The error of a response with a code.
fn with_code(metadata: &'static Metadata, status: u16, code: i64) -> Error {
    let response = response(status);
    let (status, message) = (response.status, String::new());
    Error::api(metadata, ApiError { status, code: Some(code), message, trace: None })
        .with_response(response)
}

/// The error of a response that is no envelope.
fn without_code(metadata: &'static Metadata, status: u16, reason: Unexpected) -> Error {
    Error::unexpected(metadata, reason).with_response(response(status))
}

/// Every failure of a response or the network, for an endpoint.
fn failures(metadata: &'static Metadata) -> impl Strategy<Value = Error> {
    use TransportErrorKind as Kind;

    let statuses = prop_oneof![
        Just(200u16),
        Just(400),
        Just(403),
        Just(418),
        Just(429),
        Just(500),
        Just(503),
        100u16..600
    ];
    let known: Vec<_> = code::all().map(|entry| entry.code).collect();
    let codes = prop_oneof![
        4 => proptest::sample::select(known),
        1 => Just(30013i64),
        1 => Just(30017),
        1 => any::<i64>()
    ];
    let kinds = proptest::sample::select(vec![
        Kind::Connect,
        Kind::Tls,
        Kind::Timeout,
        Kind::Interrupted,
        Kind::BodyTooLarge,
        Kind::HeadTooLarge,
        Kind::Other,
    ]);
    let reasons = proptest::sample::select(vec![
        Unexpected::Empty,
        Unexpected::Html,
        Unexpected::Truncated,
        Unexpected::NotJson,
        Unexpected::NoCode,
        Unexpected::StatusContradictsCode,
        Unexpected::MessageContradictsCode,
        Unexpected::CodesDiffer,
        Unexpected::Redirect,
        Unexpected::Challenge,
        Unexpected::Blocked,
        Unexpected::Region,
        Unexpected::Encoding,
    ]);
    prop_oneof![
        4 => (statuses.clone(), codes).prop_map(move |(status, code)| with_code(metadata, status, code)),
        2 => (statuses, reasons).prop_map(move |(status, reason)| without_code(metadata, status, reason)),
        1 => (any::<bool>(), kinds).prop_map(move |(sent, kind)| {
            let error = if sent { TransportError::maybe_sent } else { TransportError::not_sent };
            Error::transport(metadata, error(kind))
        }),
    ]
}

proptest! {
    #[test]
    fn a_write_that_may_have_taken_effect_is_never_safe_to_repeat(
        error in proptest::sample::select(WRITES.to_vec()).prop_flat_map(failures)
    ) {
        let class = error.retry_class();
        if error.outcome() == Outcome::Unknown {
            prop_assert!(
                class == RetryClass::AfterQuery || class.is_banned(),
                "{class:?} for {error}"
            );
        } else {
            prop_assert_ne!(class, RetryClass::AfterQuery, "it had no effect: {}", error);
        }
    }

    #[test]
    fn a_read_never_needs_a_query(error in failures(&READ)) {
        prop_assert_ne!(error.retry_class(), RetryClass::AfterQuery);
    }

    #[test]
    fn only_a_ban_is_classified_as_a_ban(
        error in proptest::sample::select(vec![&READ, &TRADE]).prop_flat_map(failures)
    ) {
        let is_ban = error.code() == Some(30017) || error.status() == Some(StatusCode::IM_A_TEAPOT);
        let class = error.retry_class();
        prop_assert_eq!(class.is_banned(), is_ban, "{}", error);
        if is_ban {
            prop_assert_eq!(class.wait(), Some(MIN_BAN_PAUSE), "at least, without a requested time");
        }
    }

    /// Programs show these messages to users.
    #[test]
    fn messages_do_not_name_functions_of_this_library(
        error in proptest::sample::select(vec![&READ, &TRADE]).prop_flat_map(failures)
    ) {
        let text = error.to_string();
        for part in ["::", "()", "(…)", "sync_clock", "user_agent", "credentials to the client"] {
            prop_assert!(!text.contains(part), "{}: {}", part, text);
        }
    }

    #[test]
    fn a_rate_limit_error_has_a_wait(error in failures(&READ)) {
        if error.is_rate_limited() && !matches!(error.kind(), ErrorKind::Unexpected(_)) {
            prop_assert!(error.retry_class().wait().is_some(), "{}", error);
        }
    }
}

/// The rows of the documented table.
#[test]
fn failures_have_the_documented_class() {
    use RetryClass::{AfterQuery, Never};
    use TransportErrorKind as Kind;

    type MakeError = Box<dyn Fn(&'static Metadata) -> Error>;
    let transport = |error: fn() -> TransportError| -> MakeError {
        Box::new(move |metadata| Error::transport(metadata, error()))
    };
    let code =
        |status, code| -> MakeError { Box::new(move |metadata| with_code(metadata, status, code)) };
    let unexpected = |status, reason| -> MakeError {
        Box::new(move |metadata| without_code(metadata, status, reason))
    };
    // The failure, the class of a read and the class of a write.
    let rows: Vec<(MakeError, RetryClass, RetryClass)> = vec![
        (Box::new(Error::missing_credentials), Never, Never),
        (Box::new(Error::missing_host), Never, Never),
        (transport(|| TransportError::not_sent(Kind::Connect)), AT_ONCE, AT_ONCE),
        (transport(|| TransportError::maybe_sent(Kind::Timeout)), AT_ONCE, AfterQuery),
        (transport(|| TransportError::maybe_sent(Kind::Interrupted)), AT_ONCE, AfterQuery),
        (transport(|| TransportError::maybe_sent(Kind::BodyTooLarge)), Never, AfterQuery),
        (code(429, 30013), AT_ONCE, AT_ONCE),
        (code(429, 12345), AT_ONCE, AfterQuery),
        (unexpected(429, Unexpected::Html), AT_ONCE, AfterQuery),
        (code(200, 30016), AT_ONCE, AT_ONCE),
        (code(503, 30014), AT_ONCE, AfterQuery),
        (code(500, 59002), AT_ONCE, AfterQuery),
        (code(400, 50000), Never, Never),
        (code(401, 30005), Never, Never),
        (code(400, 50020), Never, Never),
        (code(400, 50005), Never, Never),
        (code(503, 12345), AT_ONCE, AfterQuery),
        (code(400, 12345), Never, AfterQuery),
        (unexpected(502, Unexpected::Html), AT_ONCE, AfterQuery),
        (unexpected(404, Unexpected::Html), Never, AfterQuery),
        (unexpected(200, Unexpected::Truncated), AT_ONCE, AfterQuery),
        (unexpected(302, Unexpected::Redirect), Never, AfterQuery),
        (unexpected(403, Unexpected::Blocked), Never, AfterQuery),
    ];
    for (make, read, write) in rows {
        assert_eq!(make(&READ).retry_class(), read, "{}", make(&READ));
        for metadata in WRITES {
            assert_eq!(make(metadata).retry_class(), write, "{}", make(metadata));
        }
    }
}

#[cfg(feature = "client")]
#[test]
fn a_throttled_request_has_the_wait_of_the_limiter() {
    use crate::protocol::rate_limit::Throttled;

    let (retry_after, until) = (Duration::from_secs(7), Timestamp::from_millis(7_000));
    for metadata in [&READ, &TRADE] {
        for reason in [ThrottleReason::LimitReached, ThrottleReason::TooManyRequests] {
            let error = Error::throttled(metadata, Throttled { reason, retry_after, until });
            assert_eq!(error.retry_class(), RetryClass::AfterTime { wait: retry_after });
        }
        let throttled = Throttled { reason: ThrottleReason::Banned, retry_after, until };
        let banned = RetryClass::Banned { wait: retry_after, until: Some(until) };
        assert_eq!(Error::throttled(metadata, throttled).retry_class(), banned);
        // A rejection for the rate limit that arrives during a ban.
        let error = with_code(metadata, 429, 30013).held_back(throttled);
        assert_eq!(error.retry_class(), banned);
        assert!(error.to_string().contains("Banned until 1970-01-01T00:00:07"), "{error}");
    }
}
