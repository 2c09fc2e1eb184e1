//! A session of the spot dialect: subscriptions, login and message limit.

use std::time::Duration;

use tokio::time::Instant;

use super::context::{SessionContext, wrong_address_hint};
use crate::{
    address::SocketKind,
    auth::LoginRejection,
    feed::Output,
    generated::Host,
    hints,
    wire::{
        session::{
            Login,
            spot::{self as messages, Command, Request, SessionError},
        },
        topic::{self, Topic},
    },
};

/// Maximum size of a message of a client in bytes.
pub(super) const MAX_MESSAGE: usize = 4_096;
const MAX_PUBLIC_TOPICS: usize = 115;
const MAX_PRIVATE_TOPICS: usize = 100;
/// Maximum number of messages per window, including pings. The window uses the clock of the machine, like all
/// timeouts of WebSockets.
const MAX_MESSAGES: u32 = 100;
const WINDOW: Duration = Duration::from_secs(10);

/// One spot connection.
#[derive(Debug)]
pub(super) struct Session {
    kind: SocketKind,
    /// Whether the number of messages is limited.
    limited: bool,
    window_from: Instant,
    messages: u32,
}

impl Session {
    pub(super) fn new(kind: SocketKind, limited: bool) -> Self {
        Self { kind, limited, window_from: Instant::now(), messages: 0 }
    }

    /// Handles one text message of the client, received at `now`.
    pub(super) fn on_text(&mut self, text: &str, now: Instant, context: &mut SessionContext<'_>) {
        if !self.is_within_limit(now) {
            context.send_json(&messages::TOO_MANY_MESSAGES.frame(Command::Subscribe.name()));
            return context.send(Output::Close(1008, "over 100 messages within 10 seconds"));
        }
        match messages::parse(text) {
            Err(rejection) => context.send_json(&rejection),
            Ok(Request::Ping) => context.send(Output::Text(messages::PONG.into())),
            Ok(Request::Login(login)) => log_in(&login, context),
            Ok(Request::Topics { command, topics }) => {
                for topic in &topics {
                    self.on_topic(command, topic, context);
                }
            }
        }
    }

    fn is_within_limit(&mut self, now: Instant) -> bool {
        if now.duration_since(self.window_from) >= WINDOW {
            (self.window_from, self.messages) = (now, 0);
        }
        self.messages = self.messages.saturating_add(1);
        !self.limited || self.messages <= MAX_MESSAGES
    }

    fn on_topic(&self, command: Command, text: &str, context: &mut SessionContext<'_>) {
        let result = match self.find(text, context) {
            Ok(topic) => self.apply(command, &topic, context),
            Err(error) => return self.reject(command, text, error, context),
        };
        if let Err(error) = result {
            context.send_json(&error.frame(command.name()));
        }
    }

    /// Sends the rejection of a topic, and reports the cause if it is known.
    fn reject(
        &self,
        command: Command,
        text: &str,
        error: SessionError,
        context: &mut SessionContext<'_>,
    ) {
        let topic = topic::parse(Host::Spot, text);
        let hint = topic.as_ref().and_then(|topic| wrong_address_hint(topic, self.kind));
        if let Some(reason) = hint {
            context.add_reason(error.code.to_string(), format!("{text}: {reason}"));
            return context.send_json(&error.frame(command.name()));
        }
        let symbol = topic.map(|topic| topic.symbol);
        let symbol = symbol.filter(|_| error == messages::UNKNOWN_SYMBOL).unwrap_or_default();
        if let Some(reason) = hints::symbol(Host::Spot, &symbol, context.exchange) {
            context.add_reason(error.code.to_string(), reason);
        }
        context.send_json(&error.frame(command.name()));
    }

    /// Finds a topic that this address serves. The addresses are separate: each only serves topics of its kind.
    fn find(&self, text: &str, context: &SessionContext<'_>) -> Result<Topic, SessionError> {
        let topic = topic::parse(Host::Spot, text).ok_or(messages::UNKNOWN_CHANNEL)?;
        match (topic.is_private(), self.kind) {
            (true, SocketKind::Private) if context.is_logged_in() => {}
            (true, _) => return Err(messages::NOT_LOGGED_IN),
            (false, SocketKind::Private) => return Err(messages::UNKNOWN_CHANNEL),
            (false, SocketKind::Public) => {}
        }
        let is_listed =
            topic.symbol.is_empty() || context.exchange.spot_market(&topic.symbol).is_some();
        if is_listed || context.feed.has_recorded(&topic) {
            Ok(topic)
        } else {
            Err(messages::UNKNOWN_SYMBOL)
        }
    }

    fn apply(
        &self,
        command: Command,
        topic: &Topic,
        context: &mut SessionContext<'_>,
    ) -> Result<(), SessionError> {
        match command {
            Command::Subscribe => self.subscribe(topic, context)?,
            Command::Unsubscribe => {
                if !context.unsubscribe(topic) {
                    return Err(messages::NOT_SUBSCRIBED);
                }
                context.send_json(&messages::acknowledgement(command, &topic.text));
            }
            Command::Request if topic.takes_requests => context.send_first(topic),
            Command::Request => return Err(messages::UNKNOWN_CHANNEL),
        }
        Ok(())
    }

    fn subscribe(
        &self,
        topic: &Topic,
        context: &mut SessionContext<'_>,
    ) -> Result<(), SessionError> {
        let max_topics = match self.kind {
            SocketKind::Public => MAX_PUBLIC_TOPICS,
            SocketKind::Private => MAX_PRIVATE_TOPICS,
        };
        if context.feed.subscriptions.topic_count(context.id) >= max_topics {
            return Err(messages::TOO_MANY_TOPICS);
        }
        if !context.subscribe(topic) {
            return Err(messages::DUPLICATE_SUBSCRIPTION);
        }
        context.send_json(&messages::acknowledgement(Command::Subscribe, &topic.text));
        context.send_first(topic);
        Ok(())
    }
}

fn log_in(login: &Login, context: &mut SessionContext<'_>) {
    if context.is_logged_in() {
        return context.send_json(&messages::ALREADY_LOGGED_IN.frame("login"));
    }
    match context.log_in(login) {
        Ok(()) => context.send_json(&messages::logged_in()),
        Err(LoginRejection { error, reason }) => {
            let error = messages::login_error(error);
            context.send_json(&error.frame("login"));
            if let Some(reason) = &reason {
                context.add_reason(error.code.to_string(), reason);
            }
            context.close_with_reason(reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_limited_per_window() {
        let mut session = Session::new(SocketKind::Public, true);
        let from = session.window_from;
        assert!((0..MAX_MESSAGES).all(|_| session.is_within_limit(from)));
        assert!(!session.is_within_limit(from + WINDOW - Duration::from_millis(1)));
        assert!(session.is_within_limit(from + WINDOW));
        let mut unlimited = Session::new(SocketKind::Public, false);
        assert!((0..MAX_MESSAGES * 2).all(|_| unlimited.is_within_limit(from)));
    }
}
