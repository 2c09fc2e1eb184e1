//! Connections and their subscriptions.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use bitmart_sim::AccountId;
use serde_json::Value;
use smol_str::SmolStr;
use tokio::time::Instant;

use super::subscriber::{Output, Queued, Subscriber};
use crate::{generated::channels::ChannelId, journal::EntryNumber, wire::topic::Topic};

/// The id of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SocketId(u64);

impl SocketId {
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

#[derive(Debug)]
struct Socket {
    /// `None` without a login.
    account: Option<AccountId>,
    subscriber: Box<dyn Subscriber>,
    /// The command that has caused its last output.
    command: u64,
    topics: BTreeSet<Topic>,
    /// The moment of its connection, or at which its last topic was unsubscribed. Not used while it has topics.
    idle_since: Instant,
}

/// The subscribers of a topic, and the last pushed values.
#[derive(Debug, Default)]
struct TopicState {
    sockets: BTreeSet<SocketId>,
    /// The last pushed values: one, or one for each frame of a push.
    last: Vec<Value>,
}

/// All connections and subscriptions of both hosts.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    /// The number of the latest connection.
    last_id: u64,
    sockets: HashMap<SocketId, Socket>,
    topics: BTreeMap<Topic, TopicState>,
    /// Number of the current command or step of the feed.
    command: u64,
    /// The last entry of the journal. Outputs may report its outcome.
    pub(super) last_entry: EntryNumber,
}

impl Subscriptions {
    /// The number of connections.
    pub(crate) fn sockets(&self) -> usize {
        self.sockets.len()
    }

    pub(crate) fn add_socket(&mut self, subscriber: Box<dyn Subscriber>) -> SocketId {
        self.last_id += 1;
        let id = SocketId(self.last_id);
        let (topics, idle_since) = (BTreeSet::new(), Instant::now());
        let command = self.command;
        self.sockets.insert(id, Socket { account: None, subscriber, command, topics, idle_since });
        id
    }

    /// Removes a connection and drops its subscriber.
    pub(crate) fn remove_socket(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(&id) else { return };
        for topic in &socket.topics {
            self.remove_from_topic(id, topic);
        }
    }

