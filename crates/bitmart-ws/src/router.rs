//! Routes the events of a connection to its subscribers.
//!
//! A frame names its channel. The subscribers of one channel and one event type share a
//! [`Dispatcher`], which decodes each frame once.

mod dispatcher;
mod sink;
#[cfg(test)]
mod tests;

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::dialect::Market;
use crate::error::Error;
use crate::event::{DecodeError, Event};
use crate::observe::Metrics;
use crate::session::SessionEvent;
use crate::topic;

use dispatcher::{AnyDispatcher, Dispatcher, LifecycleEvent};

pub(crate) use dispatcher::{AckTarget, Subscriber, SubscriberId};
pub(crate) use sink::UpdateSink;

/// All subscribers of one connection.
pub(crate) struct Router {
    market: Market,
    /// By channel, one for each event type.
    dispatchers: HashMap<Box<str>, Vec<Box<dyn AnyDispatcher>>>,
    topics: BTreeMap<Arc<str>, TopicSubscribers>,
    /// Subscribers whose queue has ended, until [`take_ended`](Self::take_ended) returns them.
    ended: Vec<SubscriberId>,
    metrics: Metrics,
}

/// The subscribers of one topic.
#[derive(Debug, Default)]
struct TopicSubscribers {
    count: u32,
    /// Since the first of its subscribers was added, the topic was acknowledged or its first data arrived. Until then
    /// they receive no events.
    confirmed: bool,
}

impl Router {
    pub(crate) fn new(market: Market) -> Self {
        Self {
            market,
            dispatchers: HashMap::new(),
            topics: BTreeMap::new(),
            ended: Vec::new(),
            metrics: Metrics::default(),
        }
    }

    /// Whether there are no subscribers.
    pub(crate) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// How many updates the longest queue of its subscribers has.
    pub(crate) fn queued(&self) -> usize {
        let dispatchers = self.dispatchers.values().flatten();
        dispatchers.map(|dispatcher| dispatcher.queued()).max().unwrap_or(0)
    }

    /// Counts decode errors with these metrics.
    pub(crate) fn metrics(self, metrics: Metrics) -> Self {
        Self { metrics, ..self }
    }

    pub(crate) fn add<T: Event>(&mut self, subscriber: Subscriber<T>) {
        let topic = subscriber.topic.clone();
        let topic_subscribers = self.topics.entry(topic.clone()).or_default();
        topic_subscribers.count += 1;
        topic_subscribers.confirmed |= subscriber.ack_target.is_none();
        let dispatchers =
            self.dispatchers.entry(dispatch_key(self.market, &topic).into()).or_default();
        let index =
            dispatchers.iter().position(|dispatcher| dispatcher.event_type() == TypeId::of::<T>());
        let index = index.unwrap_or_else(|| {
            dispatchers.push(Box::new(Dispatcher::<T>::new(self.metrics.clone())));
            dispatchers.len() - 1
        });
        let dispatcher = dispatchers[index].as_any_mut().downcast_mut::<Dispatcher<T>>();
        if let Some(dispatcher) = dispatcher {
            dispatcher.add(subscriber);
        }
    }

    /// Removes a subscriber. Returns its topic if it was the last one of it.
    pub(crate) fn remove(&mut self, id: SubscriberId) -> Option<Arc<str>> {
        // Searched, because subscribers leave rarely and there are thousands of them to remember.
        let mut dispatchers = self.dispatchers.values_mut().flatten();
        let topic = dispatchers.find_map(|dispatcher| dispatcher.remove(id))?;
        let key = dispatch_key(self.market, &topic);
        if let Some(dispatchers) = self.dispatchers.get_mut(key) {
            dispatchers.retain(|dispatcher| !dispatcher.is_empty());
            if dispatchers.is_empty() {
                self.dispatchers.remove(key);
            }
        }
        let topic_subscribers = self.topics.get_mut(&topic)?;
        topic_subscribers.count -= 1;
        if topic_subscribers.count > 0 {
            return None;
        }
        self.topics.remove(&topic);
        Some(topic)
    }

