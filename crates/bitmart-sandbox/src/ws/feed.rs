//! Who listens to what, and what is pushed when.
//!
//! Trades, orders and balances are pushed at once. Books move on every beat of 100 ms (futures
//! books every second beat), tickers and candles at most every 500 ms on spot and every second on
//! futures.

mod beat;
mod replay;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;
use serde_json::{Value, json};
use smol_str::SmolStr;
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::Instant,
};

use super::{
    deflate::Deflater,
    depth::{DepthView, Idle},
    feed::replay::Replay,
    payload::{event_payload, sampled, stamp, trades},
    render,
    topic::{Channel, HostKey, Topic},
    versions::Versions,
};
use crate::{
    exchange::{AccountId, Event, Exchange},
    fault::{Fault, Faults},
    journal::Number,
};

const FUTURES_DEPTHS: [usize; 3] = [5, 20, 50];
const SPOT_DEPTH: usize = 100;
/// Beats between two pushes of a futures book, as documented (200 ms) and as observed (about 1 s).
const FUTURES_BOOKS: u64 = 2;
const SLOW_FUTURES_BOOKS: u64 = 10;
/// No deflate: its first block says that it is of the type which does not exist.
const GARBAGE: &[u8] = b"\x07garbage";

/// Number of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SocketId(u64);

/// What a connection is told to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Out {
    Text(Bytes),
    Binary(Bytes),
    Close(u16),
    /// A close frame with a reason, of at most 123 bytes.
    CloseBecause(u16, Box<str>),
    /// Say nothing more.
    Silence,
    /// Say nothing more, and hear nothing either.
    Absence,
}

/// Something to do once an input is stored, because it tells what came of it.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) after: Number,
    pub(super) out: Out,
}

#[derive(Debug)]
struct Socket {
    account: Option<AccountId>,
    queue: mpsc::Sender<Queued>,
    topics: BTreeSet<Topic>,
    /// When it began to have no topic; means nothing while it has one.
    lonely_since: Instant,
}

/// The listeners of a topic, and what they were told last.
#[derive(Debug, Default)]
struct Listeners {
    sockets: BTreeSet<SocketId>,
    last: Vec<Value>,
}

/// All subscriptions of both hosts.
#[derive(Debug)]
pub(crate) struct Feed {
    next: u64,
    beats: u64,
    sockets: HashMap<SocketId, Socket>,
    topics: BTreeMap<Topic, Listeners>,
    spot_views: BTreeMap<SmolStr, DepthView>,
    futures_views: BTreeMap<(SmolStr, usize), DepthView>,
    /// How many versions the book of a topic has skipped, by its text.
    skipped: HashMap<SmolStr, u64>,
    deflater: Deflater,
    /// Beats between two pushes of a futures book.
    futures_books: u64,
    /// What is played instead of what happens in the markets.
    replay: Option<Replay>,
    pub(crate) faults: Faults,
    /// The latest input, which what is sent now may tell of.
    pub(crate) latest: Number,
}

impl Feed {
    pub(crate) fn new(exchange: &Exchange, seed: u64) -> Self {
        let version = 1 + seed % 1_000_000;
        let spot = exchange.spot.iter().map(|(symbol, market)| {
            (symbol.clone(), DepthView::new(&market.book, SPOT_DEPTH, Idle::Repeats, version))
        });
        let futures = exchange.futures.iter().flat_map(|(symbol, market)| {
            FUTURES_DEPTHS.map(|depth| {
                (
                    (symbol.clone(), depth),
                    DepthView::new(&market.book, depth, Idle::Advances, version),
                )
            })
        });
        Self {
            next: 0,
            beats: 0,
            sockets: HashMap::new(),
            topics: BTreeMap::new(),
            spot_views: spot.collect(),
            futures_views: futures.collect(),
            skipped: HashMap::new(),
            deflater: Deflater::new(),
            futures_books: FUTURES_BOOKS,
            replay: None,
            faults: Faults::default(),
            latest: 0,
        }
    }

    /// Pushes futures books every second.
    pub(crate) fn slow_futures_books(&mut self) {
        self.futures_books = SLOW_FUTURES_BOOKS;
    }

    /// The versions of all books, as they are without a fault.
    pub(crate) fn versions(&self) -> Versions {
        let spot = self.spot_views.iter().map(|(symbol, view)| (symbol.clone(), view.version));
        let futures = self.futures_views.iter().map(|(key, view)| (key.clone(), view.version));
        Versions { beats: self.beats, spot: spot.collect(), futures: futures.collect() }
    }

    /// Goes on with the versions of a snapshot.
    pub(crate) fn resume(&mut self, versions: &Versions) {
        self.beats = versions.beats;
        for (symbol, version) in &versions.spot {
            if let Some(view) = self.spot_views.get_mut(symbol) {
                view.version = *version;
            }
        }
        for (key, version) in &versions.futures {
            if let Some(view) = self.futures_views.get_mut(key) {
                view.version = *version;
            }
        }
    }

    pub(crate) fn sockets(&self) -> usize {
        self.sockets.len()
    }

