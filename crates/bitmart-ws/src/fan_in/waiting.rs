//! What waits for the reader of a fan-in: one store for all topics, bounded as a whole.
//!
//! Every update is a node in two lists: that of all updates in the order in which they came, and
//! that of its topic. So the reader takes the oldest of all, and room is made in the topic that has
//! most waiting, each without looking at the others.

use slab::Slab;

use super::{Received, SlowReader};
use crate::error::Error;
use crate::received::ReceivedAt;
use crate::router::MemberId;
use crate::topic::Topic;
use crate::update::{Kind, Update};

/// So many places are needed for each topic: two for the last words about its connection, which are
/// never dropped, one for an event, and one for the event that says what was dropped before it.
pub(super) const PLACES_PER_TOPIC: usize = 4;

/// Nodes that are kept when nothing waits. What a burst needed beyond is given back.
const NODES_KEPT: usize = 256;

pub(super) struct Waiting<T> {
    capacity: usize,
    slow: SlowReader,
    /// How many updates wait.
    len: usize,
    nodes: Slab<Node<T>>,
    first: Option<usize>,
    last: Option<usize>,
    topics: Slab<Slot<T>>,
    /// How many updates wait of each topic, by its place in `topics`. On its own, because all of it
    /// is looked at when room is made.
    counts: Vec<usize>,
}

/// One topic.
struct Slot<T> {
    id: MemberId,
    topic: Topic<T>,
    first: Option<usize>,
    last: Option<usize>,
    /// The oldest event that waits.
    event: Option<usize>,
    /// The newest word about a gap, and the newest about silence after it, as far as they wait.
    gap: Option<usize>,
    quiet: Option<usize>,
    ended: bool,
}

struct Node<T> {
    slot: usize,
    item: Item<T>,
    received_at: ReceivedAt,
    /// Events of the topic that were dropped right before this one, and when the first came.
    missed: u64,
    missed_at: Option<ReceivedAt>,
    older: Option<usize>,
    newer: Option<usize>,
    older_of_topic: Option<usize>,
    newer_of_topic: Option<usize>,
}

enum Item<T> {
    Update(Update<T>),
    /// The last of its topic. Takes no place of the budget. Without an error the connection is
    /// gone.
    End(Option<Error>),
}

/// What became of an update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Taken,
    /// The topic is not there any more.
    Over,
    /// There is no room, and nothing may be dropped.
    Full,
}

/// What the reader takes.
pub(super) enum Taken<T> {
    Received(Received<T>),
    /// The topic has ended.
    Ended(Topic<T>, Option<Error>),
}

impl<T> Item<T> {
    /// `None` for the end.
    fn kind(&self) -> Option<Kind> {
        match self {
            Self::End(_) => None,
            Self::Update(update) => Some(update.kind()),
        }
    }
}

impl<T> Waiting<T> {
    pub(super) fn new(capacity: usize, slow: SlowReader) -> Self {
        Self {
            capacity,
            slow,
            len: 0,
            nodes: Slab::new(),
            first: None,
            last: None,
            topics: Slab::new(),
            counts: Vec::new(),
        }
    }

    /// How many updates wait.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a topic and gives its place. There are [`PLACES_PER_TOPIC`] for it: the caller saw to
    /// that.
    pub(super) fn join(&mut self, id: MemberId, topic: Topic<T>) -> usize {
        let slot = Slot {
            id,
            topic,
            first: None,
            last: None,
            event: None,
            gap: None,
            quiet: None,
            ended: false,
        };
        let place = self.topics.insert(slot);
        self.counts.resize(self.counts.len().max(place + 1), 0);
        place
    }

    /// Removes a topic and what waits of it.
    pub(super) fn leave(&mut self, place: usize, id: MemberId) {
        if self.topics.get(place).is_none_or(|slot| slot.id != id) {
            return;
        }
        while let Some(node) = self.topics[place].first {
            self.unlink(node);
        }
        self.topics.remove(place);
        self.give_back();
    }

    pub(super) fn is_open(&self, place: usize, id: MemberId) -> bool {
        self.topics.get(place).is_some_and(|slot| slot.id == id && !slot.ended)
    }

    /// Adds an update.
    pub(super) fn push(
        &mut self,
        place: usize,
        id: MemberId,
        update: Update<T>,
        received_at: ReceivedAt,
    ) -> Pushed {
        if !self.is_open(place, id) {
            return Pushed::Over;
        }
        let mut update = Some(update);
        if self.slow == SlowReader::Conflate {
            self.conflate(place, &mut update, received_at);
        }
        let Some(update) = update else {
            return Pushed::Taken;
        };
        if self.len >= self.capacity {
            if self.slow == SlowReader::End {
                return Pushed::Full;
            }
            self.make_room();
        }
        self.append(place, Item::Update(update), received_at);
        Pushed::Taken
    }

    /// Ends a topic after what waits of it.
    pub(super) fn end(
        &mut self,
        place: usize,
        id: MemberId,
        error: Option<Error>,
        received_at: ReceivedAt,
    ) {
        if self.is_open(place, id) {
            self.append(place, Item::End(error), received_at);
            self.topics[place].ended = true;
        }
    }