    /// Decodes one data frame and delivers its events. `frame_name` is its `"table"` or `"group"`. Returns `false` if
    /// it is not JSON. A frame that no subscriber receives, as after the end of the last one or of an unknown channel,
    /// is only counted.
    pub(crate) fn dispatch(&mut self, frame_name: &str, text: &str) -> bool {
        let (mut readable, mut is_routed) = (true, false);
        let ended = &mut self.ended;
        let every_symbol = |_: &str| true;
        match self.market {
            Market::Spot => {
                // Some documented frames carry the symbol behind the table.
                let (table, symbol) = topic::split(frame_name);
                for dispatcher in self.dispatchers.get_mut(table).into_iter().flatten() {
                    is_routed = true;
                    readable &= dispatcher.dispatch(text, symbol, &every_symbol, ended);
                }
                let all_pairs = topic::all_pairs_channel(table);
                let topics = &self.topics;
                // Before its acknowledgement a topic receives nothing, and takes nothing from others.
                let has_no_own_topic = |symbol: &str| {
                    all_pairs.is_some_and(|all_pairs| {
                        topic::takes_event(all_pairs, table, Some(symbol), |topic| {
                            topics
                                .get(topic)
                                .is_some_and(|topic_subscribers| topic_subscribers.confirmed)
                        })
                    })
                };
                let all_pairs = all_pairs.and_then(|all_pairs| self.dispatchers.get_mut(all_pairs));
                for dispatcher in all_pairs.into_iter().flatten() {
                    is_routed = true;
                    readable &= dispatcher.dispatch(text, symbol, &has_no_own_topic, ended);
                }
            }
            Market::Futures => {
                if let Some(dispatchers) = self.dispatchers.get_mut(frame_name) {
                    for dispatcher in dispatchers {
                        readable &= dispatcher.dispatch(text, None, &every_symbol, ended);
                    }
                    return readable;
                }
                // Observed: a group may carry another `@…` suffix than was subscribed.
                let similar = self
                    .dispatchers
                    .iter_mut()
                    .filter(|(topic, _)| topic::may_arrive_in(topic, frame_name));
                for dispatcher in similar.flat_map(|(_, dispatchers)| dispatchers) {
                    is_routed = true;
                    readable &= dispatcher.dispatch(text, None, &every_symbol, ended);
                }
            }
        }
        if !is_routed {
            self.metrics.unrouted();
        }
        readable
    }

    /// Reports an unreadable frame to every subscriber.
    pub(crate) fn malformed(&mut self, error: DecodeError) {
        self.notify_all(&LifecycleEvent::Malformed(error));
    }

    /// Reports lost events to every subscriber.
    pub(crate) fn lagged(&mut self, missed: u64) {
        self.notify_all(&LifecycleEvent::Lagged(missed));
    }

    /// Passes an event of the session on to the subscribers that it concerns.
    pub(crate) fn session_event(&mut self, event: SessionEvent) {
        match event {
            SessionEvent::Subscribed { topic } => {
                self.confirmed(&topic, &LifecycleEvent::Subscribed);
            }
            SessionEvent::Resynced { topic } => self.confirmed(&topic, &LifecycleEvent::Resynced),
            SessionEvent::RequestRejected { topic, rejection } => {
                self.notify(&topic, &LifecycleEvent::RequestRejected(rejection));
            }
            SessionEvent::Rejected { topic, rejection } => {
                let error = Error::rejected(&topic, rejection);
                self.notify(&topic, &LifecycleEvent::End(error));
            }
            SessionEvent::LoginRejected { rejection } => {
                self.end(&Error::login_rejected(rejection));
            }
            SessionEvent::Stale { since } => self.notify_all(&LifecycleEvent::Stale(since)),
            SessionEvent::Alive => self.notify_all(&LifecycleEvent::Alive),
            SessionEvent::Reconnecting { reason } => {
                self.notify_all(&LifecycleEvent::Reconnecting(reason));
            }
            SessionEvent::Unsubscribed { .. } => {}
        }
    }

    /// Ends every subscriber with this error.
    pub(crate) fn end(&mut self, error: &Error) {
        self.notify_all(&LifecycleEvent::End(error.clone()));
    }

    /// Returns the subscribers that have ended. The caller must remove them.
    pub(crate) fn take_ended(&mut self) -> Vec<SubscriberId> {
        std::mem::take(&mut self.ended)
    }

    fn notify(&mut self, topic: &str, event: &LifecycleEvent) {
        let key = dispatch_key(self.market, topic);
        for dispatcher in self.dispatchers.get_mut(key).into_iter().flatten() {
            dispatcher.notify(Some(topic), event, &mut self.ended);
        }
    }

    fn confirmed(&mut self, topic: &str, event: &LifecycleEvent) {
        if let Some(topic_subscribers) = self.topics.get_mut(topic) {
            topic_subscribers.confirmed = true;
        }
        self.notify(topic, event);
    }

    fn notify_all(&mut self, event: &LifecycleEvent) {
        for dispatcher in self.dispatchers.values_mut().flatten() {
            dispatcher.notify(None, event, &mut self.ended);
        }
    }
}

/// The key of a topic's dispatchers. A spot frame names its table without the symbol; a futures frame
/// repeats the topic.
fn dispatch_key(market: Market, topic: &str) -> &str {
    match market {
        Market::Spot => topic::split(topic).0,
        Market::Futures => topic,
    }
}
