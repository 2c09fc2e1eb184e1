//! The messages of a connection: text, compressed text, pings and the end.

use super::{Driver, now};
use crate::catalog;
use crate::dialect::Market;
use crate::event::{DecodeError, DecodeErrorKind};
use crate::frame::Message;
use crate::inflate::InflateError;
use crate::reason::ReconnectReason;

impl Driver {
    /// Returns whether it was a data frame and nothing else.
    pub(super) async fn handle_message(&mut self, message: Message) -> bool {
        match message {
            Message::Text(bytes) => {
                if let Ok(text) = std::str::from_utf8(&bytes) {
                    return self.handle_text(text);
                }
                let reason = "the text frame is not UTF-8";
                self.handle_unreadable(DecodeErrorKind::Encoding, reason, &bytes);
            }
            Message::Binary(bytes) => {
                // Cloned, so that the closure can borrow `self`.
                let inflaters = self.inflaters.clone();
                match inflaters.inflate(&bytes, |text| self.handle_text(text)) {
                    Ok((is_data, 0)) => return is_data,
                    // The text is valid, but the bytes after it are lost.
                    Ok((_, trailing)) => {
                        let reason = format!("{trailing} bytes after the compressed stream");
                        let stream_end = bytes.len().saturating_sub(trailing);
                        let trailing_bytes = bytes.get(stream_end..).unwrap_or_default();
                        let kind = DecodeErrorKind::Trailing;
                        let error = DecodeError::from_bytes(kind, &reason, trailing_bytes);
                        self.observer.malformed(&error);
                        self.router.malformed(error);
                    }
                    Err(error) => {
                        let kind = match error {
                            InflateError::Truncated => DecodeErrorKind::Truncated,
                            _ => DecodeErrorKind::Encoding,
                        };
                        self.handle_unreadable(kind, &error.to_string(), &bytes);
                    }
                }
            }
            Message::Ping(payload) => {
                if self.session.ping_received(now()) {
                    let bytes = payload.len();
                    match self.socket.send_pong(payload).await {
                        Ok(()) => self.observer.sent(bytes),
                        Err(reason) => self.session.disconnected(now(), reason),
                    }
                }
            }
            Message::Pong => self.session.frame_received(now()),
            Message::Close(code, text) => {
                self.socket.close().await;
                self.session.disconnected(now(), ReconnectReason::Closed { code, text });
            }
        }
        false
    }

    /// Decodes a text frame and dispatches its events. Returns whether it was data and nothing else.
    fn handle_text(&mut self, text: &str) -> bool {
        let Some(frame_name) = self.session.receive(now(), text) else {
            match fault_without_channel(self.market, text) {
                None => self.session.frame_decoded(),
                Some(error) => self.handle_malformed(error),
            }
            return false;
        };
        while let Some(event) = self.session.poll_event() {
            self.is_status_unpublished = true;
            self.observer.session_event(&event, self.session.desired_topics());
            self.router.session_event(event);
        }
        let readable = self.router.dispatch(frame_name, text);
        if readable {
            self.session.frame_decoded();
        } else {
            self.session.frame_unreadable(now());
        }
        readable
    }

    /// Handles a frame that could not be turned into text.
    fn handle_unreadable(&mut self, kind: DecodeErrorKind, reason: &str, bytes: &[u8]) {
        self.session.frame_received(now());
        self.handle_malformed(DecodeError::from_bytes(kind, reason, bytes));
    }

    /// Reports an unreadable frame to every subscriber: it may have been meant for any of them.
    fn handle_malformed(&mut self, error: DecodeError) {
        self.observer.malformed(&error);
        self.router.malformed(error);
        self.session.frame_unreadable(now());
    }
}

/// What is wrong with a text that names no channel; `None` for control frames, known or not. They are JSON, too,
/// except for `pong`.
fn fault_without_channel(market: Market, text: &str) -> Option<DecodeError> {
    if text == "pong" {
        return None;
    }
    // The name of a channel may be unreadable, for example written with escapes.
    let unnamed_data = || {
        let reason = "there is data, but no name of a channel";
        let is_data = has_data(text) && !catalog::is_control(market, text);
        is_data.then(|| DecodeError::from_bytes(DecodeErrorKind::Shape, reason, text.as_bytes()))
    };
    DecodeError::from_text(text).or_else(unnamed_data)
}

/// Whether a text is a JSON object with a member `data`.
fn has_data(text: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Frame {
        data: Option<serde::de::IgnoredAny>,
    }
    text.trim_ascii_start().starts_with('{')
        && serde_json::from_str(text).is_ok_and(|frame: Frame| frame.data.is_some())
}
