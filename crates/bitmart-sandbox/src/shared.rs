//! The data that all connections share.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use bitmart_sim::rng::Rng;
use tokio::sync::watch;

#[cfg(feature = "console")]
use crate::scenario::Player;
use crate::{
    auth::KeyRing,
    clock::Clock,
    config::Config,
    connection_limiter::ConnectionLimiter,
    fault::{Faults, HeldPaths},
    guard::{Guard, lock, lock_intact},
    journal::{EntryNumber, StorageProgress},
    rate_limits::RateLimits,
    reasons::Reasons,
    recovery::Opened,
    saved::SavedStates,
    shutdown::{Control, stopped},
    state::State,
    traffic::Traffic,
};

/// The data that the connections, the market and the operator share.
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    /// The clock, if it is not stepped. It never changes, so that it is read without the lock of the state.
    running_clock: Option<Clock>,
    /// The faults of REST requests and handshakes. Those of WebSocket frames are in the feed.
    faults: Mutex<Faults>,
    /// The requests that faults hold back.
    pub(crate) held_paths: watch::Sender<HeldPaths>,
    limits: Mutex<RateLimits>,
    pub(crate) connections: Arc<ConnectionLimiter>,
    pub(crate) keys: KeyRing,
    pub(crate) reasons: Reasons,
    pub(crate) config: Config,
    pub(crate) control: watch::Sender<Control>,
    /// The progress of the journal; `None` without a data folder.
    stored: Option<StorageProgress>,
    /// The seed of the next id in the form of a UUID. The first is the configured seed.
    next_trace_seed: AtomicU64,
    /// The saved states, to which the exchange can go back.
    saved: Mutex<SavedStates>,
    /// The player of scenarios.
    #[cfg(feature = "console")]
    pub(crate) player: Player,
    /// The records of requests and frames for the console; `None` without one.
    pub(crate) traffic: Option<Arc<Traffic>>,
}

impl Shared {
    /// A new exchange without a data folder.
    #[cfg(test)]
    pub(crate) fn new(config: Config) -> Self {
        Self::from_opened(Opened::new(config))
    }

    /// Shares an opened exchange.
    pub(crate) fn from_opened(opened: Opened) -> Self {
        let Opened { config, state, keys, stored } = opened;
        Self {
            running_clock: Some(state.clock).filter(|clock| !clock.is_stepped()),
            state: Mutex::new(state),
            faults: Mutex::new(Faults::default()),
            held_paths: watch::Sender::new(HeldPaths::default()),
            limits: Mutex::new(RateLimits::default()),
            connections: Arc::default(),
            keys,
            reasons: Reasons::new(config.reasons_on_stderr),
            control: watch::Sender::new(Control::default()),
            stored,
            next_trace_seed: AtomicU64::new(config.seed),
            saved: Mutex::default(),
            #[cfg(feature = "console")]
            player: Player::default(),
            traffic: config.console.then(Traffic::new),
            config,
        }
    }

    /// Waits until an entry is stored, so that its outcome may be reported. Returns false if it cannot be stored at
    /// present.
    pub(crate) async fn wait_for_entry(&self, number: EntryNumber) -> bool {
        match &self.stored {
            None => true,
            Some(stored) => stored.wait_until_stored(number).await,
        }
    }

    /// Waits until all entries so far are stored. Returns false if they cannot be stored at present.
    pub(crate) async fn wait_until_stored(&self) -> bool {
        self.stored.is_none() || self.wait_for_entry(self.checkpoint_if_due()).await
    }

    /// Whether new changes can be stored. If not, no request may change the state.
    pub(crate) fn is_writable(&self) -> bool {
        self.stored.as_ref().is_none_or(StorageProgress::is_writable)
    }

    /// Blocks until all entries so far are stored, or cannot be stored at present. Returns whether they are stored.
    pub(crate) fn flush(&self) -> bool {
        let Some(stored) = &self.stored else { return true };
        let last = self.checkpoint_if_due();
        let done = self.state().journal.flush();
        // An error means that the writer has ended.
        let _ = done.map(|done| done.recv());
        stored.is_stored(last)
    }

