//! Fixed values of metric labels and span fields.

use std::time::Duration;

use crate::dialect::{Access, Market};
use crate::event::DecodeErrorKind;
use crate::reason::ReconnectReason;

pub(super) const fn market(market: Market) -> &'static str {
    match market {
        Market::Spot => "spot",
        Market::Futures => "futures",
    }
}

pub(super) const fn side(access: Access) -> &'static str {
    match access {
        Access::Public => "public",
        Access::Private => "private",
    }
}

pub(super) const fn reason(reason: &ReconnectReason) -> &'static str {
    match reason {
        ReconnectReason::Closed { .. } => "closed",
        ReconnectReason::Unreachable { .. } => "unreachable",
        ReconnectReason::ConnectFailed { .. } => "connect_failed",
        ReconnectReason::Lost { .. } => "lost",
        ReconnectReason::HandshakeRejected { .. } => "handshake_rejected",
        ReconnectReason::IdleTimeout { .. } => "idle_timeout",
        ReconnectReason::Suspended { .. } => "suspended",
        ReconnectReason::NotAcknowledged { .. } => "not_acknowledged",
        ReconnectReason::Protocol { .. } => "protocol",
        ReconnectReason::Rejected(_) => "rejected",
    }
}

/// Whether the client ended the connection itself.
#[cfg(feature = "metrics")]
pub(super) fn is_intended(reason: &str) -> bool {
    matches!(reason, "idle" | "login_rejected" | "shut_down")
}

pub(super) const fn decode_error(kind: DecodeErrorKind) -> &'static str {
    match kind {
        DecodeErrorKind::Syntax => "syntax",
        DecodeErrorKind::Truncated => "truncated",
        DecodeErrorKind::Shape => "shape",
        DecodeErrorKind::Encoding => "encoding",
        DecodeErrorKind::Trailing => "trailing",
    }
}

/// Milliseconds with a fraction.
pub(super) fn millis(time: Duration) -> f64 {
    time.saturating_mul(1000).as_secs_f64()
}
