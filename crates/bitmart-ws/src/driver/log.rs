//! What a connection notes with `tracing`.
//!
//! Frames are never noted: they may hold orders, keys and signatures.

use tracing::{debug, info};

use crate::connect::Connector;
use crate::event::DecodeError;
use crate::session::Notice;

/// Notes what the user is told.
pub(super) fn notice(endpoint: &Connector, notice: &Notice) {
    match notice {
        Notice::Reconnecting { reason } => info!(%endpoint, %reason, "connection lost"),
        Notice::Stale { .. } => info!(%endpoint, "nothing heard for a while"),
        Notice::Alive => debug!(%endpoint, "heard again"),
        Notice::LoginRefused { rejection } => info!(%endpoint, %rejection, "login refused"),
        Notice::Subscribed { topic } => debug!(%endpoint, %topic, "subscribed"),
        Notice::Resynced { topic } => debug!(%endpoint, %topic, "subscribed again"),
        Notice::Unsubscribed { topic } => debug!(%endpoint, %topic, "unsubscribed"),
        Notice::Rejected { topic, rejection } => {
            info!(%endpoint, %topic, %rejection, "topic refused");
        }
        Notice::RequestRejected { topic, rejection } => {
            debug!(%endpoint, %topic, %rejection, "request refused");
        }
    }
}

/// Notes a frame that cannot be read.
pub(super) fn malformed(endpoint: &Connector, fault: &DecodeError) {
    debug!(%endpoint, %fault, length = fault.raw_length(), "frame not understood");
}
