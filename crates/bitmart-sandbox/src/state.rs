//! The state of a sandbox: the exchange, its clock and its feed.

use std::time::Duration;

use bitmart_sim::{AccountId, Command, Exchange, Outcome, Reject, control::ControlError};

use crate::{
    auth::KeyRing,
    clock::Clock,
    feed::Feed,
    journal::{Change, Checkpoint, EntryNumber, Journal, StoredKey},
    keys::{ApiKey, Permission},
    snapshot::{FORMAT, Parts, Snapshot},
};

/// The duration of a step: how often the market moves and books are pushed.
pub(crate) const STEP: Duration = Duration::from_millis(100);

/// The exchange, its clock and the feed. They share one lock, so that frames are sent in the order of the events.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) exchange: Exchange,
    pub(crate) clock: Clock,
    pub(crate) feed: Feed,
    /// Whether the market makers are paused.
    pub(crate) makers_paused: bool,
    pub(crate) journal: Journal,
}

impl State {
    /// Applies a command at the current time, stores it, and pushes its events.
    pub(crate) fn apply(&mut self, command: Command) -> Result<Outcome, Reject> {
        // Rejected commands are stored as well. They change nothing, but tasks that were due and trigger orders ran at
        // their time, and a replay has to run them at the same time.
        let change = Change::Command(command.clone());
        self.execute(change, |exchange, now_ms| exchange.apply(command, now_ms))
    }

    /// Makes a change with `apply`, stores it so that it can be replayed, and pushes its events.
    pub(crate) fn execute<T>(
        &mut self,
        change: Change,
        apply: impl FnOnce(&mut Exchange, u64) -> T,
    ) -> T {
        let now_ms = self.clock.now_ms();
        let result = apply(&mut self.exchange, now_ms);
        self.store(change, now_ms);
        result
    }

    fn store(&mut self, change: Change, now_ms: u64) {
        let exchange = &self.exchange;
        let number = self.journal.append(change, now_ms, || exchange.fingerprint());
        self.feed.set_last_entry(number);
        self.feed.publish(&mut self.exchange, now_ms);
    }

    /// Processes and pushes the events that are due by now.
    pub(crate) fn process_due(&mut self) {
        // Waiting is never rejected.
        let _ = self.apply(Command::Wait);
    }

    /// The state with the seed and the derived keys. Keys only change while the state is locked, so both are
    /// consistent.
    pub(crate) fn snapshot(&self, seed: u64, keys: &KeyRing) -> Snapshot {
        Snapshot::of(Parts {
            format: FORMAT,
            seed,
            now_ms: self.clock.now_ms(),
            stepped: self.clock.is_stepped(),
            makers_paused: self.makers_paused,
            keys: keys.derived(),
            versions: self.feed.versions(),
            exchange: self.exchange.clone(),
        })
    }

    /// The complete state after the entry `last`.
    pub(crate) fn checkpoint(&self, last: EntryNumber, seed: u64, keys: &KeyRing) -> Checkpoint {
        let added = keys.added().into_iter().map(StoredKey::from).collect();
        Checkpoint::new(last, added, self.snapshot(seed, keys))
    }

    /// Derives a key from the seed.
    pub(crate) fn derive_key(
        &mut self,
        keys: &KeyRing,
        account: u32,
        permissions: Vec<Permission>,
    ) -> Result<ApiKey, ControlError> {
        let change = Change::DeriveKey { account, permissions: permissions.clone() };
        self.execute(change, |exchange, now_ms| {
            process_due_events(exchange, now_ms);
            let main = exchange.customer(AccountId(account))?;
            Ok(keys.derive(account, main.map(|main| main.0), permissions))
        })
    }

    /// Adds a given key. Returns false if a key with the same name exists.
    pub(crate) fn add_key(&mut self, keys: &KeyRing, key: ApiKey) -> Result<bool, ControlError> {
        let change = Change::AddKey(key.clone().into());
        self.execute(change, |exchange, now_ms| {
            process_due_events(exchange, now_ms);
            let main = exchange.customer(AccountId(key.account))?;
            Ok(keys.add(ApiKey { main: main.map(|main| main.0), ..key }))
        })
    }

    /// Makes a change of the journal again. Its result was returned when it was made first.
    pub(crate) fn replay(&mut self, keys: &KeyRing, change: Change) {
        match change {
            Change::Command(command) => {
                let _ = self.apply(command);
            }
            Change::Step => self.step(),
            Change::PauseMarketMakers(paused) => self.pause_market_makers(paused),
            Change::DeriveKey { account, permissions } => {
                let _ = self.derive_key(keys, account, permissions);
            }
            Change::AddKey(key) => {
                let _ = self.add_key(keys, key.into());
            }
        }
    }

    pub(crate) fn pause_market_makers(&mut self, paused: bool) {
        self.makers_paused = paused;
        self.execute(Change::PauseMarketMakers(paused), process_due_events);
    }

    /// Sends the recorded frames that are due. Returns the time until the next frame.
    pub(crate) fn play(&mut self) -> Option<Duration> {
        let wait = self.feed.play(self.clock.now_ms())?;
        Some(self.clock.machine_duration(wait))
    }

    /// Advances market and feed by one step.
    pub(crate) fn step(&mut self) {
        let command = if self.makers_paused { Command::Wait } else { Command::StepMarket };
        // Neither command is ever rejected.
        let _ = self.execute(Change::Step, |exchange, now_ms| exchange.apply(command, now_ms));
        self.feed.step(&self.exchange, self.clock.now_ms());
        self.play();
    }
}

/// Processes the events that are due.
fn process_due_events(exchange: &mut Exchange, now_ms: u64) {
    // Waiting is never rejected.
    let _ = exchange.apply(Command::Wait, now_ms);
}
