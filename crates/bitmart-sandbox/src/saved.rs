//! Saved states of a running exchange, and going back to one of them.

use crate::{
    clock::Clock, operator::OperatorError, rate_limits::RateLimits, shared::Shared,
    snapshot::Snapshot,
};

/// Maximum number of saved states.
const MAX_SAVED: usize = 8;

/// The saved states, oldest first.
#[derive(Debug, Default)]
pub(crate) struct SavedStates(Vec<(String, Snapshot)>);

impl SavedStates {
    /// Saves a state, and replaces one with the same name. Returns false if there are too many.
    pub(crate) fn save(&mut self, name: String, snapshot: Snapshot) -> bool {
        self.discard(&name);
        if self.0.len() >= MAX_SAVED {
            return false;
        }
        self.0.push((name, snapshot));
        true
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Snapshot> {
        self.0.iter().find(|row| row.0 == name).map(|row| &row.1)
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Snapshot)> {
        self.0.iter().map(|row| (row.0.as_str(), &row.1))
    }

    /// Returns false if there is none with this name.
    pub(crate) fn discard(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|row| row.0 != name);
        self.0.len() < before
    }
}

impl Shared {
    /// Replaces the state of the running exchange. With a data folder, nothing changes unless the new state is stored,
    /// and no entry comes between.
    pub(crate) fn go_back(&self, snapshot: Snapshot) -> Result<(), OperatorError> {
        if !self.is_writable() {
            return Err(OperatorError::NotStored);
        }
        let parts = snapshot.into_parts();
        let mut guard = self.state();
        let state = &mut *guard;
        let seed = self.config.seed;
        let former = (
            std::mem::replace(&mut state.exchange, parts.exchange),
            std::mem::replace(&mut state.makers_paused, parts.makers_paused),
            state.clock,
        );
        // Other clocks never go back: what became due meanwhile is processed at the next step.
        if let Clock::Stepped { now_ms } = &mut state.clock {
            *now_ms = parts.now_ms;
        }
        let former_keys = self.keys.go_back(parts.keys, &state.exchange);
        let former_books = state.feed.go_back(&state.exchange, seed, &parts.versions);
        let last = state.journal.skip();
        let checkpoint = state.checkpoint(last, seed, &self.keys);
        if !state.journal.checkpoint_now(&checkpoint) {
            state.journal.undo_skip();
            (state.exchange, state.makers_paused, state.clock) = former;
            self.keys.undo_go_back(former_keys);
            state.feed.undo_go_back(former_books);
            return Err(OperatorError::NotStored);
        }
        state.feed.set_last_entry(last);
        *self.limits() = RateLimits::default();
        self.control.send_modify(|control| control.kills += 1);
        Ok(())
    }
}
