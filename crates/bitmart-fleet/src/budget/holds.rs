//! Bans and pauses that were reported to this process and that last.
//!
//! Redis may forget them with everything else. So they are sent again until they are over, more often than the pause of
//! a server that has forgotten, and no process is granted anything meanwhile.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

use super::entry::Entry;
use super::script::{Call, Operation, Subject};

/// At most one for each budget, and one ban.
#[derive(Default)]
pub(super) struct Holds {
    list: Mutex<Vec<Hold>>,
    /// There is something to send.
    pub(super) changed: Notify,
}

#[derive(Clone)]
pub(super) enum HoldKind {
    /// All budgets of the address, by a subject of its own.
    Ban(Arc<Subject>),
    Pause(Arc<Entry>),
}

#[derive(Clone)]
pub(super) struct Hold {
    held: HoldKind,
    until: Instant,
    sent: bool,
}

impl Holds {
    /// Adds a ban or pause, or prolongs it.
    pub(super) fn add(&self, held: HoldKind, until: Instant) {
        let mut list = self.lock();
        match list.iter_mut().find(|hold| hold.held.is(&held)) {
            Some(hold) if hold.until >= until => return,
            Some(hold) => *hold = Hold { held, until, sent: false },
            None => list.push(Hold { held, until, sent: false }),
        }
        self.changed.notify_one();
    }

    pub(super) fn any(&self) -> bool {
        !self.lock().is_empty()
    }

    /// The holds that still last and were not sent to Redis; with `repeats` all that still last.
    pub(super) fn pending(&self, repeats: bool, now: Instant) -> Vec<Hold> {
        let mut list = self.lock();
        list.retain(|hold| hold.until > now);
        list.iter().filter(|hold| repeats || !hold.sent).cloned().collect()
    }

    /// Redis has confirmed these.
    pub(super) fn sent(&self, sent: &[Hold]) {
        let mut list = self.lock();
        for hold in list.iter_mut() {
            hold.sent |= sent.iter().any(|s| s.held.is(&hold.held) && s.until == hold.until);
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
        Some(match &self.held {
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
    fn what_lasts_is_sent_at_once_and_again() {
        let (holds, ban, now) = (Holds::default(), ban(), Instant::now());
        let until = now + Duration::from_secs(60);
        holds.add(ban.clone(), until);
        let first = holds.pending(false, now);
        assert_eq!(first.len(), 1);
        assert_eq!(holds.pending(false, now).len(), 1, "not confirmed yet");
        holds.sent(&first);
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
