//! Which topics are assigned to a connection.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::topic;

/// The topics of one connection and how many subscriptions each has. The pool assigns topics; the
/// driver ends when none are left.
#[derive(Debug, Default)]
pub(crate) struct Assignments {
    topics: Mutex<Topics>,
    /// Notified when the last lease is dropped.
    emptied: Notify,
}

#[derive(Debug, Default)]
struct Topics {
    /// Leases per topic.
    leases: BTreeMap<Arc<str>, usize>,
    /// The connection has ended and takes no more topics.
    closed: bool,
}

/// The right of one subscription to its topic on a connection. Dropping it gives it back.
#[derive(Debug)]
pub(crate) struct TopicLease {
    assignments: Arc<Assignments>,
    topic: Arc<str>,
}

impl Assignments {
    /// Leases a topic that the connection carries already.
    pub(crate) fn share(self: &Arc<Self>, topic: &Arc<str>) -> Option<TopicLease> {
        let mut topics = self.lock();
        if topics.closed {
            return None;
        }
        *topics.leases.get_mut(topic)? += 1;
        Some(self.lease(topic))
    }

    /// Assigns a new topic if the connection carries fewer than `max`. Variants of one topic need
    /// separate connections, because their data can carry each other's name.
    pub(crate) fn assign(self: &Arc<Self>, topic: &Arc<str>, max: usize) -> Option<TopicLease> {
        let mut topics = self.lock();
        let base = topic::without_suffix(topic);
        let full = topics.leases.len() >= max;
        if topics.closed
            || full
            || topics.leases.keys().any(|other| topic::without_suffix(other) == base)
        {
            return None;
        }
        topics.leases.insert(topic.clone(), 1);
        Some(self.lease(topic))
    }

    /// Whether the connection carries this topic.
    pub(crate) fn contains(&self, topic: &str) -> bool {
        self.lock().leases.contains_key(topic)
    }

    /// Closes the connection to new topics if it carries none. Returns whether it is closed.
    pub(crate) fn close_if_empty(&self) -> bool {
        let mut topics = self.lock();
        topics.closed |= topics.leases.is_empty();
        topics.closed
    }

    /// Waits until the last lease is dropped. One that was dropped before is not missed.
    pub(crate) async fn emptied(&self) {
        self.emptied.notified().await;
    }

    fn lease(self: &Arc<Self>, topic: &Arc<str>) -> TopicLease {
        TopicLease { assignments: self.clone(), topic: topic.clone() }
    }

    fn lock(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for TopicLease {
    fn drop(&mut self) {
        let mut topics = self.assignments.lock();
        if let Some(count) = topics.leases.get_mut(&self.topic) {
            *count -= 1;
            if *count == 0 {
                topics.leases.remove(&self.topic);
            }
            if topics.leases.is_empty() {
                // The task of the connection gets no other signal that this was the last lease.
                self.assignments.emptied.notify_one();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Assignments;

    #[test]
    fn topics_are_shared_limited_and_given_back() {
        let assignments = Arc::new(Assignments::default());
        let (a, b): (Arc<str>, Arc<str>) = ("a:X".into(), "b:X".into());
        assert!(assignments.share(&a).is_none(), "not assigned yet");
        let first = assignments.assign(&a, 1).expect("below the limit");
        let second = assignments.share(&a).expect("the same topic counts once");
        assert!(assignments.assign(&b, 1).is_none(), "at the limit");
        drop(first);
        assert!(assignments.assign(&b, 1).is_none(), "the second lease is still held");
        assert!(!assignments.close_if_empty(), "a lease is held");
        drop(second);
        drop(assignments.assign(&b, 1).expect("below the limit again"));
        assert!(assignments.close_if_empty());
        assert!(assignments.assign(&a, 1).is_none(), "the connection has ended");
    }

    #[test]
    fn variants_of_a_topic_need_separate_connections() {
        let assignments = Arc::new(Assignments::default());
        let _lease = assignments.assign(&"d:X@100ms".into(), 9).expect("below the limit");
        assert!(assignments.assign(&"d:X@200ms".into(), 9).is_none());
        assert!(assignments.assign(&"d:Y@200ms".into(), 9).is_some());
    }
}