    /// Takes the oldest.
    pub(super) fn pop(&mut self) -> Option<Taken<T>> {
        let first = self.first?;
        let node = &mut self.nodes[first];
        if node.missed > 0 {
            let missed = std::mem::take(&mut node.missed);
            let received_at = node.missed_at.take().unwrap_or(node.received_at);
            let topic = self.topics[node.slot].topic.clone();
            let update = Update::Lagged(missed);
            return Some(Taken::Received(Received { topic, update, received_at }));
        }
        let Node { slot, item, received_at, .. } = self.unlink(first);
        let taken = match item {
            Item::Update(update) => {
                let topic = self.topics[slot].topic.clone();
                Taken::Received(Received { topic, update, received_at })
            }
            Item::End(error) => Taken::Ended(self.topics.remove(slot).topic, error),
        };
        self.give_back();
        Some(taken)
    }

    /// Replaces what waits of the topic's events by newer data, which is taken out of `update` if
    /// it has a place then. In the place of the older one, so that a topic that changes all the
    /// time has its turn like any other.
    fn conflate(&mut self, place: usize, update: &mut Option<Update<T>>, received_at: ReceivedAt) {
        if !matches!(update, Some(Update::Data(_))) {
            return;
        }
        while let Some(event) = self.topics[place].event {
            if self.topics[place].last != Some(event) {
                self.drop_node(event);
                continue;
            }
            let node = &mut self.nodes[event];
            node.missed += 1;
            node.missed_at.get_or_insert(node.received_at);
            node.received_at = received_at;
            if let Some(newer) = update.take() {
                node.item = Item::Update(newer);
            }
            return;
        }
    }

    /// Drops one update of the topic that has most waiting: its oldest event, or a word about its
    /// connection that a later one makes up for. There is one, since the topic has at least
    /// [`PLACES_PER_TOPIC`] updates, of which two can be words that still count and one is the
    /// last.
    fn make_room(&mut self) {
        let most = self.counts.iter().enumerate().max_by_key(|(_, count)| **count);
        let Some((place, _)) = most else { return };
        let slot = &self.topics[place];
        let event = slot.event.filter(|event| slot.last != Some(*event));
        let dropped = event.or_else(|| {
            let mut next = slot.first;
            while let Some(node) = next {
                let superseded = match self.nodes[node].item.kind() {
                    Some(Kind::Gap) => slot.gap != Some(node),
                    Some(Kind::Quiet) => slot.quiet != Some(node),
                    Some(Kind::Event) | None => false,
                };
                if superseded {
                    break;
                }
                next = self.nodes[node].newer_of_topic;
            }
            next
        });
        if let Some(dropped) = dropped {
            self.drop_node(dropped);
        }
    }

    /// Drops a node that another of its topic follows, and has that one say how much was missed.
    fn drop_node(&mut self, node: usize) {
        let node = self.unlink(node);
        let is_event = node.item.kind() == Some(Kind::Event);
        if let Some(next) = node.newer_of_topic {
            let next = &mut self.nodes[next];
            next.missed += node.missed + u64::from(is_event);
            let own = is_event.then_some(node.received_at);
            next.missed_at = node.missed_at.or(own).or(next.missed_at);
        }
    }

    fn append(&mut self, place: usize, item: Item<T>, received_at: ReceivedAt) {
        let slot = &mut self.topics[place];
        let kind = item.kind();
        let node = self.nodes.insert(Node {
            slot: place,
            item,
            received_at,
            missed: 0,
            missed_at: None,
            older: self.last,
            newer: None,
            older_of_topic: slot.last,
            newer_of_topic: None,
        });
        match kind {
            Some(Kind::Event) => {
                slot.event.get_or_insert(node);
            }
            Some(Kind::Gap) => (slot.gap, slot.quiet) = (Some(node), None),
            Some(Kind::Quiet) => slot.quiet = Some(node),
            None => {}
        }
        match slot.last.replace(node) {
            Some(older) => self.nodes[older].newer_of_topic = Some(node),
            None => slot.first = Some(node),
        }
        match self.last.replace(node) {
            Some(older) => self.nodes[older].newer = Some(node),
            None => self.first = Some(node),
        }
        if kind.is_some() {
            self.len += 1;
            self.counts[place] += 1;
        }
    }

    /// Takes a node out of both lists.
    fn unlink(&mut self, place: usize) -> Node<T> {
        let node = self.nodes.remove(place);
        let slot = &mut self.topics[node.slot];
        match node.older_of_topic {
            Some(older) => self.nodes[older].newer_of_topic = node.newer_of_topic,
            None => slot.first = node.newer_of_topic,
        }
        match node.newer_of_topic {
            Some(newer) => self.nodes[newer].older_of_topic = node.older_of_topic,
            None => slot.last = node.older_of_topic,
        }
        match node.older {
            Some(older) => self.nodes[older].newer = node.newer,
            None => self.first = node.newer,
        }
        match node.newer {
            Some(newer) => self.nodes[newer].older = node.older,
            None => self.last = node.older,
        }
        slot.gap = slot.gap.filter(|gap| *gap != place);
        slot.quiet = slot.quiet.filter(|quiet| *quiet != place);
        if slot.event == Some(place) {
            // Each node is passed over once.
            let mut next = node.newer_of_topic;
            while let Some(other) =
                next.filter(|at| self.nodes[*at].item.kind() != Some(Kind::Event))
            {
                next = self.nodes[other].newer_of_topic;
            }
            slot.event = next;
        }
        if node.item.kind().is_some() {
            self.len -= 1;
            self.counts[node.slot] -= 1;
        }
        node
    }

    fn give_back(&mut self) {
        if self.nodes.is_empty() && self.nodes.capacity() > NODES_KEPT {
            self.nodes = Slab::with_capacity(NODES_KEPT);
        }
    }
}