    fn remove_from_topic(&mut self, id: SocketId, topic: &Topic) {
        if let Some(topic_state) = self.topics.get_mut(topic) {
            topic_state.sockets.remove(&id);
            if topic_state.sockets.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    pub(crate) fn log_in(&mut self, id: SocketId, account: AccountId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.account = Some(account);
        }
    }

    pub(crate) fn account(&self, id: SocketId) -> Option<AccountId> {
        self.sockets.get(&id)?.account
    }

    pub(crate) fn topic_count(&self, id: SocketId) -> usize {
        self.sockets.get(&id).map_or(0, |socket| socket.topics.len())
    }

    /// Since when the connection has had no subscription; `None` while it has one. BitMart's Python client waits 5 s
    /// after a login before it subscribes, so a login counts like a subscription.
    pub(crate) fn idle_since(&self, id: SocketId) -> Option<Instant> {
        let socket = self.sockets.get(&id)?;
        let is_idle = socket.topics.is_empty() && socket.account.is_none();
        is_idle.then_some(socket.idle_since)
    }

    /// Subscribes to a topic. Returns false if it was subscribed already.
    pub(crate) fn subscribe(&mut self, id: SocketId, topic: &Topic) -> bool {
        let Some(socket) = self.sockets.get_mut(&id) else { return false };
        self.topics.entry(topic.clone()).or_default().sockets.insert(id);
        socket.topics.insert(topic.clone())
    }

    /// Unsubscribes from a topic. Returns false if it was not subscribed.
    pub(crate) fn unsubscribe(&mut self, id: SocketId, topic: &Topic) -> bool {
        let Some(socket) = self.sockets.get_mut(&id) else { return false };
        let was_subscribed = socket.topics.remove(topic);
        if was_subscribed && socket.topics.is_empty() {
            socket.idle_since = Instant::now();
        }
        self.remove_from_topic(id, topic);
        was_subscribed
    }

    /// Begins the outputs of a command or of a step of the feed.
    pub(super) fn begin_command(&mut self) {
        self.command += 1;
    }

    /// Sends an output to a connection, which is removed if its queue is full.
    pub(crate) fn send(&mut self, id: SocketId, output: Output) {
        self.begin_command();
        self.push(id, output);
    }

    /// Sends one of the outputs of a command to a connection, which is removed if its queue was full before.
    pub(super) fn push(&mut self, id: SocketId, output: Output) {
        let Some(socket) = self.sockets.get_mut(&id) else { return };
        let is_first = std::mem::replace(&mut socket.command, self.command) != self.command;
        if !socket.subscriber.send(Queued { after: self.last_entry, output }, is_first) {
            self.remove_socket(id);
        }
    }

    /// Sends an output to a connection after a delay.
    pub(super) fn send_late(&self, id: SocketId, output: Output, delay: Duration) {
        if let Some(socket) = self.sockets.get(&id) {
            socket.subscriber.send_late(Queued { after: self.last_entry, output }, delay);
        }
    }

    pub(crate) fn send_json(&mut self, id: SocketId, value: &Value) {
        self.send(id, Output::Text(value.to_string().into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The subscribed topics, sorted.
    pub(super) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.keys()
    }

    /// The connections that receive a push to a topic; of a private topic, only those of `account`.
    pub(super) fn recipients(&self, topic: &Topic, account: Option<AccountId>) -> Vec<SocketId> {
        let Some(topic_state) = self.topics.get(topic) else { return Vec::new() };
        let ids = topic_state.sockets.iter().copied();
        ids.filter(|id| account.is_none() || self.account(*id) == account).collect()
    }

    /// The subscribed topics of a channel for a symbol, and those for all symbols.
    pub(super) fn topics_for(&self, channel: ChannelId, symbol: &SmolStr) -> Vec<Topic> {
        let topics_for = |symbol: SmolStr| {
            let from = Topic::first_of(channel, symbol.clone());
            let same = move |topic: &&Topic| topic.channel == channel && topic.symbol == symbol;
            self.topics.range(from..).map(|row| row.0).take_while(same)
        };
        let all = topics_for(SmolStr::default());
        if symbol.is_empty() {
            all.cloned().collect()
        } else {
            all.chain(topics_for(symbol.clone())).cloned().collect()
        }
    }

    /// Replaces the last pushed values of a topic, and returns the values that changed.
    pub(super) fn changed(&mut self, topic: &Topic, values: Vec<Value>) -> Vec<Value> {
        let Some(topic_state) = self.topics.get_mut(topic) else { return Vec::new() };
        let last = std::mem::replace(&mut topic_state.last, values.clone());
        let rows = values.into_iter().enumerate();
        rows.filter(|(at, value)| last.get(*at) != Some(value)).map(|(_, value)| value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generated::Host, wire::topic};

    #[derive(Debug)]
    struct NullSubscriber;

    impl Subscriber for NullSubscriber {
        fn send(&mut self, _: Queued, _: bool) -> bool {
            true
        }

        fn send_late(&self, _: Queued, _: Duration) {}
    }

    #[test]
    fn a_socket_is_idle_since_its_last_unsubscription() {
        let mut subscriptions = Subscriptions::default();
        let id = subscriptions.add_socket(Box::new(NullSubscriber));
        let joined = subscriptions.idle_since(id).expect("nothing is subscribed");
        let topic = topic::parse(Host::Spot, "spot/trade:BTC_USDT").expect("a topic");
        subscriptions.subscribe(id, &topic);
        assert_eq!(subscriptions.idle_since(id), None);
        let before = Instant::now();
        subscriptions.unsubscribe(id, &topic);
        let since = subscriptions.idle_since(id).expect("nothing is subscribed");
        assert!(since >= before && since >= joined);
        subscriptions.log_in(id, AccountId(1));
        assert_eq!(subscriptions.idle_since(id), None);
    }
}
