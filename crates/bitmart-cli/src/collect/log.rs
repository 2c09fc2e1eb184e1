//! Warnings and errors of the collector on stderr, one line each.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Only what the crates of this project report: other crates may write addresses.
const TARGET: &str = "bitmart";

struct Log;

/// From now on warnings and errors are printed.
pub(super) fn start() {
    // Fails if the program has another subscriber, which prints them then.
    let _ = tracing::subscriber::set_global_default(Log);
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN
            && metadata.is_event()
            && metadata.target().starts_with(TARGET)
    }

    fn event(&self, event: &Event<'_>) {
        eprintln!("{}", line(event));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn line(event: &Event<'_>) -> String {
    let level = match *event.metadata().level() {
        Level::ERROR => "error",
        _ => "warning",
    };
    let mut text = Text::default();
    event.record(&mut text);
    let Text { message, fields } = text;
    // Whatever the other side has sent stays on its line.
    let line = format!("{level}: {message}{fields}");
    line.replace(|character: char| character.is_control(), " ")
}

#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Collects what [`Log`] would print.
    struct Lines(Arc<Mutex<Vec<String>>>);

    impl Subscriber for Lines {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            Log.enabled(metadata)
        }

        fn event(&self, event: &Event<'_>) {
            self.0.lock().expect("no panic").push(line(event));
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            Log.new_span(span)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn warnings_and_errors_of_the_project_are_lines() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        tracing::subscriber::with_default(Lines(lines.clone()), || {
            tracing::error!(target: "bitmart_fleet", topic = "t", "not subscribed: {}", "a\nb");
            tracing::warn!(target: "bitmart_ws", "slow");
            tracing::info!(target: "bitmart_fleet", "no warning");
            tracing::warn!(target: "async_nats", "nats://secret@host");
        });
        let lines = lines.lock().expect("no panic");
        assert_eq!(*lines, ["error: not subscribed: a b topic=\"t\"", "warning: slow"]);
    }
}
