//! Captures what a process logs, formats and prints in panics, to search it for secrets.
//!
//! The captured text belongs to the process, as the global `tracing` subscriber, the `log` logger and
//! the panic hook do. A test binary that uses it should contain few other tests.

use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::SetGlobalDefaultError;
use tracing::{Event, Metadata, Subscriber};

static CAPTURED: Mutex<String> = Mutex::new(String::new());

/// Adds a line of text.
pub fn record(text: impl AsRef<str>) {
    let mut captured = CAPTURED.lock().unwrap_or_else(PoisonError::into_inner);
    captured.push_str(text.as_ref());
    captured.push('\n');
}

/// Adds both `Debug` forms of a value.
pub fn record_debug(value: &impl Debug) {
    record(format!("{value:?}"));
    record(format!("{value:#?}"));
}

/// Adds an error and its sources, in their `Display` and `Debug` forms.
pub fn record_error(error: &(dyn Error + 'static)) {
    for error in std::iter::successors(Some(error), |&error| error.source()) {
        record(format!("{error} {error:?} {error:#?}"));
    }
}

/// Returns everything captured so far.
pub fn contents() -> String {
    CAPTURED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Captures all spans and events of `tracing`, at every level.
///
/// # Errors
/// The process has another global subscriber.
pub fn capture_tracing() -> Result<(), SetGlobalDefaultError> {
    tracing::subscriber::set_global_default(Capture)
}

/// Captures all records of `log`, at every level.
///
/// # Errors
/// The process has another logger.
pub fn capture_log() -> Result<(), log::SetLoggerError> {
    log::set_logger(&Capture)?;
    log::set_max_level(log::LevelFilter::Trace);
    Ok(())
}

/// Replaces the panic hook by one that captures the messages of panics.
pub fn capture_panics() {
    std::panic::set_hook(Box::new(|panic| record(format!("{panic} {panic:?}"))));
}

/// The subscriber of `tracing` and the logger of `log`.
struct Capture;

/// The fields of a span or event as text.
struct Fields(String);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a string does not fail.
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Capture {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields(format!("span of {}:", attributes.metadata().target()));
        attributes.record(&mut fields);
        record(fields.0);
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut fields = Fields(String::new());
        values.record(&mut fields);
        record(fields.0);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields(format!("event of {}:", event.metadata().target()));
        event.record(&mut fields);
        record(fields.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, entry: &log::Record<'_>) {
        record(format!("log of {}: {}", entry.target(), entry.args()));
    }
    fn flush(&self) {}
}
