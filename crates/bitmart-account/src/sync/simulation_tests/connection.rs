//! The simulated connection, with a bounded queue per stream. Times are in milliseconds.

use std::collections::VecDeque;

use super::tracker_model::Loss;

/// The stream of orders and their fills, and that of balances.
pub(super) const ORDERS: usize = 0;
pub(super) const BALANCES: usize = 1;
pub(super) const STREAMS: usize = 2;

/// A frame that arrives at this machine.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    Fill(usize),
    Order(usize),
    Canceled(usize),
    Balance(usize),
    /// An undecodable frame of this stream.
    Malformed(usize),
    Pong,
    /// The connection is closed.
    Close,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Fill(usize),
    Order(usize),
    Canceled(usize),
    Balance(usize),
    Lost(Loss),
    Resubscribed,
}

impl Frame {
    /// What arrives if this frame is malformed.
    pub(super) fn malformed(self) -> Self {
        Self::Malformed(if matches!(self, Self::Balance(_)) { BALANCES } else { ORDERS })
    }
}

/// A queued item with its timestamps.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queued {
    pub(super) item: Item,
    /// Everything received until this time precedes the item.
    pub(super) complete_until: Option<i64>,
    pub(super) received_at: i64,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Queued>,
    subscribed: bool,
}

pub(super) struct Connection {
    capacity: usize,
    /// The number of the current connection.
    pub(super) number: u32,
    /// Whether frames of the current connection still arrive.
    pub(super) alive: bool,
    /// Whether the client considers itself connected.
    pub(super) connected: bool,
    socket: VecDeque<Frame>,
    /// When the socket was last empty.
    drained_at: Option<i64>,
    /// Everything received until this time has been queued.
    pub(super) complete_until: Option<i64>,
    queues: [Queue; STREAMS],
    pub(super) stalled_until: i64,
}

impl Connection {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            number: 1,
            alive: true,
            connected: true,
            socket: VecDeque::new(),
            drained_at: Some(0),
            complete_until: None,
            queues: Default::default(),
            stalled_until: 0,
        }
    }

    /// Adds a frame to the socket if its connection is alive; `None` for any connection.
    pub(super) fn arrive(&mut self, connection: Option<u32>, frame: Frame) {
        if self.alive && connection.is_none_or(|number| number == self.number) {
            self.socket.push_back(frame);
        }
    }

    /// Queues the end of the connection, which is processed after the frames that arrived before.
    pub(super) fn close(&mut self) {
        self.socket.push_back(Frame::Close);
    }

    pub(super) fn reconnected(&mut self, now: i64, connection: u32) {
        self.number = connection;
        (self.alive, self.connected) = (true, true);
        // Nothing has been received on the new connection.
        self.drained_at = None;
        for stream in 0..STREAMS {
            self.push(now, stream, Item::Resubscribed);
        }
    }

    pub(super) fn subscribe(&mut self) {
        for queue in &mut self.queues {
            *queue = Queue { subscribed: true, ..Queue::default() };
        }
    }

    /// Drops the subscriptions and what is queued.
    pub(super) fn unsubscribe(&mut self) {
        self.queues = Default::default();
    }

    /// Processes the frames that have arrived. Returns whether to reconnect.
    pub(super) fn process(&mut self, now: i64) -> bool {
        if now < self.stalled_until {
            return false;
        }
        while let Some(frame) = self.socket.pop_front() {
            if matches!(frame, Frame::Close) {
                self.connected = false;
                self.socket.clear();
                for stream in 0..STREAMS {
                    self.push(now, stream, Item::Lost(Loss::Disconnected));
                }
                return true;
            }
            self.complete_until = self.complete_until.max(self.drained_at);
            match frame {
                Frame::Fill(id) => self.push(now, ORDERS, Item::Fill(id)),
                Frame::Order(id) => self.push(now, ORDERS, Item::Order(id)),
                Frame::Canceled(id) => self.push(now, ORDERS, Item::Canceled(id)),
                Frame::Balance(version) => self.push(now, BALANCES, Item::Balance(version)),
                Frame::Malformed(stream) => self.push(now, stream, Item::Lost(Loss::Malformed)),
                Frame::Pong | Frame::Close => {}
            }
        }
        if self.connected {
            self.drained_at = Some(now);
        }
        false
    }

    fn push(&mut self, now: i64, stream: usize, item: Item) {
        let queue = &mut self.queues[stream];
        if !queue.subscribed {
            return;
        }
        let overflow = queue.items.len() >= self.capacity;
        let item = if overflow { Item::Lost(Loss::Overflow) } else { item };
        queue.subscribed = !overflow;
        queue.items.push_back(Queued {
            item,
            complete_until: self.complete_until,
            received_at: now,
        });
    }

    pub(super) fn pop(&mut self, stream: usize) -> Option<Queued> {
        self.queues[stream].items.pop_front()
    }

    /// Whether the consumer has processed everything that has arrived.
    pub(super) fn is_drained(&self) -> bool {
        self.queues.iter().all(|queue| queue.items.is_empty())
            && self.connected == self.alive
            && self.socket.is_empty()
    }
}
