//! Events of `tracing`. They belong to the span of their connection, whose fields contain server address,
//! port, market and side.
//!
//! Levels: `warn` if data was lost, `info` if a connection or a subscription changed in a way that its user
//! may have to know, `debug` otherwise.

use tracing::{Span, debug, info, warn};

use super::labels;
use crate::event::DecodeError;
use crate::reason::{ReconnectReason, Rejection};
use crate::session::SessionEvent;

pub(super) fn connecting(span: &Span) {
    debug!(target: "bitmart_ws", parent: span, "connecting");
}

pub(super) fn connected(span: &Span) {
    info!(target: "bitmart_ws", parent: span, "connected");
}

pub(super) fn session_event(event: &SessionEvent, is_open: bool) {
    match event {
        SessionEvent::Reconnecting { reason } if is_open => connection_lost(reason),
        SessionEvent::Reconnecting { reason } => attempt_failed(reason),
        SessionEvent::Stale { .. } => info!(target: "bitmart_ws", "connection stale"),
        SessionEvent::Alive => info!(target: "bitmart_ws", "connection alive again"),
        SessionEvent::LoginRejected { rejection } => info!(
            target: "bitmart_ws",
            {
                bitmart.code = rejection.code,
                bitmart.detail = rejection.text,
            },
            "login rejected"
        ),
        SessionEvent::Subscribed { topic } => topic_event(topic, "subscribed"),
        SessionEvent::Resynced { topic } => topic_event(topic, "resubscribed"),
        SessionEvent::Unsubscribed { topic } => topic_event(topic, "unsubscribed"),
        SessionEvent::Rejected { topic, rejection } => rejected(topic, rejection, "topic rejected"),
        SessionEvent::RequestRejected { topic, rejection } => {
            rejected(topic, rejection, "snapshot request rejected");
        }
    }
}

fn connection_lost(reason: &ReconnectReason) {
    warn!(
        target: "bitmart_ws",
        {
            bitmart.reason = labels::reason(reason),
            bitmart.detail = %reason,
        },
        "connection lost"
    );
}

/// Not a warning: data was lost with the connection before, which was reported then.
fn attempt_failed(reason: &ReconnectReason) {
    info!(
        target: "bitmart_ws",
        {
            bitmart.reason = labels::reason(reason),
            bitmart.detail = %reason,
        },
        "connection attempt failed"
    );
}

fn topic_event(topic: &str, message: &'static str) {
    debug!(target: "bitmart_ws", { bitmart.topic = topic }, "{message}");
}

fn rejected(topic: &str, rejection: &Rejection, message: &'static str) {
    info!(
        target: "bitmart_ws",
        {
            bitmart.topic = topic,
            bitmart.code = rejection.code,
            bitmart.detail = rejection.text,
        },
        "{message}"
    );
}

pub(super) fn malformed(error: &DecodeError) {
    warn!(
        target: "bitmart_ws",
        {
            error.type = labels::decode_error(error.kind()),
            bitmart.detail = %error,
            bitmart.bytes = error.raw_length(),
        },
        "frame could not be decoded"
    );
}
