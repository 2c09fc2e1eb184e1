//! A session of the futures dialect: subscriptions and login.

use super::context::{SessionContext, wrong_address_hint};
use crate::{
    address::SocketKind,
    generated::Host,
    hints,
    wire::{
        session::{
            Login,
            futures::{self as messages, LoginAction, Request, TopicAction, TopicCommand},
        },
        topic::{self, Topic},
    },
};

/// Maximum size of a message of a client in bytes. Messages of 2,020 bytes were observed to pass, and one of 2,186 to
/// close the socket.
pub(super) const MAX_MESSAGE: usize = 2_048;

/// One futures connection.
#[derive(Debug)]
pub(super) struct Session {
    kind: SocketKind,
}

impl Session {
    pub(super) fn new(kind: SocketKind) -> Self {
        Self { kind }
    }

    /// Handles one text message of the client.
    pub(super) fn on_text(&self, text: &str, context: &mut SessionContext<'_>) {
        match messages::parse(text) {
            Err(rejection) => context.send_json(&rejection),
            Ok(Request::Ping) => context.send_json(&messages::pong(&context.pong_id)),
            Ok(Request::Login { action, login }) => log_in(action, &login, context),
            Ok(Request::Topics(command)) => {
                for topic in &command.topics {
                    self.on_topic(&command, topic, context);
                }
            }
        }
    }

    fn on_topic(&self, command: &TopicCommand, text: &str, context: &mut SessionContext<'_>) {
        let topic = match self.find(text, context) {
            Ok(topic) => topic,
            Err(error) => return self.reject(command, text, &error, context),
        };
        match command.action {
            TopicAction::Request if topic.takes_requests => context.send_first(&topic),
            TopicAction::Request => {
                let error = messages::request_unsupported(text);
                context.send_json(&command.rejection(text, &error));
            }
            TopicAction::Subscribe => {
                // Observed: a second subscription to the same topic is acknowledged like the first.
                let is_new = context.subscribe(&topic);
                context.send_json(&command.acknowledgement(text));
                if is_new {
                    context.send_first(&topic);
                }
            }
            TopicAction::Unsubscribe => {
                context.unsubscribe(&topic);
                context.send_json(&command.acknowledgement(text));
            }
        }
    }

    /// Sends the rejection of a topic, and reports the cause if it is known.
    fn reject(
        &self,
        command: &TopicCommand,
        text: &str,
        error: &str,
        context: &mut SessionContext<'_>,
    ) {
        let topic = topic::parse(Host::Futures, text);
        let hint = topic.as_ref().and_then(|topic| wrong_address_hint(topic, self.kind));
        if let Some(reason) = hint {
            context.add_reason("an error", format!("{error}: {reason}"));
        } else if let Some(topic) = topic
            && let Some(reason) = hints::symbol(Host::Futures, &topic.symbol, context.exchange)
            && context.exchange.futures_market(&topic.symbol).is_none()
        {
            context.add_reason("an error", reason);
        }
        context.send_json(&command.rejection(text, error));
    }

    /// Finds a topic that this address serves. The addresses are separate: each only serves topics of its kind.
    fn find(&self, text: &str, context: &SessionContext<'_>) -> Result<Topic, String> {
        if topic::is_unserved(Host::Futures, text) {
            return Err(messages::unserved_topic(text));
        }
        let unknown = || messages::unknown_topic(text);
        let topic = topic::parse(Host::Futures, text).ok_or_else(unknown)?;
        match (topic.is_private(), self.kind) {
            (true, SocketKind::Private) if context.is_logged_in() => {
                // A topic of an unknown currency would never be pushed, and clients could store any number of them.
                let is_known =
                    topic.symbol.is_empty() || context.exchange.is_currency(&topic.symbol);
                return if is_known { Ok(topic) } else { Err(messages::unknown_symbol(text)) };
            }
            (true, _) => return Err(messages::login_required(text)),
            (false, SocketKind::Private) => return Err(unknown()),
            (false, SocketKind::Public) => {}
        }
        let is_listed =
            topic.symbol.is_empty() || context.exchange.futures_market(&topic.symbol).is_some();
        if is_listed || context.feed.has_recorded(&topic) {
            Ok(topic)
        } else {
            Err(messages::unknown_symbol(text))
        }
    }
}

fn log_in(action: LoginAction, login: &Login, context: &mut SessionContext<'_>) {
    let reason = match context.log_in(login) {
        Ok(()) => return context.send_json(&messages::logged_in(action)),
        Err(rejection) => rejection.reason,
    };
    context.send_json(&messages::login_rejection(action, &login.key));
    if let Some(reason) = &reason {
        context.add_reason("access failed", reason);
    }
    context.close_with_reason(reason);
}
