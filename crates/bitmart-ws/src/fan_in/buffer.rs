//! The queued updates of a fan-in: one buffer for all topics, bounded as a whole.
//!
//! Every update is a node in two linked lists: that of all updates in order of arrival, and that of its
//! topic. So taking the oldest update, and dropping one of the topic with the most, do not walk through
//! the others.
//!
//! A topic has a *slot*, an index under which it is found without a search. After the topic is gone, another one may
//! get the slot, so its subscriber id must match as well.

use slab::Slab;

use super::{OverflowPolicy, TopicUpdate};
use crate::error::Error;
use crate::receive_time::ReceiveTime;
use crate::router::SubscriberId;
use crate::topic::Topic;
use crate::update::{Update, UpdateKind};

/// The capacity that each topic needs: two for the latest `Continuity` and `Liveness` updates, which are
/// never dropped, one for an event, and one for the event that carries the count of those dropped
/// before it.
pub(super) const MIN_CAPACITY_PER_TOPIC: usize = 4;

/// Nodes that stay allocated when the buffer is empty. What a burst needed beyond that is freed.
const MAX_IDLE_NODES: usize = 256;

pub(super) struct Buffer<T> {
    capacity: usize,
    policy: OverflowPolicy,
    /// Number of queued updates.
    len: usize,
    nodes: Slab<Node<T>>,
    /// The oldest and the newest item of all topics.
    first: Option<usize>,
    last: Option<usize>,
    topics: Slab<TopicSlot<T>>,
    /// Number of queued updates of each slot. Kept apart, because `drop_one` scans all of it.
    counts: Vec<usize>,
}

struct TopicSlot<T> {
    id: SubscriberId,
    topic: Topic<T>,
    /// Its oldest and its newest queued item.
    first: Option<usize>,
    last: Option<usize>,
    /// The oldest queued event.
    first_event: Option<usize>,
    /// The newest queued `Continuity` update, and the newest `Liveness` update after it.
    continuity: Option<usize>,
    liveness: Option<usize>,
    /// Its end is queued, and it takes no more updates.
    ended: bool,
}

/// A queued item. The indices are those of its neighbors in both lists.
struct Node<T> {
    slot: usize,
    item: Item<T>,
    received_at: ReceiveTime,
    /// Events of the topic that were dropped right before this one, and when the first was received.
    missed: u64,
    missed_at: Option<ReceiveTime>,
    older: Option<usize>,
    newer: Option<usize>,
    older_of_topic: Option<usize>,
    newer_of_topic: Option<usize>,
}

enum Item<T> {
    Update(Update<T>),
    /// The last of its topic; does not count against the capacity. Without an error, the connection is
    /// gone.
    End(Option<Error>),
}

/// What happened to a pushed update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    Stored,
    TopicEnded,
    /// The buffer is full, and nothing may be dropped.
    Full,
}

pub(super) enum Popped<T> {
    Update(TopicUpdate<T>),
    TopicEnded(Topic<T>, Option<Error>),
}

impl<T> Item<T> {
    /// `None` for the end.
    fn kind(&self) -> Option<UpdateKind> {
        match self {
            Self::End(_) => None,
            Self::Update(update) => Some(update.kind()),
        }
    }

    fn event_count(&self) -> u64 {
        match self {
            Self::End(_) => 0,
            Self::Update(update) => update.event_count(),
        }
    }
}

impl<T> Buffer<T> {
    pub(super) fn new(capacity: usize, policy: OverflowPolicy) -> Self {
        Self {
            capacity,
            policy,
            len: 0,
            nodes: Slab::new(),
            first: None,
            last: None,
            topics: Slab::new(),
            counts: Vec::new(),
        }
    }

    /// Number of queued updates.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds a topic and returns its slot. The caller ensures the [`MIN_CAPACITY_PER_TOPIC`].
    pub(super) fn add_topic(&mut self, id: SubscriberId, topic: Topic<T>) -> usize {
        let slot = self.topics.insert(TopicSlot {
            id,
            topic,
            first: None,
            last: None,
            first_event: None,
            continuity: None,
            liveness: None,
            ended: false,
        });
        self.counts.resize(self.counts.len().max(slot + 1), 0);
        slot
    }

