//! Holds: bans and pauses that the exchange has reported to this process and that are not over.
//!
//! Redis may lose them, like everything that it counts. So they are sent again until they are over. A server that has
//! lost its counts grants nothing for a while, which is longer than the time until they are sent again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::entry::Entry;
use super::script::{Call, Operation, Subject};

/// The holds of this process: at most one pause for each budget, and one ban.
#[derive(Default)]
pub(super) struct Holds {
    list: Mutex<Vec<Hold>>,
    /// Notified when there is something to send.
    pub(super) changed: Notify,
}

#[derive(Clone)]
pub(super) enum HoldKind {
    /// Of all requests from the IP address. The subject is that of bans only.
    Ban(Arc<Subject>),
    Pause(Arc<Entry>),
}

#[derive(Clone)]
pub(super) struct Hold {
    kind: HoldKind,
    until: Instant,
    is_sent: bool,
}

impl Holds {
    /// Adds a ban or pause, or prolongs it.
    pub(super) fn add(&self, kind: HoldKind, until: Instant) {
        let mut list = self.lock();
        match list.iter_mut().find(|hold| hold.kind.is(&kind)) {
            Some(hold) if hold.until >= until => return,
            Some(hold) => *hold = Hold { kind, until, is_sent: false },
            None => list.push(Hold { kind, until, is_sent: false }),
        }
        self.changed.notify_one();
    }

    pub(super) fn any(&self) -> bool {
        !self.lock().is_empty()
    }

    /// Returns the holds that Redis has not confirmed yet; all holds if `repeats`. Those that are over are removed.
    pub(super) fn pending(&self, repeats: bool, now: Instant) -> Vec<Hold> {
        let mut list = self.lock();
        list.retain(|hold| hold.until > now);
        list.iter().filter(|hold| repeats || !hold.is_sent).cloned().collect()
    }

    /// Marks holds that Redis has confirmed.
    pub(super) fn mark_sent(&self, confirmed: &[Hold]) {
        let mut list = self.lock();
        for hold in list.iter_mut() {
            hold.is_sent |= confirmed
                .iter()
                .any(|other| other.kind.is(&hold.kind) && other.until == hold.until);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Hold>> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HoldKind {
    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ban(one), Self::Ban(other)) => Arc::ptr_eq(one, other),
            (Self::Pause(one), Self::Pause(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Hold {
    /// `None` if it is over.
    pub(super) fn call(&self) -> Option<Call<'_>> {
        let left = self.until.checked_duration_since(Instant::now())?;
        Some(match &self.kind {
            HoldKind::Ban(subject) => Call { subject, operation: Operation::Ban(left) },
            HoldKind::Pause(entry) => {
                Call { subject: &entry.subject, operation: Operation::Pause(left) }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use bitmart_rest::endpoint::{Host, Metadata, Method};
    use bitmart_rest::limit::Budget;

    use super::*;

    const ENDPOINT: Metadata = Metadata::new("e", Method::Get, Host::Spot, "/e");

    fn ban() -> HoldKind {
        HoldKind::Ban(Arc::new(Subject::new("n", "203.0.113.7", &Budget::new(&ENDPOINT, None, 0))))
    }

    #[test]
    fn a_hold_is_sent_at_once_and_again_until_it_is_over() {
        let (holds, ban, now) = (Holds::default(), ban(), Instant::now());
        let until = now + Duration::from_secs(60);
        holds.add(ban.clone(), until);
        let first = holds.pending(false, now);
        assert_eq!(first.len(), 1);
        assert_eq!(holds.pending(false, now).len(), 1, "not confirmed yet");
        holds.mark_sent(&first);
        assert_eq!(holds.pending(false, now).len(), 0);
        assert_eq!(holds.pending(true, now).len(), 1, "Redis may have forgotten it");
        holds.add(ban.clone(), now + Duration::from_secs(59));
        assert_eq!(holds.pending(false, now).len(), 0, "not longer than before");
        holds.add(ban, until + Duration::from_secs(1));
        assert_eq!(holds.pending(false, now).len(), 1);
        assert_eq!(holds.pending(true, until + Duration::from_secs(1)).len(), 0, "over");
        assert!(!holds.any());
    }
}
