//! The connections and their subscriptions.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use bitmart_sim::AccountId;
use serde_json::Value;
use smol_str::SmolStr;
use tokio::time::Instant;

use super::subscriber::{Output, Queued, Subscriber};
use crate::{generated::channels::ChannelId, journal::Number, wire::topic::Topic};

/// Number of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SocketId(u64);

#[derive(Debug)]
struct Socket {
    account: Option<AccountId>,
    subscriber: Box<dyn Subscriber>,
    topics: BTreeSet<Topic>,
    /// When it began to have no topic; means nothing while it has one.
    idle_since: Instant,
}

/// The subscribers of a topic, and the values that were pushed last.
#[derive(Debug, Default)]
struct Subscribed {
    sockets: BTreeSet<SocketId>,
    last: Vec<Value>,
}

/// All connections and subscriptions of both hosts.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    next: u64,
    sockets: HashMap<SocketId, Socket>,
    topics: BTreeMap<Topic, Subscribed>,
    /// The latest input, whose outcome an output may report.
    pub(super) latest: Number,
}

impl Subscriptions {
    /// The number of connections.
    pub(crate) fn sockets(&self) -> usize {
        self.sockets.len()
    }

    pub(crate) fn join(&mut self, subscriber: Box<dyn Subscriber>) -> SocketId {
        self.next += 1;
        let id = SocketId(self.next);
        let (topics, idle_since) = (BTreeSet::new(), Instant::now());
        self.sockets.insert(id, Socket { account: None, subscriber, topics, idle_since });
        id
    }

    /// Removes a connection and drops its subscriber.
    pub(crate) fn leave(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(&id) else { return };
        for topic in &socket.topics {
            self.unlist(id, topic);
        }
    }

    fn unlist(&mut self, id: SocketId, topic: &Topic) {
        if let Some(subscribed) = self.topics.get_mut(topic) {
            subscribed.sockets.remove(&id);
            if subscribed.sockets.is_empty() {
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

    /// Since when nothing is subscribed; none while something is. BitMart's Python client waits 5 s
    /// after a login before it subscribes, so a login counts like a subscription.
    pub(crate) fn idle_since(&self, id: SocketId) -> Option<Instant> {
        let socket = self.sockets.get(&id)?;
        let is_idle = socket.topics.is_empty() && socket.account.is_none();
        is_idle.then_some(socket.idle_since)
    }

    /// False if it was subscribed already.
    pub(crate) fn subscribe(&mut self, id: SocketId, topic: &Topic) -> bool {
        let Some(socket) = self.sockets.get_mut(&id) else { return false };
        self.topics.entry(topic.clone()).or_default().sockets.insert(id);
        socket.topics.insert(topic.clone())
    }

    /// False if it was not subscribed.
    pub(crate) fn unsubscribe(&mut self, id: SocketId, topic: &Topic) -> bool {
        let Some(socket) = self.sockets.get_mut(&id) else { return false };
        let was = socket.topics.remove(topic);
        if was && socket.topics.is_empty() {
            socket.idle_since = Instant::now();
        }
        self.unlist(id, topic);
        was
    }

    /// Sends something to a connection; removes it if it cannot take any more.
    pub(crate) fn send(&mut self, id: SocketId, output: Output) {
        let Some(socket) = self.sockets.get(&id) else { return };
        if !socket.subscriber.send(Queued { after: self.latest, output }) {
            self.leave(id);
        }
    }

    /// Sends something to a connection after a delay.
    pub(super) fn send_late(&self, id: SocketId, output: Output, delay: Duration) {
        if let Some(socket) = self.sockets.get(&id) {
            socket.subscriber.send_late(Queued { after: self.latest, output }, delay);
        }
    }

    pub(crate) fn send_json(&mut self, id: SocketId, value: &Value) {
        self.send(id, Output::Text(value.to_string().into()));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// The topics with subscriptions, in their order.
    pub(super) fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.topics.keys()
    }

    /// The connections that a push to a topic goes to; of a private one, those of the account.
    pub(super) fn recipients(&self, topic: &Topic, account: Option<AccountId>) -> Vec<SocketId> {
        let Some(subscribed) = self.topics.get(topic) else { return Vec::new() };
        let ids = subscribed.sockets.iter().copied();
        ids.filter(|id| account.is_none() || self.account(*id) == account).collect()
    }

    /// The topics of a channel that are about a symbol, or about all.
    pub(super) fn about(&self, channel: ChannelId, symbol: &SmolStr) -> Vec<Topic> {
        let about = |symbol: SmolStr| {
            let from = Topic::first_of(channel, symbol.clone());
            let same = move |topic: &&Topic| topic.channel == channel && topic.symbol == symbol;
            self.topics.range(from..).map(|row| row.0).take_while(same)
        };
        let all = about(SmolStr::default());
        if symbol.is_empty() {
            all.cloned().collect()
        } else {
            all.chain(about(symbol.clone())).cloned().collect()
        }
    }

    /// Replaces the last values of a topic; returns those that differ.
    pub(super) fn changed(&mut self, topic: &Topic, values: Vec<Value>) -> Vec<Value> {
        let Some(subscribed) = self.topics.get_mut(topic) else { return Vec::new() };
        let last = std::mem::replace(&mut subscribed.last, values.clone());
        let rows = values.into_iter().enumerate();
        rows.filter(|(at, value)| last.get(*at) != Some(value)).map(|(_, value)| value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generated::Host, wire::topic};

    #[derive(Debug)]
    struct Ignores;

    impl Subscriber for Ignores {
        fn send(&self, _: Queued) -> bool {
            true
        }

        fn send_late(&self, _: Queued, _: Duration) {}
    }

    #[test]
    fn a_socket_is_idle_from_its_last_unsubscription_on() {
        let mut subscriptions = Subscriptions::default();
        let id = subscriptions.join(Box::new(Ignores));
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