    /// Removes a topic and its queued updates.
    pub(super) fn remove_topic(&mut self, slot: usize, id: SubscriberId) {
        if self.topics.get(slot).is_none_or(|topic| topic.id != id) {
            return;
        }
        while let Some(node) = self.topics[slot].first {
            self.unlink(node);
        }
        self.topics.remove(slot);
        self.shrink();
    }

    pub(super) fn is_open(&self, slot: usize, id: SubscriberId) -> bool {
        self.topics.get(slot).is_some_and(|topic| topic.id == id && !topic.ended)
    }

    pub(super) fn push(
        &mut self,
        slot: usize,
        id: SubscriberId,
        update: Update<T>,
        received_at: ReceiveTime,
    ) -> Pushed {
        if !self.is_open(slot, id) {
            return Pushed::TopicEnded;
        }
        let mut update = Some(update);
        if self.policy == OverflowPolicy::Conflate {
            self.conflate(slot, &mut update, received_at);
        }
        let Some(update) = update else {
            return Pushed::Stored;
        };
        if self.len >= self.capacity {
            if self.policy == OverflowPolicy::End {
                return Pushed::Full;
            }
            self.drop_one();
        }
        self.append(slot, Item::Update(update), received_at);
        Pushed::Stored
    }

    /// Ends a topic after its queued updates.
    pub(super) fn end_topic(
        &mut self,
        slot: usize,
        id: SubscriberId,
        error: Option<Error>,
        received_at: ReceiveTime,
    ) {
        if self.is_open(slot, id) {
            self.append(slot, Item::End(error), received_at);
            self.topics[slot].ended = true;
        }
    }

    /// Takes the oldest item.
    pub(super) fn pop(&mut self) -> Option<Popped<T>> {
        let first = self.first?;
        let node = &mut self.nodes[first];
        if node.missed > 0 {
            let missed = std::mem::take(&mut node.missed);
            let received_at = node.missed_at.take().unwrap_or(node.received_at);
            let topic = self.topics[node.slot].topic.clone();
            let update = Update::Lagged(missed);
            return Some(Popped::Update(TopicUpdate { topic, update, received_at }));
        }
        let Node { slot, item, received_at, .. } = self.unlink(first);
        let popped = match item {
            Item::Update(update) => {
                let topic = self.topics[slot].topic.clone();
                Popped::Update(TopicUpdate { topic, update, received_at })
            }
            Item::End(error) => Popped::TopicEnded(self.topics.remove(slot).topic, error),
        };
        self.shrink();
        Some(popped)
    }

    /// Replaces the queued events of the topic by newer data, which is taken out of `update` if an
    /// older event can be replaced in its position. So a topic that changes all the time keeps its
    /// turn.
    fn conflate(&mut self, slot: usize, update: &mut Option<Update<T>>, received_at: ReceiveTime) {
        if !matches!(update, Some(Update::Data(_))) {
            return;
        }
        while let Some(event) = self.topics[slot].first_event {
            if self.topics[slot].last != Some(event) {
                self.drop_node(event);
                continue;
            }
            let node = &mut self.nodes[event];
            if let Item::Update(replaced) = &node.item {
                node.missed += replaced.event_count();
            }
            node.missed_at.get_or_insert(node.received_at);
            node.received_at = received_at;
            if let Some(newer) = update.take() {
                node.item = Item::Update(newer);
            }
            return;
        }
    }

