//! Events of `tracing`. They belong to the span of their connection, which names server and endpoint.

use tracing::{Span, debug, info};

use super::labels;
use crate::event::DecodeError;
use crate::reason::Rejection;
use crate::session::SessionEvent;

pub(super) fn connecting(span: &Span) {
    debug!(target: "bitmart_ws", parent: span, "connecting");
}

pub(super) fn connected(span: &Span) {
    info!(target: "bitmart_ws", parent: span, "connected");
}

pub(super) fn session_event(event: &SessionEvent) {
    match event {
        SessionEvent::Reconnecting { reason } => info!(
            target: "bitmart_ws",
            {
                bitmart.reason = labels::reason(reason),
                bitmart.detail = %reason,
            },
            "connection lost"
        ),
        SessionEvent::Stale { .. } => info!(target: "bitmart_ws", "connection is idle"),
        SessionEvent::Alive => debug!(target: "bitmart_ws", "connection is active again"),
        SessionEvent::LoginRejected { rejection } => info!(
            target: "bitmart_ws",
            {
                bitmart.code = rejection.code,
                bitmart.detail = rejection.text,
            },
            "login refused"
        ),
        SessionEvent::Subscribed { topic } => topic_event(topic, "subscribed"),
        SessionEvent::Resynced { topic } => topic_event(topic, "subscribed again"),
        SessionEvent::Unsubscribed { topic } => topic_event(topic, "unsubscribed"),
        SessionEvent::Rejected { topic, rejection } => rejected(topic, rejection, "topic refused"),
        SessionEvent::RequestRejected { topic, rejection } => {
            rejected(topic, rejection, "snapshot refused");
        }
    }
}

fn topic_event(topic: &str, what: &'static str) {
    debug!(target: "bitmart_ws", { bitmart.topic = topic }, "{what}");
}

fn rejected(topic: &str, rejection: &Rejection, what: &'static str) {
    info!(
        target: "bitmart_ws",
        {
            bitmart.topic = topic,
            bitmart.code = rejection.code,
            bitmart.detail = rejection.text,
        },
        "{what}"
    );
}

pub(super) fn malformed(error: &DecodeError) {
    debug!(
        target: "bitmart_ws",
        {
            error.type = labels::decode_error(error.kind()),
            bitmart.detail = %error,
            bitmart.bytes = error.raw_length(),
        },
        "frame not understood"
    );
}
