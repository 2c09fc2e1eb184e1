//! A recorder of spans and events, and the tables of `docs/observability.md` to compare with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const DOCUMENT: &str = include_str!("../../../../docs/observability.md");

/// The section that lists the fields of events.
pub(crate) const EVENTS: &str = "Events";

/// Returns the cells of the table in a section, without its header.
pub(crate) fn rows(section: &str) -> Vec<Vec<String>> {
    let heading = format!("\n## {section}\n");
    let (_, text) = DOCUMENT.split_once(&heading).unwrap_or_else(|| panic!("no {section}"));
    let text = text.split("\n## ").next().unwrap_or_default();
    let rows: Vec<Vec<String>> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().into()).collect())
        .collect();
    assert!(!rows.is_empty(), "{section} has no table");
    rows
}

/// Returns the words in backticks.
pub(crate) fn code(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Returns the documented fields of each span and of events.
pub(crate) fn documented_fields() -> BTreeMap<String, BTreeSet<String>> {
    let fields = |section: &str| rows(section).iter().flat_map(|row| code(&row[0])).collect();
    let span = |name: &str| (name.to_owned(), fields(&format!("Span `{name}`")));
    let spans = [span("bitmart.rest.call"), span("bitmart.ws.connection")];
    spans.into_iter().chain([(EVENTS.to_owned(), fields(EVENTS))]).collect()
}

/// Records the fields of all spans and events.
#[derive(Clone, Default)]
pub(crate) struct SpanRecorder(Arc<Shared>);

#[derive(Default)]
struct Shared {
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    text: String,
    /// Names of spans of this library.
    spans: HashMap<u64, &'static str>,
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Fields of this library that were recorded as `Debug` text.
    debug_fields: BTreeSet<String>,
}

impl SpanRecorder {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn text(&self) -> String {
        self.state().text.clone()
    }

    /// Returns the fields with a value, by span.
    pub(crate) fn fields(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.state().fields.clone()
    }

    /// Returns the fields that were recorded neither as a number nor as a string.
    pub(crate) fn debug_fields(&self) -> BTreeSet<String> {
        self.state().debug_fields.clone()
    }
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("bitmart_")
}

/// Records the values of one span or event.
struct Values<'a> {
    state: &'a mut State,
    /// The span, or [`EVENTS`]; `None` for other libraries.
    scope: Option<&'static str>,
}

impl Values<'_> {
    fn add(&mut self, field: &Field, value: &dyn Debug) {
        let _ = writeln!(self.state.text, "{field}={value:?}");
        if let Some(scope) = self.scope.filter(|_| field.name() != "message") {
            self.state.fields.entry(scope.to_owned()).or_default().insert(field.name().to_owned());
        }
    }
}

impl Visit for Values<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.scope.is_some() {
            self.state.debug_fields.insert(field.name().to_owned());
        }
        self.add(field, value);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, &value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, &value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, &value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, &value);
    }
}

impl Subscriber for SpanRecorder {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut state = self.state();
        let scope = is_own(attributes.metadata()).then(|| attributes.metadata().name());
        state.spans.extend(scope.map(|scope| (id, scope)));
        attributes.record(&mut Values { state: &mut state, scope });
        Id::from_u64(id)
    }
    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut state = self.state();
        let scope = state.spans.get(&id.into_u64()).copied();
        values.record(&mut Values { state: &mut state, scope });
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut state = self.state();
        let scope = is_own(event.metadata()).then_some(EVENTS);
        event.record(&mut Values { state: &mut state, scope });
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
