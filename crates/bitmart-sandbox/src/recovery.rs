//! Opens an exchange: a new one, or the one of a data folder, whose journal is replayed.

use std::path::{Path, PathBuf};

use bitmart_sim::{Command, Exchange, OperatorCommand};

use crate::{
    auth::KeyRing,
    clock::Clock,
    config::Config,
    feed::Feed,
    journal::{
        Checkpoint, DataError, Entry, EntryNumber, Folder, Journal, OpenStore, Storage,
        StorageEvent, StorageProgress, StoredState,
    },
    state::State,
};

/// An exchange that is not served yet: a new one, or one from a data folder.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) config: Config,
    pub(crate) state: State,
    pub(crate) keys: KeyRing,
    /// The progress of the journal; `None` without a data folder.
    pub(crate) stored: Option<StorageProgress>,
}

impl Opened {
    pub(crate) fn new(config: Config) -> Self {
        let mut opened = Self::resume(config);
        opened.open_configured_accounts();
        opened
    }

    /// Sets up the configured exchange. A restored exchange is not changed.
    pub(crate) fn resume(mut config: Config) -> Self {
        let clock = config.clock.start();
        let (exchange, makers_paused, derived, versions) = match config.restored.take() {
            None => (Exchange::new(&config.setup(), clock.now_ms()), false, Vec::new(), None),
            Some(snapshot) => {
                let parts = snapshot.into_parts();
                (parts.exchange, parts.makers_paused, parts.keys, Some(parts.versions))
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
        let keys = KeyRing::new(config.seed, &config.keys_or_default(), derived);
        let state = State { exchange, clock, feed, makers_paused, journal: Journal::Off };
        Self { config, state, keys, stored: None }
    }

    /// Opens the missing accounts of configured keys, and processes the events that became due since the exchange was
    /// saved.
    pub(crate) fn open_configured_accounts(&mut self) {
        let customers = OperatorCommand::OpenAccounts(self.config.customers());
        // Existing accounts are not changed.
        let _ = self.state.apply(Command::Operator(customers));
    }

    /// The complete state after the entry `last`.
    pub(crate) fn checkpoint(&self, last: EntryNumber) -> Checkpoint {
        self.state.checkpoint(last, self.config.seed, &self.keys)
    }

    /// Stores all further changes.
    pub(crate) fn start_journal(&mut self, journal: Journal, stored: StorageProgress) {
        self.state.feed.set_last_entry(journal.last());
        self.state.journal = journal;
        self.stored = Some(stored);
    }
}

/// A data folder that cannot be used.
#[derive(Debug)]
pub(crate) struct OpenError {
    pub(crate) folder: PathBuf,
    pub(crate) error: DataError,
}

/// Opens an exchange as configured. With a data folder, it continues from the stored state, and all further changes are
/// stored.
pub(crate) fn open(config: Config) -> Result<Opened, OpenError> {
    match config.data.clone() {
        None => Ok(Opened::new(config)),
        Some(folder) => {
            let name = folder.display().to_string();
            let notify = move |event| match event {
                StorageEvent::Converted { entries } => eprintln!(
                    "bitmart-sandbox: {name} was written by an older version: its {entries} latest entries were \
                     replayed, and the result could not be compared with the former one"
                ),
                StorageEvent::Stalled(error) => eprintln!(
                    "bitmart-sandbox: cannot write to {name}: {error}. Requests with an effect are rejected until \
                     there is free space. Every acknowledged change is stored."
                ),
                StorageEvent::Resumed => {
                    eprintln!("bitmart-sandbox: {name} can be written to again");
                }
                StorageEvent::Failed(error) => eprintln!(
                    "bitmart-sandbox: cannot write to {name}: {error}. Requests with an effect are rejected from \
                     now on. Every acknowledged change is stored."
                ),
            };
            let opened = start(config, &folder, notify);
            opened.map_err(|error| OpenError { folder, error })
        }
    }
}

fn start(
    config: Config,
    folder: &Path,
    notify: impl FnMut(StorageEvent) + Send + 'static,
) -> Result<Opened, DataError> {
    let folder = Folder::lock(folder)?;
    if folder.has_store() {
        return if config.restored.is_some() {
            Err(DataError::NotEmpty)
        } else {
            resume(config, folder, notify)
        };
    }
    let opened = Opened::new(config);
    let store = OpenStore::create(folder, &opened.checkpoint(0))?;
    start_journal(opened, 0, store, notify)
}

/// Continues from the stored state.
pub(crate) fn resume(
    config: Config,
    storage: impl Storage,
    mut notify: impl FnMut(StorageEvent) + Send + 'static,
) -> Result<Opened, DataError> {
    let store = OpenStore::open(storage)?;
    let stored = store.load()?;
    let (entries, has_fingerprints) = (stored.entries.len(), stored.has_fingerprints);
    let (opened, last) = replay_entries(config, stored)?;
    // A new checkpoint in the current format, so that later entries are never replayed with an older configuration.
    store.checkpoint(&opened.checkpoint(last))?;
    if !has_fingerprints {
        notify(StorageEvent::Converted { entries });
    }
    start_journal(opened, last, store, notify)
}

/// Starts the writer: from now on all entries are stored.
fn start_journal(
    mut opened: Opened,
    last: EntryNumber,
    store: OpenStore<impl Storage>,
    notify: impl FnMut(StorageEvent) + Send + 'static,
) -> Result<Opened, DataError> {
    let (journal, stored) = store.start_writer(last, notify)?;
    opened.start_journal(journal, stored);
    Ok(opened)
}

/// Replays the stored entries. Returns the state and the number of the last entry.
fn replay_entries(config: Config, stored: StoredState) -> Result<(Opened, EntryNumber), DataError> {
    let StoredState { mut last, version, keys, snapshot, entries, has_fingerprints } = stored;
    let mut opened = Opened::resume(config.restore(snapshot));
    for key in keys {
        // A configured key takes precedence over a stored key with the same name.
        let _ = opened.keys.add(key.into());
    }
    for (number, entry) in entries {
        if number != last + 1 {
            return Err(DataError::MissingEntry(last + 1));
        }
        last = number;
        let is_same = replay_entry(&mut opened, entry);
        if has_fingerprints && !is_same {
            return Err(DataError::Diverged { number, written_by: version });
        }
    }
    let state = &mut opened.state;
    state.journal = Journal::Off;
    // A stepped clock stays at its time. Other clocks continue from there.
    state.clock = opened.config.clock.not_before(state.clock.now_ms()).start();
    opened.open_configured_accounts();
    Ok((opened, last))
}

/// Replays an entry. Returns false if it led to another state.
fn replay_entry(opened: &mut Opened, entry: Entry) -> bool {
    let Entry { now_ms, fingerprint, change } = entry;
    let Opened { state, keys, .. } = opened;
    state.clock = Clock::Stepped { now_ms };
    state.journal = Journal::Replay(None);
    state.replay(keys, change);
    matches!(state.journal, Journal::Replay(Some(again)) if again == fingerprint)
}
