//! What all connections share: the state behind one lock, and the way to stop.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    auth::{KeyRing, MadeKey},
    clock::Clock,
    config::Config,
    exchange::{Exchange, rng::Rng},
    fault::{Faults, Held},
    guard::{Guard, lock},
    http::Limits,
    input::{Input, StoredKey},
    journal::{Checkpoint, Number, Recorder, Stored},
    reasons::Reasons,
    snapshot::{FORMAT, Parts, Snapshot},
    ws::{Feed, Rooms},
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
    /// Runs a command on the exchange at the present time and pushes what happened. `input` is what makes
    /// the same command happen again. A command without one changes nothing, so that not even what is due
    /// by now happens before it: the next beat sees to that.
    pub(crate) fn run<T>(
        &mut self,
        input: Option<Input>,
        command: impl FnOnce(&mut Exchange, u64) -> T,
    ) -> T {
        let now_ms = self.clock.now_ms();
        if input.is_some() {
            self.exchange.settle_due(now_ms);
        }
        let result = command(&mut self.exchange, now_ms);
        if let Some(input) = input {
            self.exchange.run_triggers(now_ms);
            self.record(input, now_ms);
        }
        self.feed.publish(&mut self.exchange, now_ms);
        result
    }

    /// What is due by now happens and is pushed.
    pub(crate) fn settle(&mut self) {
        self.run(Some(Input::Time), |_, _| ());
    }

    fn record(&mut self, input: Input, now_ms: u64) {
        let exchange = &self.exchange;
        self.feed.latest = self.recorder.record(input, now_ms, || exchange.mark());
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
        self.run(Some(Input::Hold(held)), |_, _| ());
    }

    /// Sends the recorded frames that are due; says how long until the next one.
    pub(crate) fn play(&mut self) -> Option<Duration> {
        let wait = self.feed.play(self.clock.now_ms())?;
        Some(self.clock.on_machine(wait))
    }

    /// One beat: the market moves, the feed pushes.
    pub(crate) fn tick(&mut self) {
        let held = self.held;
        self.run(Some(Input::Beat), |exchange, now_ms| {
            if !held {
                exchange.step_market(now_ms);
            }
        });
        self.feed.tick(&self.exchange, self.clock.now_ms());
        self.play();
    }
}

/// What every task watches: when to close connections, and when to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// Counts how often all WebSockets were killed.
    pub(crate) kills: u64,
    pub(crate) stop: bool,
    /// The operator has requested that whoever runs the sandbox stops it.
    pub(crate) stop_requested: bool,
    /// It broke off in the middle of something.
    pub(crate) broken: bool,
}

/// Waits until the sandbox stops.
pub(crate) async fn stopped(control: &mut watch::Receiver<Control>) {
    // An error means that the sandbox is gone altogether.
    drop(control.wait_for(|control| control.stop).await);
}

/// Waits until the sandbox stops or kills its WebSockets.
pub(crate) async fn cut(control: &mut watch::Receiver<Control>, kills: u64) {
    drop(control.wait_for(|control| control.stop || control.kills != kills).await);
}

#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    faults: Mutex<Faults>,
    pub(crate) held: watch::Sender<Held>,
    limits: Mutex<Limits>,
    rooms: Mutex<Rooms>,
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
        state.exchange.admit(&self.config.customers());
        state.settle();
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
            rooms: Mutex::new(Rooms::default()),
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
        state.feed.latest = recorder.last();
        state.recorder = recorder;
        drop(state);
        self.stored = Some(stored);
    }

    /// Waits until an input is stored, so that what came of it may be told; false when it cannot be stored now.
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

    pub(crate) fn rooms(&self) -> Guard<'_, Rooms> {
        lock(&self.rooms, &self.control)
    }

    /// A new id in the form of a UUID, for `trace` and pongs.
    pub(crate) fn trace(&self) -> String {
        let mut rng = Rng::new(self.traces.fetch_add(1, Ordering::Relaxed));
        let (high, low) = (rng.next(), rng.next());
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
