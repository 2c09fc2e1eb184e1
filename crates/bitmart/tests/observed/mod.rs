//! What the tests of spans, events and figures share: the tables of the documentation, and a listener.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{Debug, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const DOCUMENT: &str = include_str!("../../../../docs/observability.md");

/// The name under which fields of events are listed.
pub(crate) const EVENTS: &str = "Events";

/// The columns of the rows of a section, without those of its head.
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

/// The words in backticks.
pub(crate) fn code(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The fields of the spans, by their names, and of events.
pub(crate) fn documented_fields() -> BTreeMap<String, BTreeSet<String>> {
    let fields = |section: &str| rows(section).iter().flat_map(|row| code(&row[0])).collect();
    let span = |name: &str| (name.to_owned(), fields(&format!("Span `{name}`")));
    let spans = [span("bitmart.rest.call"), span("bitmart.ws.connection")];
    spans.into_iter().chain([(EVENTS.to_owned(), fields(EVENTS))]).collect()
}

/// Writes down the fields of all spans and events, and which of ours there were.
#[derive(Clone, Default)]
pub(crate) struct Notes(Arc<Shared>);

#[derive(Default)]
struct Shared {
    next: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    text: String,
    /// Names of open spans of this library.
    spans: HashMap<u64, &'static str>,
    fields: BTreeMap<String, BTreeSet<String>>,
    /// Fields of ours that came as a `Debug` text.
    texts: BTreeSet<String>,
}

impl Notes {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn text(&self) -> String {
        self.state().text.clone()
    }

    /// Fields with a value, by span.
    pub(crate) fn fields(&self) -> BTreeMap<String, BTreeSet<String>> {
        self.state().fields.clone()
    }

    /// Fields that came neither as a number nor as a plain text.
    pub(crate) fn texts(&self) -> BTreeSet<String> {
        self.state().texts.clone()
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with("bitmart_")
}

/// Where the values of one record go.
struct Values<'a> {
    state: &'a mut State,
    /// The span, or the events; `None` for those of other libraries.
    of: Option<&'static str>,
}

impl Values<'_> {
    fn note(&mut self, field: &Field, value: &dyn Debug) {
        let _ = writeln!(self.state.text, "{field}={value:?}");
        if let Some(of) = self.of.filter(|_| field.name() != "message") {
            self.state.fields.entry(of.to_owned()).or_default().insert(field.name().to_owned());
        }
    }
}

impl Visit for Values<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if self.of.is_some() {
            self.state.texts.insert(field.name().to_owned());
        }
        self.note(field, value);
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.note(field, &value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.note(field, &value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.note(field, &value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.note(field, &value);
    }
}

impl Subscriber for Notes {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let id = self.0.next.fetch_add(1, Ordering::Relaxed) + 1;
        let mut state = self.state();
        let of = is_ours(attributes.metadata()).then(|| attributes.metadata().name());
        state.spans.extend(of.map(|of| (id, of)));
        attributes.record(&mut Values { state: &mut state, of });
        Id::from_u64(id)
    }
    fn record(&self, id: &Id, values: &Record<'_>) {
        let mut state = self.state();
        let of = state.spans.get(&id.into_u64()).copied();
        values.record(&mut Values { state: &mut state, of });
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut state = self.state();
        let of = is_ours(event.metadata()).then_some(EVENTS);
        event.record(&mut Values { state: &mut state, of });
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
