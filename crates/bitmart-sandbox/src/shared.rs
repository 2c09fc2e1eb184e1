//! What all connections share: the state behind one lock.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    auth::{KeyRing, MadeKey},
    clock::Clock,
    config::Config,
    connection_limiter::ConnectionLimiter,
    exchange::{Command, Exchange, OperatorCommand, Outcome, Reject, rng::Rng},
    fault::{Faults, Held},
    feed::Feed,
    guard::{Guard, lock},
    journal::{Checkpoint, Entry, Number, Recorder, Stored, StoredKey},
    rate_limits::Limits,
    reasons::Reasons,
    shutdown::{Control, stopped},
    snapshot::{FORMAT, Parts, Snapshot},
};

/// How often the market moves and books are pushed.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// The exchange, its clock and the subscribers. One lock around all of it keeps frames in the order
/// of the events.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) exchange: Exchange,
    pub(crate) clock: Clock,
    pub(crate) feed: Feed,
    /// The market makers do nothing.
    pub(crate) held: bool,
    pub(crate) recorder: Recorder,
}

impl State {
    /// Applies a command at the present time, stores it, and pushes what happened.
    pub(crate) fn apply(&mut self, command: Command) -> Result<Outcome, Reject> {
        let now_ms = self.clock.now_ms();
        let result = self.exchange.apply(command.clone(), now_ms);
        // Of a rejected command only its time has passed.
        let applied = if result.is_ok() { command } else { Command::Wait };
        self.store(Entry::Command(applied), now_ms);
        result
    }

    /// Changes the exchange, stores the entry that makes the same change happen again, and pushes what
    /// happened.
    pub(crate) fn enter<T>(
        &mut self,
        entry: Entry,
        change: impl FnOnce(&mut Exchange, u64) -> T,
    ) -> T {
        let now_ms = self.clock.now_ms();
        let result = change(&mut self.exchange, now_ms);
        self.store(entry, now_ms);
        result
    }

    fn store(&mut self, entry: Entry, now_ms: u64) {
        let exchange = &self.exchange;
        let latest = self.recorder.record(entry, now_ms, || exchange.mark());
        self.feed.set_latest(latest);
        self.feed.publish(&mut self.exchange, now_ms);
    }

    /// What is due by now happens and is pushed.
    pub(crate) fn settle(&mut self) {
        // Waiting is never rejected.
        let _ = self.apply(Command::Wait);
    }

    /// The state with the seed and the keys that were made.
    pub(crate) fn snapshot(&self, seed: u64, keys: Vec<MadeKey>) -> Snapshot {
        Snapshot::of(Parts {
            format: FORMAT,
            seed,
            now_ms: self.clock.now_ms(),
            stepped: self.clock.is_stepped(),
            held: self.held,
            keys,
            versions: self.feed.versions(),
            exchange: self.exchange.clone(),
        })
    }

    pub(crate) fn hold(&mut self, held: bool) {
        self.held = held;
        self.enter(Entry::Hold(held), wait);
    }

    /// Sends the recorded frames that are due; returns how long until the next one.
    pub(crate) fn play(&mut self) -> Option<Duration> {
        let wait = self.feed.play(self.clock.now_ms())?;
        Some(self.clock.on_machine(wait))
    }

    /// One beat: the market moves, the feed pushes.
    pub(crate) fn tick(&mut self) {
        let command = if self.held { Command::Wait } else { Command::StepMarket };
        // Neither is ever rejected.
        let _ = self.enter(Entry::Step, |exchange, now_ms| exchange.apply(command, now_ms));
        self.feed.tick(&self.exchange, self.clock.now_ms());
        self.play();
    }
}

/// Lets the time pass.
pub(crate) fn wait(exchange: &mut Exchange, now_ms: u64) {
    // Waiting is never rejected.
    let _ = exchange.apply(Command::Wait, now_ms);
}

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
    pub(crate) fn new(config: Config) -> Self {
        let shared = Self::resume(config);
        shared.admit();
        shared
    }

    /// Opens the accounts that configured keys name and that are not there. What fell due since an
    /// exchange was saved happens.
    pub(crate) fn admit(&self) {
        let mut state = self.state();
        let customers = OperatorCommand::OpenAccounts(self.config.customers());
        // Accounts that are there already stay as they are.
        let _ = state.apply(Command::Operator(customers));
    }

    /// The exchange as configured; one that is restored is left as it was.
    pub(crate) fn resume(mut config: Config) -> Self {
        let clock = config.clock.clock();
        let (exchange, held, made, versions) = match config.restored.take() {
            None => (Exchange::new(&config.setup(), clock.now_ms()), false, Vec::new(), None),
            Some(snapshot) => {
                let parts = snapshot.into_parts();
                (parts.exchange, parts.held, parts.keys, Some(parts.versions))
            }
        };
        let mut feed = Feed::new(&exchange, config.seed);
        if config.slow_futures_books {
            feed.slow_futures_books();
        }
        feed.replay(std::mem::take(&mut config.replay));
        if let Some(versions) = versions {
            feed.resume(&versions);
        }
        Self {
            state: Mutex::new(State { exchange, clock, feed, held, recorder: Recorder::Off }),
            faults: Mutex::new(Faults::default()),
            held: watch::Sender::new(Held::default()),
            limits: Mutex::new(Limits::default()),
            connections: Arc::default(),
            keys: KeyRing::new(config.seed, &config.keys_or_default(), made),
            reasons: Reasons::new(config.reasons_on_stderr),
            control: watch::Sender::new(Control::default()),
            stored: None,
            traces: AtomicU64::new(config.seed),
            config,
        }
    }

    /// Stores from now on what happens.
    pub(crate) fn start_journal(&mut self, recorder: Recorder, stored: Stored) {
        let mut state = self.state();
        state.feed.set_latest(recorder.last());
        state.recorder = recorder;
        drop(state);
        self.stored = Some(stored);
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
            let checkpoint = self.checkpoint_of(&state, last);
            state.recorder.checkpoint(checkpoint);
        }
        last
    }

    /// The whole state after the input of this number.
    pub(crate) fn checkpoint(&self, last: Number) -> Checkpoint {
        self.checkpoint_of(&self.state(), last)
    }

    fn checkpoint_of(&self, state: &State, last: Number) -> Checkpoint {
        // Keys change under the lock of the state only, so that both belong together.
        let keys = self.keys.added().into_iter().map(StoredKey::from).collect();
        let snapshot = state.snapshot(self.config.seed, self.keys.made());
        Checkpoint::new(last, keys, snapshot)
    }

    /// Stores the whole state and frees the data folder. What a panic left half done is not stored: the next
    /// start makes the state from the inputs before.
    pub(crate) async fn close_journal(&self) {
        let Some(stored) = &self.stored else { return };
        match self.state.lock() {
            Ok(mut state) => {
                let checkpoint = self.checkpoint_of(&state, state.recorder.last());
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
