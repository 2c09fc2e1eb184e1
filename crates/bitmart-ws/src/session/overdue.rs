//! Answers that do not come.

use std::sync::Arc;
use std::time::Instant;

use super::{OnWire, Session, State};
use crate::dialect::Operation;
use crate::reason::{ReconnectReason, Rejection};

/// What an overdue topic needs.
enum Overdue {
    /// The first answer is missing: ask again, alone.
    AskAgain,
    /// Wanted again while it was to go: subscribe afresh.
    Release,
    /// Nobody wants it any more.
    Forget,
    /// The second answer is missing as well.
    Reject,
}

impl Session {
    /// Judges the commands whose answer is overdue. `false` when the connection was given up.
    ///
    /// A connection on which nothing was ever answered is dead. On any other the trouble is the
    /// topic's own, and the others must not suffer for it.
    pub(super) fn judge_overdue(&mut self, now: Instant) -> bool {
        for batch in self.flight.overdue(now) {
            // The venue acknowledges no request, so nothing can be concluded.
            if batch.operation == Operation::Request {
                continue;
            }
            if !self.is_proven() {
                self.lose(now, ReconnectReason::Unanswered { waited_for: "subscription" });
                return false;
            }
            for topic in batch.topics {
                self.judge_topic(&topic);
            }
        }
        self.note_emptiness(now);
        true
    }

    /// Notes that the server answers commands about topics.
    pub(super) fn prove(&mut self) {
        if let State::Open { link } = &mut self.state {
            link.proven = true;
        }
    }

    fn is_proven(&self) -> bool {
        matches!(self.state, State::Open { link } if link.proven)
    }

    fn judge_topic(&mut self, topic: &Arc<str>) {
        let Some(entry) = self.topics.get_mut(topic) else {
            return;
        };
        let overdue = match (entry.on_wire, entry.desired) {
            (OnWire::Absent | OnWire::Confirmed, _) => return,
            (OnWire::Subscribing, true) if entry.alone => Overdue::Reject,
            (OnWire::Unsubscribing, false) if !entry.alone => Overdue::AskAgain,
            (OnWire::Subscribing, true) => Overdue::AskAgain,
            (OnWire::Unsubscribing, true) => Overdue::Release,
            (OnWire::Subscribing | OnWire::Unsubscribing, false) => Overdue::Forget,
        };
        match overdue {
            Overdue::AskAgain => {
                entry.alone = true;
                // Wanted or not, the next command follows from that.
                entry.on_wire = if entry.desired { OnWire::Absent } else { OnWire::Confirmed };
            }
            Overdue::Release => self.release(topic),
            Overdue::Forget => self.forget(topic),
            Overdue::Reject => {
                self.reject(topic, Rejection::new(None, "not acknowledged in time, asked twice"));
            }
        }
    }

    /// Asks again for topics whose common answer cannot be attributed.
    pub(super) fn ask_one_by_one(&mut self, topics: &[Arc<str>]) {
        for topic in topics {
            if let Some(entry) = self.topics.get_mut(topic)
                && entry.on_wire == OnWire::Subscribing
            {
                entry.on_wire = OnWire::Absent;
                entry.alone = true;
                if !entry.desired {
                    self.forget(topic);
                }
            }
        }
    }
}