    /// Starts a checkpoint if one is due. Returns the number of the latest entry.
    pub(crate) fn checkpoint_if_due(&self) -> EntryNumber {
        let mut state = self.state();
        let last = state.journal.last();
        if state.journal.is_checkpoint_due() {
            let checkpoint = state.checkpoint(last, self.config.seed, &self.keys);
            state.journal.checkpoint(checkpoint);
        }
        last
    }

    /// Stores a final checkpoint and releases the data folder. After a panic the state is incomplete and not stored;
    /// the next start replays the journal instead.
    pub(crate) async fn close_journal(&self) {
        let Some(stored) = &self.stored else { return };
        match self.state.lock() {
            Ok(mut state) => {
                let last = state.journal.last();
                let checkpoint = state.checkpoint(last, self.config.seed, &self.keys);
                state.journal.close(Some(&checkpoint));
            }
            Err(broken) => broken.into_inner().journal.close(None),
        }
        stored.wait_until_closed().await;
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.control.borrow().broken
    }

    pub(crate) fn state(&self) -> Guard<'_, State> {
        lock(&self.state, &self.control)
    }

    pub(crate) fn clock(&self) -> Clock {
        self.running_clock.unwrap_or_else(|| self.state().clock)
    }

    /// The state, unless a panic has interrupted a change of it.
    pub(crate) fn intact_state(&self) -> Option<Guard<'_, State>> {
        lock_intact(&self.state, &self.control)
    }

    /// Holds back a request to `path` until all faults are cleared or the sandbox stops.
    pub(crate) async fn hold(&self, path: &str) {
        let mut released = self.held_paths.subscribe();
        let releases = released.borrow().releases();
        let _request = HeldPaths::hold(&self.held_paths, path);
        let mut control = self.control.subscribe();
        tokio::select! {
            // An error is impossible: the sender lives as long as `self`.
            _ = released.wait_for(|held| held.releases() != releases) => {}
            () = stopped(&mut control) => {}
        }
    }

    pub(crate) fn faults(&self) -> Guard<'_, Faults> {
        lock(&self.faults, &self.control)
    }

    pub(crate) fn saved(&self) -> Guard<'_, SavedStates> {
        lock(&self.saved, &self.control)
    }

    pub(crate) fn limits(&self) -> Guard<'_, RateLimits> {
        lock(&self.limits, &self.control)
    }

    /// A new id in the form of a UUID, for `trace` and pongs.
    pub(crate) fn trace(&self) -> String {
        let mut rng = Rng::new(self.next_trace_seed.fetch_add(1, Ordering::Relaxed));
        let (high, low) = (rng.next_u64(), rng.next_u64());
        let groups = [
            (8, high >> 32),
            (4, high >> 16),
            (4, 0x4000 | high & 0xfff),
            (4, 0xa000 | low >> 48 & 0xfff),
            (12, low),
        ];
        let mut text = String::with_capacity(36);
        for (digits, group) in groups {
            if !text.is_empty() {
                text.push('-');
            }
            // Every response has one, and formatting takes several times as long.
            for digit in (0..digits).rev() {
                text.push(char::from(b"0123456789abcdef"[(group >> (4 * digit) & 15) as usize]));
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_has_the_form_of_a_random_uuid() {
        let shared = Shared::new(Config::new().pairs([]).contracts([]).seed(7));
        let (first, second) = (shared.trace(), shared.trace());
        assert_ne!(first, second);
        for trace in [first, second] {
            let lengths: Vec<_> = trace.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{trace}");
            assert_eq!((&trace[14..15], &trace[19..20]), ("4", "a"), "{trace}");
            let is_hex = |byte: u8| b"0123456789abcdef-".contains(&byte);
            assert!(trace.bytes().all(is_hex), "{trace}");
        }
    }
}
