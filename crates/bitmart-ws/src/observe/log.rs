//! Events of `tracing`. They stand inside the span of their connection, which names server and side.

use tracing::{Span, debug, info};

use super::words;
use crate::event::DecodeError;
use crate::reason::Rejection;
use crate::session::Notice;

pub(super) fn connecting(span: &Span) {
    debug!(target: "bitmart_ws", parent: span, "connecting");
}

pub(super) fn connected(span: &Span) {
    info!(target: "bitmart_ws", parent: span, "connected");
}

/// Notes what the user is told.
pub(super) fn notice(notice: &Notice) {
    match notice {
        Notice::Reconnecting { reason } => info!(
            target: "bitmart_ws",
            {
                bitmart.reason = words::reason(reason),
                bitmart.detail = %reason,
            },
            "connection lost"
        ),
        Notice::Stale { .. } => info!(target: "bitmart_ws", "nothing heard for a while"),
        Notice::Alive => debug!(target: "bitmart_ws", "heard again"),
        Notice::LoginRefused { rejection } => info!(
            target: "bitmart_ws",
            {
                bitmart.code = rejection.code,
                bitmart.detail = rejection.text,
            },
            "login refused"
        ),
        Notice::Subscribed { topic } => topic_event(topic, "subscribed"),
        Notice::Resynced { topic } => topic_event(topic, "subscribed again"),
        Notice::Unsubscribed { topic } => topic_event(topic, "unsubscribed"),
        Notice::Rejected { topic, rejection } => refused(topic, rejection, "topic refused"),
        Notice::RequestRejected { topic, rejection } => {
            refused(topic, rejection, "snapshot refused");
        }
    }
}

fn topic_event(topic: &str, what: &'static str) {
    debug!(target: "bitmart_ws", { bitmart.topic = topic }, "{what}");
}

fn refused(topic: &str, rejection: &Rejection, what: &'static str) {
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

/// Notes a frame that cannot be read.
pub(super) fn malformed(fault: &DecodeError) {
    debug!(
        target: "bitmart_ws",
        {
            error.type = words::fault(fault.kind()),
            bitmart.detail = %fault,
            bitmart.bytes = fault.raw_length(),
        },
        "frame not understood"
    );
}