    /// Drops one update of the topic with the most queued updates: its oldest event, or a connection
    /// update that a later one supersedes. Such an update exists, because the topic has at least
    /// [`MIN_CAPACITY_PER_TOPIC`] updates when the buffer is full. At most three of them must stay: the two
    /// current connection updates, and the last update of the topic, which counts the dropped ones.
    fn drop_one(&mut self) {
        let fullest = self.counts.iter().enumerate().max_by_key(|(_, count)| **count);
        let Some((slot, _)) = fullest else { return };
        let topic = &self.topics[slot];
        let event = topic.first_event.filter(|event| topic.last != Some(*event));
        let dropped = event.or_else(|| {
            let mut next = topic.first;
            while let Some(node) = next {
                let superseded = match self.nodes[node].item.kind() {
                    Some(UpdateKind::Continuity) => topic.continuity != Some(node),
                    Some(UpdateKind::Liveness) => topic.liveness != Some(node),
                    Some(UpdateKind::Event) | None => false,
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

    /// Drops a node that is not the last of its topic, and counts it in the next one.
    fn drop_node(&mut self, node: usize) {
        let node = self.unlink(node);
        let is_event = node.item.kind() == Some(UpdateKind::Event);
        if let Some(next) = node.newer_of_topic {
            let next = &mut self.nodes[next];
            next.missed += node.missed + node.item.event_count();
            let received_at = is_event.then_some(node.received_at);
            next.missed_at = node.missed_at.or(received_at).or(next.missed_at);
        }
    }

    fn append(&mut self, slot: usize, item: Item<T>, received_at: ReceiveTime) {
        let topic = &mut self.topics[slot];
        let kind = item.kind();
        let node = self.nodes.insert(Node {
            slot,
            item,
            received_at,
            missed: 0,
            missed_at: None,
            older: self.last,
            newer: None,
            older_of_topic: topic.last,
            newer_of_topic: None,
        });
        match kind {
            Some(UpdateKind::Event) => {
                topic.first_event.get_or_insert(node);
            }
            Some(UpdateKind::Continuity) => {
                (topic.continuity, topic.liveness) = (Some(node), None);
            }
            Some(UpdateKind::Liveness) => topic.liveness = Some(node),
            None => {}
        }
        match topic.last.replace(node) {
            Some(older) => self.nodes[older].newer_of_topic = Some(node),
            None => topic.first = Some(node),
        }
        match self.last.replace(node) {
            Some(older) => self.nodes[older].newer = Some(node),
            None => self.first = Some(node),
        }
        if kind.is_some() {
            self.len += 1;
            self.counts[slot] += 1;
        }
    }

    /// Removes a node from both lists.
    fn unlink(&mut self, index: usize) -> Node<T> {
        let node = self.nodes.remove(index);
        let topic = &mut self.topics[node.slot];
        match node.older_of_topic {
            Some(older) => self.nodes[older].newer_of_topic = node.newer_of_topic,
            None => topic.first = node.newer_of_topic,
        }
        match node.newer_of_topic {
            Some(newer) => self.nodes[newer].older_of_topic = node.older_of_topic,
            None => topic.last = node.older_of_topic,
        }
        match node.older {
            Some(older) => self.nodes[older].newer = node.newer,
            None => self.first = node.newer,
        }
        match node.newer {
            Some(newer) => self.nodes[newer].older = node.older,
            None => self.last = node.older,
        }
        topic.continuity = topic.continuity.filter(|other| *other != index);
        topic.liveness = topic.liveness.filter(|other| *other != index);
        if topic.first_event == Some(index) {
            // Amortized: each node is skipped once.
            let mut next = node.newer_of_topic;
            while let Some(other) =
                next.filter(|at| self.nodes[*at].item.kind() != Some(UpdateKind::Event))
            {
                next = self.nodes[other].newer_of_topic;
            }
            topic.first_event = next;
        }
        if node.item.kind().is_some() {
            self.len -= 1;
            self.counts[node.slot] -= 1;
        }
        node
    }

    /// Frees the memory of a burst once the buffer is empty.
    fn shrink(&mut self) {
        if self.nodes.is_empty() && self.nodes.capacity() > MAX_IDLE_NODES {
            self.nodes = Slab::with_capacity(MAX_IDLE_NODES);
        }
    }
}
