//! What all connections share: the state behind one lock.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use bitmart_sim::rng::Rng;
use tokio::sync::watch;

use crate::{
    auth::KeyRing,
    config::Config,
    connection_limiter::ConnectionLimiter,
    fault::{Faults, Held},
    guard::{Guard, lock},
    journal::{Number, Stored},
    rate_limits::Limits,
    reasons::Reasons,
    shutdown::{Control, stopped},
    state::{Opened, State},
};

#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    faults: Mutex<Faults>,
    pub(crate) held: watch::Sender<Held>,
    limits: Mutex<Limits>,
    pub(crate) connections: Arc<ConnectionLimiter>,
    pub(crate) keys: KeyRing,
    pub(crate) reasons: Reasons,
    pub(crate) config: Config,
    pub(crate) control: watch::Sender<Control>,
    /// How far the state is stored; none when it is not.
    stored: Option<Stored>,
    traces: AtomicU64,
}

impl Shared {
    /// A new exchange as configured that is stored nowhere.
    #[cfg(test)]
    pub(crate) fn new(config: Config) -> Self {
        Self::of(Opened::new(config))
    }

    /// Serves an exchange.
    pub(crate) fn of(opened: Opened) -> Self {
        let Opened { config, state, keys, stored } = opened;
        Self {
            state: Mutex::new(state),
            faults: Mutex::new(Faults::default()),
            held: watch::Sender::new(Held::default()),
            limits: Mutex::new(Limits::default()),
            connections: Arc::default(),
            keys,
            reasons: Reasons::new(config.reasons_on_stderr),
            control: watch::Sender::new(Control::default()),
            stored,
            traces: AtomicU64::new(config.seed),
            config,
        }
    }

    /// Waits until an input is stored, so that its outcome may be reported; false when it cannot be stored now.
    pub(crate) async fn stored(&self, number: Number) -> bool {
        match &self.stored {
            None => true,
            Some(stored) => stored.reaches(number).await,
        }
    }

    /// Waits until all that has happened so far is stored; false when it cannot be stored now.
    pub(crate) async fn settled(&self) -> bool {
        self.stored.is_none() || self.stored(self.latest()).await
    }

    /// Whether what happens now can be stored. Where it cannot, nothing that changes the state may happen.
    pub(crate) fn takes_inputs(&self) -> bool {
        self.stored.as_ref().is_none_or(Stored::takes_inputs)
    }

    /// The same as [`settled`](Self::settled) for callers that cannot await.
    pub(crate) fn flush(&self) {
        if self.stored.is_some() {
            self.latest();
            let done = self.state().recorder.flush();
            // An error is the end of the wait.
            let _ = done.map(|done| done.recv());
        }
    }

    /// The number of the latest input. The whole state is written down when it is time to.
    pub(crate) fn latest(&self) -> Number {
        let mut state = self.state();
        let last = state.recorder.last();
        if state.recorder.wants_checkpoint() {
            let checkpoint = state.checkpoint(last, self.config.seed, &self.keys);
            state.recorder.checkpoint(checkpoint);
        }
        last
    }

    /// Stores the whole state and frees the data folder. What a panic left half done is not stored: the next
    /// start makes the state from the inputs before.
    pub(crate) async fn close_journal(&self) {
        let Some(stored) = &self.stored else { return };
        match self.state.lock() {
            Ok(mut state) => {
                let last = state.recorder.last();
                let checkpoint = state.checkpoint(last, self.config.seed, &self.keys);
                state.recorder.close(&checkpoint);
            }
            Err(broken) => drop(std::mem::take(&mut broken.into_inner().recorder)),
        }
        stored.ended().await;
    }

    pub(crate) fn is_broken(&self) -> bool {
        self.control.borrow().broken
    }

    pub(crate) fn state(&self) -> Guard<'_, State> {
        lock(&self.state, &self.control)
    }

    /// Holds a request to `path` back until the faults are switched off or the sandbox stops.
    pub(crate) async fn hold(&self, path: &str) {
        let mut released = self.held.subscribe();
        let round = released.borrow().round();
        let _place = Held::enter(&self.held, path);
        let mut control = self.control.subscribe();
        tokio::select! {
            // The sender lives as long as this.
            _ = released.wait_for(|held| held.round() != round) => {}
            () = stopped(&mut control) => {}
        }
    }

    pub(crate) fn faults(&self) -> Guard<'_, Faults> {
        lock(&self.faults, &self.control)
    }

    pub(crate) fn limits(&self) -> Guard<'_, Limits> {
        lock(&self.limits, &self.control)
    }

    /// A new id in the form of a UUID, for `trace` and pongs.
    pub(crate) fn trace(&self) -> String {
        let mut rng = Rng::new(self.traces.fetch_add(1, Ordering::Relaxed));
        let (high, low) = (rng.draw(), rng.draw());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0xfff,
            low & 0xffff_ffff_ffff
        )
    }
}
