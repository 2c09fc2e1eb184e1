//! The state of a sandbox: the exchange, its clock and its feed.

use std::time::Duration;

use bitmart_sim::{AccountId, Command, Exchange, Outcome, Reject, control::ControlError};

use crate::{
    auth::KeyRing,
    clock::Clock,
    feed::Feed,
    input_number::InputNumber,
    journal::{Checkpoint, Entry, Recorder, StoredKey},
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
    pub(crate) recorder: Recorder,
}

impl State {
    /// Applies a command at the current time, stores it, and pushes its events.
    pub(crate) fn apply(&mut self, command: Command) -> Result<Outcome, Reject> {
        // Rejected commands are stored as well. They change nothing, but tasks that were due and trigger orders ran at
        // their time, and a replay has to run them at the same time.
        let entry = Entry::Command(command.clone());
        self.execute(entry, |exchange, now_ms| exchange.apply(command, now_ms))
    }

    /// Changes the exchange, stores the entry with which the change can be replayed, and pushes its events.
    pub(crate) fn execute<T>(
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
        let latest = self.recorder.record(entry, now_ms, || exchange.fingerprint());
        self.feed.set_latest(latest);
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

    /// The complete state after the input `last`.
    pub(crate) fn checkpoint(&self, last: InputNumber, seed: u64, keys: &KeyRing) -> Checkpoint {
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
        let entry = Entry::MakeKey { account, permissions: permissions.clone() };
        self.execute(entry, |exchange, now_ms| {
            process_due_events(exchange, now_ms);
            let main = exchange.customer(AccountId(account))?;
            Ok(keys.derive(account, main.map(|main| main.0), permissions))
        })
    }

    /// Adds a given key. Returns false if a key with the same name exists.
    pub(crate) fn add_key(&mut self, keys: &KeyRing, key: ApiKey) -> Result<bool, ControlError> {
        let entry = Entry::AddKey(key.clone().into());
        self.execute(entry, |exchange, now_ms| {
            process_due_events(exchange, now_ms);
            let main = exchange.customer(AccountId(key.account))?;
            Ok(keys.add(ApiKey { main: main.map(|main| main.0), ..key }))
        })
    }

    /// Replays an entry of the journal. Its result was returned when it was applied first.
    pub(crate) fn replay(&mut self, keys: &KeyRing, entry: Entry) {
        match entry {
            Entry::Command(command) => {
                let _ = self.apply(command);
            }
            Entry::Step => self.step(),
            Entry::Hold(paused) => self.hold(paused),
            Entry::MakeKey { account, permissions } => {
                let _ = self.derive_key(keys, account, permissions);
            }
            Entry::AddKey(key) => {
                let _ = self.add_key(keys, key.into());
            }
        }
    }

    pub(crate) fn hold(&mut self, paused: bool) {
        self.makers_paused = paused;
        self.execute(Entry::Hold(paused), process_due_events);
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
        let _ = self.execute(Entry::Step, |exchange, now_ms| exchange.apply(command, now_ms));
        self.feed.step(&self.exchange, self.clock.now_ms());
        self.play();
    }
}

/// Processes the events that are due.
fn process_due_events(exchange: &mut Exchange, now_ms: u64) {
    // Waiting is never rejected.
    let _ = exchange.apply(Command::Wait, now_ms);
}