    pub(super) fn join(&mut self, queue: mpsc::Sender<Queued>) -> SocketId {
        self.next += 1;
        let id = SocketId(self.next);
        let lonely_since = Instant::now();
        self.sockets
            .insert(id, Socket { account: None, queue, topics: BTreeSet::new(), lonely_since });
        id
    }

    /// Forgets a socket. Its queue closes, which ends the connection.
    pub(super) fn leave(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(&id) else { return };
        for topic in &socket.topics {
            self.unlist(id, topic);
        }
    }

    fn unlist(&mut self, id: SocketId, topic: &Topic) {
        if let Some(listeners) = self.topics.get_mut(topic) {
            listeners.sockets.remove(&id);
            if listeners.sockets.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    pub(super) fn log_in(&mut self, id: SocketId, account: AccountId) {
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.account = Some(account);
        }
    }

    pub(super) fn account(&self, id: SocketId) -> Option<AccountId> {
        self.sockets.get(&id)?.account
    }

    pub(super) fn topic_count(&self, id: SocketId) -> usize {
        self.sockets.get(&id).map_or(0, |socket| socket.topics.len())
    }

    /// Since when nothing is subscribed; none while something is. BitMart's Python client waits 5 s
    /// after a login before it subscribes, so a login counts like a subscription.
    pub(super) fn lonely_since(&self, id: SocketId) -> Option<Instant> {
        let socket = self.sockets.get(&id)?;
        let lonely = socket.topics.is_empty() && socket.account.is_none();
        lonely.then_some(socket.lonely_since)
    }

    /// False when it was subscribed already.
    pub(super) fn subscribe(&mut self, id: SocketId, topic: &Topic) -> bool {
        let Some(socket) = self.sockets.get_mut(&id) else { return false };
        self.topics.entry(topic.clone()).or_default().sockets.insert(id);
        socket.topics.insert(topic.clone())
    }

    /// False when it was not subscribed.
    pub(super) fn unsubscribe(&mut self, id: SocketId, topic: &Topic) -> bool {
        let Some(socket) = self.sockets.get_mut(&id) else { return false };
        let was = socket.topics.remove(topic);
        if was && socket.topics.is_empty() {
            socket.lonely_since = Instant::now();
        }
        self.unlist(id, topic);
        was
    }

    /// Puts something into the queue of a socket; drops the socket when its queue is full.
    pub(super) fn send(&mut self, id: SocketId, out: Out) {
        let Some(socket) = self.sockets.get(&id) else { return };
        let queued = Queued { after: self.latest, out };
        if let Err(TrySendError::Full(_) | TrySendError::Closed(_)) = socket.queue.try_send(queued)
        {
            self.leave(id);
        }
    }

    /// Puts something into the queue of a socket after a while, if it is still there.
    fn send_late(&self, id: SocketId, out: Out, late: std::time::Duration) {
        let (Some(socket), Ok(runtime)) =
            (self.sockets.get(&id), tokio::runtime::Handle::try_current())
        else {
            return;
        };
        let queue = socket.queue.downgrade();
        let queued = Queued { after: self.latest, out };
        runtime.spawn(async move {
            tokio::time::sleep(late).await;
            if let Some(queue) = queue.upgrade() {
                // A full queue closes the socket with the next frame.
                drop(queue.try_send(queued));
            }
        });
    }

    pub(super) fn send_json(&mut self, id: SocketId, value: &Value) {
        self.send(id, Out::Text(value.to_string().into()));
    }

    /// Sends the present value of a topic to one socket, where the channel starts with one.
    pub(super) fn send_first(
        &mut self,
        exchange: &Exchange,
        id: SocketId,
        topic: &Topic,
        now_ms: u64,
    ) {
        if self.replay.is_some() && !topic.private {
            return self.send_played(id, topic);
        }
        for value in self.present(exchange, topic, now_ms) {
            let out = self.frame(topic, value, now_ms);
            self.send(id, out);
        }
    }

    fn present(&self, exchange: &Exchange, topic: &Topic, now_ms: u64) -> Vec<Value> {
        match &topic.channel {
            Channel::SpotIncrease => self.spot_book(exchange, topic, true).into_iter().collect(),
            Channel::FuturesIncrease(depth) => {
                self.futures_book(topic, *depth, true).into_iter().collect()
            }
            Channel::FuturesFundingRate
            | Channel::SpotTicker
            | Channel::SpotDepth(_)
            | Channel::SpotKline(_) => sampled(exchange, topic, now_ms),
            _ => Vec::new(),
        }
    }

    fn spot_book(&self, exchange: &Exchange, topic: &Topic, snapshot: bool) -> Option<Value> {
        let market = exchange.spot.get(&topic.symbol)?;
        let view = self.spot_views.get(&topic.symbol)?;
        Some(render::spot_increase(market, view, self.version(topic, view), snapshot))
    }

    fn futures_book(&self, topic: &Topic, depth: usize, snapshot: bool) -> Option<Value> {
        let view = self.futures_views.get(&(topic.symbol.clone(), depth))?;
        let version = self.version(topic, view);
        Some(render::futures_increase(&topic.symbol, view, version, snapshot))
    }

    /// The version that the subscribers of a topic know.
    fn version(&self, topic: &Topic, view: &DepthView) -> u64 {
        view.version + self.skipped.get(&topic.text).copied().unwrap_or_default()
    }

    /// Adds the time and the frame around a payload, and packs it where the venue does.
    fn frame(&mut self, topic: &Topic, mut value: Value, now_ms: u64) -> Out {
        stamp(&topic.channel, &mut value, now_ms);
        let table = topic.text.split(':').next().unwrap_or_default();
        let text = match topic.host {
            HostKey::Futures => json!({ "group": topic.text.as_str(), "data": value }),
            HostKey::Spot if value.is_array() => json!({ "table": table, "data": value }),
            HostKey::Spot => json!({ "table": table, "data": [value] }),
        }
        .to_string();
        self.packed(topic, text)
    }

    /// Public frames of spot are deflated.
    fn packed(&mut self, topic: &Topic, text: String) -> Out {
        if topic.host == HostKey::Spot && !topic.private {
            Out::Binary(self.deflater.pack(text.as_bytes()).into())
        } else {
            Out::Text(text.into())
        }
    }

    /// Pushes a payload to the listeners of a topic; of a private one, to those of the account.
    fn push(&mut self, topic: &Topic, value: Value, account: Option<AccountId>, now_ms: u64) {
        if self.replay.is_some() && !topic.private {
            return;
        }
        let Some(listeners) = self.topics.get(topic) else { return };
        let ids: Vec<SocketId> = listeners
            .sockets
            .iter()
            .copied()
            .filter(|id| account.is_none() || self.account(*id) == account)
            .collect();
        let Some(first) = ids.first().copied() else { return };
        let fault = self.faults.strike(&topic.text, Fault::is_frame);
        match fault {
            Some(Fault::SilentSocket) => self.send(first, Out::Silence),
            Some(Fault::HalfOpen) => self.send(first, Out::Absence),
            _ => {}
        }
        let out = match fault {
            Some(Fault::Garbage) => Out::Binary(Bytes::from_static(GARBAGE)),
            _ => self.frame(topic, value, now_ms),
        };
        if let Some(Fault::LatePush(late)) = fault {
            for id in ids {
                self.send_late(id, out.clone(), late);
            }
            return;
        }
        let times = if fault == Some(Fault::Duplicate) { 2 } else { 1 };
        for id in ids {
            for _ in 0..times {
                self.send(id, out.clone());
            }
        }
    }

    /// Pushes what happened in the exchange since the last call.
    pub(crate) fn publish(&mut self, exchange: &mut Exchange, now_ms: u64) {
        let events = exchange.take_events();
        if self.topics.is_empty() {
            return;
        }
        for (channel, symbol, rows) in trades(exchange, &events) {
            for topic in self.about(&channel, &symbol) {
                self.push(&topic, rows.clone(), None, now_ms);
            }
        }
        for event in events {
            self.publish_one(exchange, &event, now_ms);
        }
    }

    fn publish_one(&mut self, exchange: &Exchange, event: &Event, now_ms: u64) {
        let (channels, symbol, account): (&[Channel], SmolStr, _) = match event {
            // Pushed before, all of one symbol together.
            Event::SpotTrade { .. } | Event::FuturesTrade { .. } => return,
            Event::SpotOrder { order, .. } => (
                &[Channel::SpotOrder, Channel::SpotOrders],
                order.request.symbol.clone(),
                Some(order.account),
            ),
            Event::SpotBalance { account, .. } => {
                (&[Channel::SpotBalance], SmolStr::default(), Some(*account))
            }
            Event::FuturesOrder { order, .. } => {
                (&[Channel::FuturesOrder], order.request.symbol.clone(), Some(order.account))
            }
            Event::FuturesPlan { plan, .. } => {
                (&[Channel::FuturesOrder], plan.terms.order.symbol.clone(), Some(plan.account))
            }
            Event::FuturesAsset { account, currency } => {
                (&[Channel::FuturesAsset], currency.clone(), Some(*account))
            }
            Event::FuturesPosition { account, symbol, .. } => {
                (&[Channel::FuturesPosition], symbol.clone(), Some(*account))
            }
        };
        for channel in channels {
            for topic in self.about(channel, &symbol) {
                if let Some(value) = event_payload(exchange, event, now_ms) {
                    self.push(&topic, value, account, now_ms);
                }
            }
        }
    }

    /// The topics of a channel that are about a symbol, or about all.
    fn about(&self, channel: &Channel, symbol: &SmolStr) -> Vec<Topic> {
        let about = |symbol: SmolStr| {
            let from = Topic::before(channel.clone(), symbol.clone());
            let same = move |topic: &&Topic| topic.channel == *channel && topic.symbol == symbol;
            self.topics.range(from..).map(|row| row.0).take_while(same)
        };
        let all = about(SmolStr::default());
        if symbol.is_empty() {
            all.cloned().collect()
        } else {
            all.chain(about(symbol.clone())).cloned().collect()
        }
    }
}

#[cfg(test)]
mod tests;
