//! The futures dialect: `{"action": …, "args": […]}`, acknowledgements with `success`, errors as texts
//! without a code.

use serde_json::{Map, Value, json};

use super::context::{SessionContext, wrong_address_hint};
use crate::{
    generated::Host,
    hints,
    wire::topic::{self, Topic},
};

/// Largest message of a client in bytes: 2,020 were seen to pass and 2,186 to close the socket.
pub(super) const MESSAGE: usize = 2_048;

/// One futures connection.
#[derive(Debug)]
pub(super) struct Session {
    private: bool,
}

impl Session {
    pub(super) fn new(private: bool) -> Self {
        Self { private }
    }

    /// Handles one text message of the client.
    pub(super) fn on_text(&self, text: &str, context: &mut SessionContext<'_>) {
        let Ok(Value::Object(message)) = serde_json::from_str(text) else {
            // Observed: the bare text `ping` gets this, too.
            let message = format!("Invalid message: message must be JSON: {text}");
            return context.send_json(&json!({ "success": false, "error": message }));
        };
        let action =
            field(&message, "action").and_then(Value::as_str).unwrap_or_default().to_owned();
        let text_of = |arg: &Value| match arg {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let args: Vec<String> = field(&message, "args")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(text_of)
            .collect();
        match action.as_str() {
            "ping" => {
                let pong = format!("pong+{}", context.trace);
                context.send_json(&json!({ "group": "System", "data": pong }));
            }
            // The login page says access, the format page login.
            "access" | "login" => access(&action, &args, context),
            "subscribe" | "unsubscribe" | "request" if !args.is_empty() => {
                let echo = Value::Object(message);
                for arg in &args {
                    self.on_topic(&action, arg, &echo, context);
                }
            }
            _ => {
                let message = format!("Invalid message: unknown action or no args: {text}");
                context.send_json(&json!({ "action": action, "success": false, "error": message }));
            }
        }
    }

    fn on_topic(&self, action: &str, text: &str, echo: &Value, context: &mut SessionContext<'_>) {
        let topic = match self.find(text, context) {
            Ok(topic) => topic,
            Err(mut message) => {
                if let Some(reason) = self.wrong_address_hint(text) {
                    message = format!("{message}: {reason}");
                    context.add_reason("an error", &message);
                } else if let Some(topic) = topic::parse(Host::Futures, text)
                    && let Some(reason) =
                        hints::symbol(Host::Futures, &topic.symbol, context.exchange)
                    && !context.exchange.futures.contains_key(&topic.symbol)
                {
                    context.add_reason("an error", reason);
                }
                let rejection = json!({ "action": action, "group": text, "success": false, "request": echo, "error": message });
                return context.send_json(&rejection);
            }
        };
        if action == "request" && !topic.request {
            // What the exchange sends is not known; silence would hide the mistake.
            let message = format!("group [{text}] answers no request");
            return context.send_json(
                &json!({ "action": action, "group": text, "success": false, "request": echo, "error": message }),
            );
        }
        if action == "request" {
            return context.send_first(&topic);
        }
        // Observed: a second subscription to the same topic is acknowledged like the first.
        let fresh = action == "subscribe" && context.subscribe(&topic);
        if action == "unsubscribe" {
            context.unsubscribe(&topic);
        }
        let ack = json!({ "action": action, "group": text, "success": true, "request": echo });
        context.send_json(&ack);
        if fresh {
            context.send_first(&topic);
        }
    }

    /// Why a topic is not served at this address.
    fn wrong_address_hint(&self, text: &str) -> Option<&'static str> {
        wrong_address_hint(&topic::parse(Host::Futures, text)?, self.private)
    }

    /// The addresses are separate: each serves the topics of its own kind only.
    fn find(&self, text: &str, context: &SessionContext<'_>) -> Result<Topic, String> {
        if topic::is_unserved(Host::Futures, text) {
            return Err(format!("group [{text}] is not served by the sandbox"));
        }
        let unknown = || format!("group [{text}] not exist");
        let topic = topic::parse(Host::Futures, text).ok_or_else(unknown)?;
        if topic.is_private() {
            // Spelling as documented.
            let known = self.private && context.is_logged_in();
            return known.then_some(topic).ok_or_else(|| format!("{text} need authenication"));
        }
        if self.private {
            return Err(unknown());
        }
        let listed =
            topic.symbol.is_empty() || context.exchange.futures.contains_key(&topic.symbol);
        if !listed && !context.feed.has_recorded(&topic) {
            return Err(format!("Invalid channel: not found {text}"));
        }
        Ok(topic)
    }
}

/// A field by its name in any case: the exchange's Go SDK logs in with `Action` and `Args`.
fn field<'a>(message: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    message.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn access(action: &str, args: &[String], context: &mut SessionContext<'_>) {
    let arg = |at: usize| args.get(at).map_or("", String::as_str);
    let reason = match context.keys.login(arg(0), arg(1), arg(2), context.clock) {
        Ok(caller) => {
            context.feed.subscriptions.log_in(context.id, caller.account);
            return context.send_json(&json!({ "action": action, "success": true }));
        }
        Err(rejection) => rejection.reason,
    };
    let shown: String = arg(0).chars().take(10).collect();
    let message =
        format!("access failed: openapi auth: apiKey {shown}**** failed: openapi auth failed");
    context.send_json(&json!({ "action": action, "success": false, "error": message }));
    if let Some(reason) = &reason {
        context.add_reason("access failed", reason);
    }
    context.close_with_reason(reason);
}
