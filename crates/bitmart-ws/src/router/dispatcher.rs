//! The subscribers of one channel that share an event type.

use std::any::{Any, TypeId};
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::error::Error;
use crate::event::{DecodeError, DecodeErrorKind, Event};
use crate::observe::Metrics;
use crate::reason::{ReconnectReason, Rejection};
use crate::router::UpdateSink;
use crate::topic;
use crate::update::Update;

/// Identifies a subscriber on its connection.
pub(crate) type SubscriberId = u64;

/// The driver's end of one subscription.
#[derive(Debug)]
pub(crate) struct Subscriber<T> {
    pub(crate) id: SubscriberId,
    pub(crate) topic: Arc<str>,
    pub(crate) sink: UpdateSink<T>,
    /// Where to report the acknowledgement; `None` once it has arrived.
    pub(crate) ack_target: Option<AckTarget>,
}

/// Where the acknowledgement or rejection of a topic is reported.
#[derive(Debug)]
pub(crate) enum AckTarget {
    /// To the pending call of `subscribe`.
    Caller(oneshot::Sender<Result<(), Error>>),
    /// In the stream.
    Stream,
}

/// A change in the life of subscriptions, whatever their event type.
#[derive(Debug)]
pub(super) enum LifecycleEvent {
    Subscribed,
    Resynced,
    Reconnecting(ReconnectReason),
    Stale(Instant),
    Alive,
    Lagged(u64),
    RequestRejected(Rejection),
    /// A frame could not be read. Which topic it belongs to is unknown.
    Malformed(DecodeError),
    End(Error),
}

impl<T> Subscriber<T> {
    /// Returns `false` if the subscription has ended.
    fn notify(&mut self, event: &LifecycleEvent) -> bool {
        let update = match event {
            LifecycleEvent::Subscribed | LifecycleEvent::Resynced if self.ack_target.is_some() => {
                if let Some(AckTarget::Caller(sender)) = self.ack_target.take() {
                    // A canceled caller has also dropped the reader.
                    let _ = sender.send(Ok(()));
                }
                Update::Subscribed
            }
            // Repeated for another subscription to the same topic.
            LifecycleEvent::Subscribed => return true,
            LifecycleEvent::Resynced => Update::Resynced,
            LifecycleEvent::Reconnecting(reason) => Update::Reconnecting(reason.clone()),
            LifecycleEvent::Stale(since) => Update::Stale(*since),
            LifecycleEvent::Alive => Update::Alive,
            LifecycleEvent::Malformed(_) | LifecycleEvent::Lagged(_)
                if self.ack_target.is_some() =>
            {
                return true;
            }
            LifecycleEvent::Lagged(missed) => Update::Lagged(*missed),
            LifecycleEvent::Malformed(error) => Update::Malformed(error.clone()),
            LifecycleEvent::RequestRejected(rejection) => {
                Update::RequestRejected(rejection.clone())
            }
            LifecycleEvent::End(error) => {
                match self.ack_target.take() {
                    Some(AckTarget::Caller(sender)) => drop(sender.send(Err(error.clone()))),
                    Some(AckTarget::Stream) | None => self.sink.end(error.clone()),
                }
                return false;
            }
        };
        self.sink.push(update)
    }
}

/// A dispatcher with its event type erased.
pub(super) trait AnyDispatcher: Send + Sync {
    fn event_type(&self) -> TypeId;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn is_empty(&self) -> bool;
    /// How many updates the longest queue of its subscribers has.
    fn queued(&self) -> usize;
    /// Removes a subscriber and returns its topic, if it is one of these.
    fn remove(&mut self, id: SubscriberId) -> Option<Arc<str>>;
    /// Decodes the frame once and delivers the entries for whose symbol `wanted` returns `true`. An entry that
    /// contains no symbol is about `symbol`. Returns `false` if the frame is not JSON.
    fn dispatch(
        &mut self,
        text: &str,
        symbol: Option<&str>,
        wanted: &dyn Fn(&str) -> bool,
        ended: &mut Vec<SubscriberId>,
    ) -> bool;
    /// Notifies the subscribers of this topic, or all.
    fn notify(
        &mut self,
        topic: Option<&str>,
        event: &LifecycleEvent,
        ended: &mut Vec<SubscriberId>,
    );
}

