//! The state of a sandbox: the exchange, its clock, and what is pushed of it. It knows of no connection.

use std::time::Duration;

use bitmart_sim::{
    AccountId, Command, Exchange, OperatorCommand, Outcome, Reject, control::ControlError,
};

use crate::{
    auth::KeyRing,
    clock::Clock,
    config::Config,
    feed::Feed,
    journal::{Checkpoint, Entry, Number, Recorder, Stored, StoredKey},
    keys::{ApiKey, Permission},
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
        // Rejected commands are stored as well: one that closes several positions may have closed some before.
        let entry = Entry::Command(command.clone());
        self.enter(entry, |exchange, now_ms| exchange.apply(command, now_ms))
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

    /// The state with the seed and the keys that were made. Keys change under the lock of the state only, so
    /// that both belong together.
    pub(crate) fn snapshot(&self, seed: u64, keys: &KeyRing) -> Snapshot {
        Snapshot::of(Parts {
            format: FORMAT,
            seed,
            now_ms: self.clock.now_ms(),
            stepped: self.clock.is_stepped(),
            held: self.held,
            keys: keys.made(),
            versions: self.feed.versions(),
            exchange: self.exchange.clone(),
        })
    }

    /// The whole state after the input of this number.
    pub(crate) fn checkpoint(&self, last: Number, seed: u64, keys: &KeyRing) -> Checkpoint {
        let added = keys.added().into_iter().map(StoredKey::from).collect();
        Checkpoint::new(last, added, self.snapshot(seed, keys))
    }

    /// Makes a key from the seed.
    pub(crate) fn make_key(
        &mut self,
        keys: &KeyRing,
        account: u32,
        permissions: Vec<Permission>,
    ) -> Result<ApiKey, ControlError> {
        let entry = Entry::MakeKey { account, permissions: permissions.clone() };
        self.enter(entry, |exchange, now_ms| {
            wait(exchange, now_ms);
            let main = exchange.customer(AccountId(account))?;
            Ok(keys.make(account, main.map(|main| main.0), permissions))
        })
    }

    /// Adds a key; false when there is one of that name.
    pub(crate) fn add_key(&mut self, keys: &KeyRing, key: ApiKey) -> Result<bool, ControlError> {
        let entry = Entry::AddKey(key.clone().into());
        self.enter(entry, |exchange, now_ms| {
            wait(exchange, now_ms);
            let main = exchange.customer(AccountId(key.account))?;
            Ok(keys.add(ApiKey { main: main.map(|main| main.0), ..key }))
        })
    }

    /// Repeats an entry of the journal. Its result was returned when it happened first.
    pub(crate) fn repeat(&mut self, keys: &KeyRing, entry: Entry) {
        match entry {
            Entry::Command(command) => {
                let _ = self.apply(command);
            }
            Entry::Step => self.tick(),
            Entry::Hold(held) => self.hold(held),
            Entry::MakeKey { account, permissions } => {
                let _ = self.make_key(keys, account, permissions);
            }
            Entry::AddKey(key) => {
                let _ = self.add_key(keys, key.into());
            }
        }
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
fn wait(exchange: &mut Exchange, now_ms: u64) {
    // Waiting is never rejected.
    let _ = exchange.apply(Command::Wait, now_ms);
}

/// An exchange that nobody serves yet: new, or from a data folder.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) config: Config,
    pub(crate) state: State,
    pub(crate) keys: KeyRing,
    /// How far the state is stored; none when it is not.
    pub(crate) stored: Option<Stored>,
}

impl Opened {
    pub(crate) fn new(config: Config) -> Self {
        let mut opened = Self::resume(config);
        opened.admit();
        opened
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
        let keys = KeyRing::new(config.seed, &config.keys_or_default(), made);
        let state = State { exchange, clock, feed, held, recorder: Recorder::Off };
        Self { config, state, keys, stored: None }
    }

    /// Opens the accounts that configured keys name and that are not there. What fell due since an
    /// exchange was saved happens.
    pub(crate) fn admit(&mut self) {
        let customers = OperatorCommand::OpenAccounts(self.config.customers());
        // Accounts that are there already stay as they are.
        let _ = self.state.apply(Command::Operator(customers));
    }

    /// The whole state after the input of this number.
    pub(crate) fn checkpoint(&self, last: Number) -> Checkpoint {
        self.state.checkpoint(last, self.config.seed, &self.keys)
    }

    /// Stores from now on what happens.
    pub(crate) fn start_journal(&mut self, recorder: Recorder, stored: Stored) {
        self.state.feed.set_latest(recorder.last());
        self.state.recorder = recorder;
        self.stored = Some(stored);
    }
}
