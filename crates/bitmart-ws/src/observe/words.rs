//! The fixed words of labels and fields.

use std::time::Duration;

use crate::dialect::{Access, Dialect};
use crate::event::DecodeErrorKind;
use crate::reason::ReconnectReason;

pub(super) const fn dialect(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Spot => "spot",
        Dialect::Futures => "futures",
    }
}

pub(super) const fn side(side: Access) -> &'static str {
    match side {
        Access::Public => "public",
        Access::Private => "private",
    }
}

pub(super) const fn reason(reason: &ReconnectReason) -> &'static str {
    match reason {
        ReconnectReason::Closed { .. } => "closed",
        ReconnectReason::Unreached { .. } => "unreached",
        ReconnectReason::Lost { .. } => "lost",
        ReconnectReason::HandshakeRefused { .. } => "handshake_refused",
        ReconnectReason::Silent { .. } => "silent",
        ReconnectReason::Unanswered { .. } => "unanswered",
        ReconnectReason::Protocol { .. } => "protocol",
        ReconnectReason::Refused(_) => "refused",
    }
}

/// Whether a connection that ended for this was to end.
#[cfg(feature = "metrics")]
pub(super) fn is_wanted(reason: &str) -> bool {
    matches!(reason, "idle" | "login_refused" | "shut_down")
}

pub(super) const fn fault(kind: DecodeErrorKind) -> &'static str {
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
