//! Which topics a connection is meant to carry, as the pool sees it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::topic;

/// The topics of one connection and how many subscriptions each has. The pool seats subscriptions,
/// the driver looks whether any are left.
#[derive(Debug, Default)]
pub(crate) struct Roster(Mutex<Topics>);

#[derive(Debug, Default)]
struct Topics {
    members: HashMap<Arc<str>, usize>,
    /// The connection has ended: nobody can be seated any more.
    retired: bool,
}

/// The place of one subscription. Dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Seat {
    roster: Arc<Roster>,
    topic: Arc<str>,
}

impl Roster {
    /// A place beside others who want the same topic.
    pub(crate) fn join(self: &Arc<Self>, topic: &Arc<str>) -> Option<Seat> {
        let mut topics = self.lock();
        if topics.retired {
            return None;
        }
        *topics.members.get_mut(topic)? += 1;
        Some(self.seat(topic))
    }

    /// A place for a topic that is new here, if there is room. Variants of one topic need
    /// connections of their own: their data can name each other.
    pub(crate) fn open(self: &Arc<Self>, topic: &Arc<str>, most: usize) -> Option<Seat> {
        let mut topics = self.lock();
        let base = topic::base(topic);
        let full = topics.members.len() >= most;
        if topics.retired || full || topics.members.keys().any(|other| topic::base(other) == base) {
            return None;
        }
        topics.members.insert(topic.clone(), 1);
        Some(self.seat(topic))
    }

    /// Whether anybody is seated for this topic.
    pub(crate) fn carries(&self, topic: &str) -> bool {
        self.lock().members.contains_key(topic)
    }

    /// Ends the roster if nobody is seated. `true` when it is over.
    pub(crate) fn retire(&self) -> bool {
        let mut topics = self.lock();
        topics.retired |= topics.members.is_empty();
        topics.retired
    }

    fn seat(self: &Arc<Self>, topic: &Arc<str>) -> Seat {
        Seat { roster: self.clone(), topic: topic.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Topics> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut topics = self.roster.lock();
        if let Some(count) = topics.members.get_mut(&self.topic) {
            *count -= 1;
            if *count == 0 {
                topics.members.remove(&self.topic);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Roster;

    #[test]
    fn places_are_shared_limited_and_given_back() {
        let roster = Arc::new(Roster::default());
        let (a, b): (Arc<str>, Arc<str>) = ("a:X".into(), "b:X".into());
        assert!(roster.join(&a).is_none(), "nobody is there yet");
        let first = roster.open(&a, 1).expect("room");
        let second = roster.join(&a).expect("the same topic takes no room");
        assert!(roster.open(&b, 1).is_none(), "full");
        drop(first);
        assert!(roster.open(&b, 1).is_none(), "one of the two is still there");
        assert!(!roster.retire(), "somebody is seated");
        drop(second);
        drop(roster.open(&b, 1).expect("room again"));
        assert!(roster.retire());
        assert!(roster.open(&a, 1).is_none(), "nobody is seated on a connection that has ended");
    }

    #[test]
    fn variants_of_a_topic_do_not_sit_together() {
        let roster = Arc::new(Roster::default());
        let _seat = roster.open(&"d:X@100ms".into(), 9).expect("room");
        assert!(roster.open(&"d:X@200ms".into(), 9).is_none());
        assert!(roster.open(&"d:Y@200ms".into(), 9).is_some());
    }
}