pub(super) struct Dispatcher<T> {
    /// Subscribers to one symbol, by the symbol in upper case.
    by_symbol: HashMap<SymbolKey, Vec<Subscriber<T>>>,
    /// Subscribers to every symbol of the channel.
    all_symbols: Vec<Subscriber<T>>,
    /// Entries of the current frame, kept to reuse the allocation.
    entries: Vec<T>,
    metrics: Metrics,
}

impl<T: Event> Dispatcher<T> {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { by_symbol: HashMap::new(), all_symbols: Vec::new(), entries: Vec::new(), metrics }
    }

    pub(super) fn add(&mut self, subscriber: Subscriber<T>) {
        match SymbolKey::of_topic(&subscriber.topic) {
            // Most symbols have one subscriber.
            Some(symbol) => self
                .by_symbol
                .entry(symbol)
                .or_insert_with(|| Vec::with_capacity(1))
                .push(subscriber),
            None => self.all_symbols.push(subscriber),
        }
    }

    fn deliver(
        &self,
        update: Update<T>,
        recipients: &Recipients<'_, T>,
        ended: &mut Vec<SubscriberId>,
    ) {
        match recipients {
            Recipients::Nobody => {}
            Recipients::OfSymbol(subscribers) => {
                push_to_each(update, subscribers.iter().chain(&self.all_symbols), ended);
            }
            Recipients::Everybody => {
                let of_symbols = self.by_symbol.values().flatten();
                push_to_each(update, of_symbols.chain(&self.all_symbols), ended);
            }
        }
    }

    fn recipients(&self, symbol: Option<&str>, wanted: &dyn Fn(&str) -> bool) -> Recipients<'_, T> {
        match symbol {
            Some(symbol) if !wanted(symbol) => Recipients::Nobody,
            Some(symbol) => {
                let mut subscribers = self.by_symbol.get(symbol);
                if subscribers.is_none() && symbol.bytes().any(|byte| byte.is_ascii_lowercase()) {
                    subscribers = self.by_symbol.get(symbol.to_ascii_uppercase().as_str());
                }
                Recipients::OfSymbol(subscribers.map_or(&[], Vec::as_slice))
            }
            // An update without a symbol concerns the whole channel.
            None => Recipients::Everybody,
        }
    }

    fn subscribers(&mut self) -> impl Iterator<Item = &mut Subscriber<T>> {
        self.by_symbol.values_mut().flatten().chain(&mut self.all_symbols)
    }
}

/// The subscribers that an update is for.
enum Recipients<'a, T> {
    Nobody,
    /// These, and the subscribers to every symbol.
    OfSymbol(&'a [Subscriber<T>]),
    Everybody,
}

/// Pushes the update to each subscriber whose topic is confirmed. All but the last get a copy.
fn push_to_each<'a, T: Event>(
    update: Update<T>,
    subscribers: impl Iterator<Item = &'a Subscriber<T>>,
    ended: &mut Vec<SubscriberId>,
) {
    let mut confirmed = subscribers.filter(|subscriber| subscriber.ack_target.is_none()).peekable();
    let mut update = Some(update);
    while let Some(subscriber) = confirmed.next() {
        let copy = if confirmed.peek().is_some() { update.clone() } else { update.take() };
        if let Some(update) = copy
            && !subscriber.sink.push(update)
        {
            ended.push(subscriber.id);
        }
    }
}

/// Takes a subscriber out of the list. The others keep their order.
fn take_subscriber<T>(
    subscribers: &mut Vec<Subscriber<T>>,
    id: SubscriberId,
) -> Option<Subscriber<T>> {
    let index = subscribers.iter().position(|subscriber| subscriber.id == id)?;
    Some(subscribers.remove(index))
}

