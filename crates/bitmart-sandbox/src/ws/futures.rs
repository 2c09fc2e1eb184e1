//! The futures dialect: `{"action": …, "args": […]}`, acknowledgements with `success`, errors in
//! words without a code.

use serde_json::{Map, Value, json};

use super::{
    spot::{Desk, PRIVATE, PUBLIC},
    topic::{self, Channel, Topic},
};
use crate::{generated::Host, hints};

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
    pub(super) fn on_text(&self, text: &str, desk: &mut Desk<'_>) {
        let Ok(Value::Object(message)) = serde_json::from_str(text) else {
            // Observed: the bare text `ping` gets this, too.
            let words = format!("Invalid message: message must be JSON: {text}");
            return desk.feed.send_json(desk.id, &json!({ "success": false, "error": words }));
        };
        let action =
            field(&message, "action").and_then(Value::as_str).unwrap_or_default().to_owned();
        let word = |arg: &Value| match arg {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let args: Vec<String> = field(&message, "args")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(word)
            .collect();
        match action.as_str() {
            "ping" => {
                let pong = format!("pong+{}", desk.trace);
                desk.feed.send_json(desk.id, &json!({ "group": "System", "data": pong }));
            }
            // The login page says access, the format page login.
            "access" | "login" => access(&action, &args, desk),
            "subscribe" | "unsubscribe" | "request" if !args.is_empty() => {
                let echo = Value::Object(message);
                for arg in &args {
                    self.on_topic(&action, arg, &echo, desk);
                }
            }
            _ => {
                let words = format!("Invalid message: unknown action or no args: {text}");
                desk.feed.send_json(
                    desk.id,
                    &json!({ "action": action, "success": false, "error": words }),
                );
            }
        }
    }

    fn on_topic(&self, action: &str, text: &str, echo: &Value, desk: &mut Desk<'_>) {
        let topic = match self.find(text, desk) {
            Ok(topic) => topic,
            Err(mut words) => {
                if let Some(why) = self.misplaced(text) {
                    words = format!("{words}: {why}");
                    desk.explain("an error", &words);
                } else if let Some(topic) = topic::parse(Host::Futures, text)
                    && let Some(why) = hints::symbol(Host::Futures, &topic.symbol, desk.exchange)
                    && !desk.exchange.futures.contains_key(&topic.symbol)
                {
                    desk.explain("an error", why);
                }
                let refused = json!({ "action": action, "group": text, "success": false, "request": echo, "error": words });
                return desk.feed.send_json(desk.id, &refused);
            }
        };
        if action == "request" && !topic.request {
            // What the venue says is not known; silence would hide the mistake.
            let words = format!("group [{text}] answers no request");
            return desk.feed.send_json(
                desk.id,
                &json!({ "action": action, "group": text, "success": false, "request": echo, "error": words }),
            );
        }
        if action == "request" {
            return desk.feed.send_first(desk.exchange, desk.id, &topic, desk.now_ms);
        }
        // Observed: a second subscription to the same topic is acknowledged like the first.
        let fresh = action == "subscribe" && desk.feed.subscribe(desk.id, &topic);
        if action == "unsubscribe" {
            desk.feed.unsubscribe(desk.id, &topic);
        }
        let ack = json!({ "action": action, "group": text, "success": true, "request": echo });
        desk.feed.send_json(desk.id, &ack);
        if fresh {
            desk.feed.send_first(desk.exchange, desk.id, &topic, desk.now_ms);
        }
    }

    /// Why a topic cannot be had at this address.
    fn misplaced(&self, text: &str) -> Option<&'static str> {
        let topic =
            topic::parse(Host::Futures, text).filter(|topic| topic.private != self.private)?;
        Some(if topic.private { PRIVATE } else { PUBLIC })
    }

    /// The addresses are separate: each serves the topics of its own kind only.
    fn find(&self, text: &str, desk: &Desk<'_>) -> Result<Topic, String> {
        if topic::is_unserved(text) {
            return Err(format!("group [{text}] is not served by the sandbox"));
        }
        let unknown = || format!("group [{text}] not exist");
        let topic = topic::parse(Host::Futures, text).ok_or_else(unknown)?;
        if topic.private {
            // Spelling as documented.
            let known = self.private && desk.feed.account(desk.id).is_some();
            return known.then_some(topic).ok_or_else(|| format!("{text} need authenication"));
        }
        if self.private {
            return Err(unknown());
        }
        let all = topic.channel == Channel::FuturesTickers;
        let listed = all || desk.exchange.futures.contains_key(&topic.symbol);
        if !listed && !desk.feed.plays(&topic) {
            return Err(format!("Invalid channel: not found {text}"));
        }
        Ok(topic)
    }
}

/// A field by its name in any case: the venue's Go SDK logs in with `Action` and `Args`.
fn field<'a>(message: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    message.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn access(action: &str, args: &[String], desk: &mut Desk<'_>) {
    let arg = |at: usize| args.get(at).map_or("", String::as_str);
    let why = match desk.keys.login(arg(0), arg(1), arg(2), desk.clock) {
        Ok(caller) => {
            desk.feed.log_in(desk.id, caller.account);
            return desk.feed.send_json(desk.id, &json!({ "action": action, "success": true }));
        }
        Err(denied) => denied.why,
    };
    let shown: String = arg(0).chars().take(10).collect();
    let words =
        format!("access failed: openapi auth: apiKey {shown}**** failed: openapi auth failed");
    desk.feed.send_json(desk.id, &json!({ "action": action, "success": false, "error": words }));
    if let Some(why) = &why {
        desk.explain("access failed", why);
    }
    desk.close_because(why);
}
