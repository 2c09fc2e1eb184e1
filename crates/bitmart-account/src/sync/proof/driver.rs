//! The network and the driver of the connection, with a bounded queue for each stream.

use std::collections::VecDeque;

use super::rule::Loss;

/// Orders with their fills, and balances.
pub(super) const STREAMS: usize = 2;

/// Something that reaches the driver.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    Fill(usize),
    Order(usize),
    Malformed,
    Pong,
    /// The connection is dead.
    End,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    Fill(usize),
    Order(usize),
    Balance,
    Lost(Loss),
    Up,
}

/// An item with the span in which it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queued {
    pub(super) item: Item,
    /// Everything received until then lies before.
    pub(super) received: Option<i64>,
    pub(super) at: i64,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Queued>,
    subscribed: bool,
}

pub(super) struct Driver {
    capacity: usize,
    /// The number of the newest connection, and whether its frames still reach this machine.
    pub(super) connection: u32,
    pub(super) alive: bool,
    /// The driver knows of a connection.
    pub(super) connected: bool,
    socket: VecDeque<Frame>,
    quiet: Option<i64>,
    pub(super) heard: Option<i64>,
    queues: [Queue; STREAMS],
    pub(super) stalled_until: i64,
}

impl Driver {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            connection: 1,
            alive: true,
            connected: true,
            socket: VecDeque::new(),
            quiet: Some(0),
            heard: None,
            queues: Default::default(),
            stalled_until: 0,
        }
    }

    /// A frame is sent. It arrives if there is a connection, the one that it belongs to: 0 for any.
    pub(super) fn arrive(&mut self, connection: u32, frame: Frame) {
        if self.alive && (connection == 0 || connection == self.connection) {
            self.socket.push_back(frame);
        }
    }

    /// The connection ends, or it is given up.
    pub(super) fn end(&mut self) {
        self.socket.push_back(Frame::End);
    }

    pub(super) fn reconnected(&mut self, now: i64, connection: u32) {
        self.connection = connection;
        (self.alive, self.connected) = (true, true);
        // Not before something was heard.
        self.quiet = None;
        for at in 0..STREAMS {
            self.push(now, at, Item::Up);
        }
    }

    pub(super) fn subscribe(&mut self) {
        for queue in &mut self.queues {
            *queue = Queue { subscribed: true, ..Queue::default() };
        }
    }

    pub(super) fn unsubscribe(&mut self) {
        self.queues = Default::default();
    }

    /// Handles what has arrived. Gives whether it is to connect again.
    pub(super) fn drive(&mut self, now: i64) -> bool {
        if now < self.stalled_until {
            return false;
        }
        while let Some(frame) = self.socket.pop_front() {
            if matches!(frame, Frame::End) {
                self.connected = false;
                self.socket.clear();
                for at in 0..STREAMS {
                    self.push(now, at, Item::Lost(Loss::Cut));
                }
                return true;
            }
            self.heard = self.heard.max(self.quiet);
            match frame {
                Frame::Fill(id) => {
                    self.push(now, 0, Item::Fill(id));
                    // One stream has less to read than the other.
                    if id.is_multiple_of(3) {
                        self.push(now, 1, Item::Balance);
                    }
                }
                Frame::Order(id) => self.push(now, 0, Item::Order(id)),
                Frame::Malformed => self.push(now, 0, Item::Lost(Loss::Malformed)),
                Frame::Pong | Frame::End => {}
            }
        }
        if self.connected {
            self.quiet = Some(now);
        }
        false
    }

    fn push(&mut self, now: i64, at: usize, item: Item) {
        let queue = &mut self.queues[at];
        if !queue.subscribed {
            return;
        }
        let overflow = queue.items.len() >= self.capacity;
        let item = if overflow { Item::Lost(Loss::Overflow) } else { item };
        queue.subscribed = !overflow;
        queue.items.push_back(Queued { item, received: self.heard, at: now });
    }

    pub(super) fn pop(&mut self, at: usize) -> Option<Queued> {
        self.queues[at].items.pop_front()
    }

    /// Nothing that anybody could know of is still unread.
    pub(super) fn is_read(&self) -> bool {
        self.queues.iter().all(|queue| queue.items.is_empty())
            && self.connected == self.alive
            && self.socket.is_empty()
    }
}