/// The symbol of a topic, in upper case: symbols are matched without regard to case. It shares the text of the topic,
/// because there are thousands of them.
#[derive(Clone)]
struct SymbolKey(Arc<str>);

impl SymbolKey {
    /// `None` if the topic covers several symbols.
    fn of_topic(topic: &Arc<str>) -> Option<Self> {
        let symbol = topic::symbol(topic)?;
        let is_upper_case = !symbol.bytes().any(|byte| byte.is_ascii_lowercase());
        Some(Self(if is_upper_case { topic.clone() } else { topic.to_ascii_uppercase().into() }))
    }
}

impl Borrow<str> for SymbolKey {
    fn borrow(&self) -> &str {
        topic::symbol(&self.0).unwrap_or_default()
    }
}

impl Hash for SymbolKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let symbol: &str = self.borrow();
        symbol.hash(state);
    }
}

impl PartialEq for SymbolKey {
    fn eq(&self, other: &Self) -> bool {
        let (symbol, other): (&str, &str) = (self.borrow(), other.borrow());
        symbol == other
    }
}

impl Eq for SymbolKey {}

impl<T: Event> AnyDispatcher for Dispatcher<T> {
    fn event_type(&self) -> TypeId {
        TypeId::of::<T>()
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn is_empty(&self) -> bool {
        self.all_symbols.is_empty() && self.by_symbol.is_empty()
    }

    fn queued(&self) -> usize {
        let subscribers = self.by_symbol.values().flatten().chain(&self.all_symbols);
        subscribers.map(|subscriber| subscriber.sink.len()).max().unwrap_or(0)
    }

    fn remove(&mut self, id: SubscriberId) -> Option<Arc<str>> {
        if let Some(subscriber) = take_subscriber(&mut self.all_symbols, id) {
            return Some(subscriber.topic);
        }
        let mut of_symbols = self.by_symbol.iter_mut();
        let (symbol, subscriber, is_last) = of_symbols.find_map(|(symbol, subscribers)| {
            let subscriber = take_subscriber(subscribers, id)?;
            Some((symbol.clone(), subscriber, subscribers.is_empty()))
        })?;
        if is_last {
            self.by_symbol.remove(&symbol);
        }
        Some(subscriber.topic)
    }

    fn dispatch(
        &mut self,
        text: &str,
        symbol: Option<&str>,
        wanted: &dyn Fn(&str) -> bool,
        ended: &mut Vec<SubscriberId>,
    ) -> bool {
        let mut entries = std::mem::take(&mut self.entries);
        let mut readable = true;
        if T::decode(text, &mut entries).is_ok() {
            for event in entries.drain(..) {
                let recipients = self.recipients(event.symbol().or(symbol), wanted);
                self.deliver(Update::Data(event), &recipients, ended);
            }
        } else {
            entries.clear();
            let mut results = Vec::new();
            T::decode_each(text, &mut results);
            for result in results {
                match result {
                    Ok(event) => {
                        let recipients = self.recipients(event.symbol().or(symbol), wanted);
                        self.deliver(Update::Data(event), &recipients, ended);
                    }
                    Err(error) => {
                        self.metrics.decode_error(error.kind());
                        readable &= error.kind() == DecodeErrorKind::Shape;
                        let recipients = self.recipients(error.symbol().or(symbol), wanted);
                        self.deliver(Update::Malformed(error), &recipients, ended);
                    }
                }
            }
        }
        self.entries = entries;
        readable
    }

    fn notify(
        &mut self,
        topic: Option<&str>,
        event: &LifecycleEvent,
        ended: &mut Vec<SubscriberId>,
    ) {
        for subscriber in self.subscribers() {
            let is_concerned = topic.is_none_or(|topic| *subscriber.topic == *topic);
            if is_concerned && !subscriber.notify(event) {
                ended.push(subscriber.id);
            }
        }
    }
}
