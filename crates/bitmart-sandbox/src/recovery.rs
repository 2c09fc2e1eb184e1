//! Opens an exchange: a new one, or the one of a data folder, whose journal is replayed.

use std::path::{Path, PathBuf};

use bitmart_sim::{Command, Exchange, OperatorCommand};

use crate::{
    auth::KeyRing,
    clock::Clock,
    config::Config,
    feed::Feed,
    input_number::InputNumber,
    journal::{
        Checkpoint, DataError, Folder, OpenStore, Record, Recorder, Storage, StorageEvent,
        StorageProgress, StoredState,
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
        let state = State { exchange, clock, feed, makers_paused, recorder: Recorder::Off };
        Self { config, state, keys, stored: None }
    }

    /// Opens the missing accounts of configured keys, and processes the events that became due since the exchange was
    /// saved.
    pub(crate) fn open_configured_accounts(&mut self) {
        let customers = OperatorCommand::OpenAccounts(self.config.customers());
        // Existing accounts are not changed.
        let _ = self.state.apply(Command::Operator(customers));
    }

    /// The complete state after the input `last`.
    pub(crate) fn checkpoint(&self, last: InputNumber) -> Checkpoint {
        self.state.checkpoint(last, self.config.seed, &self.keys)
    }

    /// Records all further inputs.
    pub(crate) fn start_journal(&mut self, recorder: Recorder, stored: StorageProgress) {
        self.state.feed.set_latest(recorder.last());
        self.state.recorder = recorder;
        self.stored = Some(stored);
    }
}

/// A data folder that cannot be used.
#[derive(Debug)]
pub(crate) struct OpenError {
    pub(crate) folder: PathBuf,
    pub(crate) error: DataError,
}

/// Opens an exchange as configured. With a data folder, it continues from the stored state, and all further inputs are
/// stored.
pub(crate) fn open(config: Config) -> Result<Opened, OpenError> {
    match config.data.clone() {
        None => Ok(Opened::new(config)),
        Some(folder) => {
            let name = folder.display().to_string();
            let notify = move |event| match event {
                StorageEvent::Converted { inputs } => eprintln!(
                    "bitmart-sandbox: {name} was written by an older version: its {inputs} latest inputs were \
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
    let folder = Folder::take(folder)?;
    if !folder.is_empty() {
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
    let (inputs, has_marks) = (stored.inputs.len(), stored.has_marks);
    let (opened, last) = replay_inputs(config, stored)?;
    // A new checkpoint, so that later inputs are never replayed with an older configuration. It has the current format.
    store.checkpoint(&opened.checkpoint(last))?;
    if !has_marks {
        notify(StorageEvent::Converted { inputs });
    }
    start_journal(opened, last, store, notify)
}

/// Starts the writer: from now on all inputs are stored.
fn start_journal(
    mut opened: Opened,
    last: InputNumber,
    store: OpenStore<impl Storage>,
    notify: impl FnMut(StorageEvent) + Send + 'static,
) -> Result<Opened, DataError> {
    let (recorder, stored) = store.start_writer(last, notify)?;
    opened.start_journal(recorder, stored);
    Ok(opened)
}

/// Replays the stored inputs. Returns the state and the number of the last input.
fn replay_inputs(config: Config, stored: StoredState) -> Result<(Opened, InputNumber), DataError> {
    let StoredState { mut last, version, keys, snapshot, inputs, has_marks } = stored;
    let mut opened = Opened::resume(config.restore(snapshot));
    for key in keys {
        // A configured key takes precedence over a stored key with the same name.
        let _ = opened.keys.add(key.into());
    }
    for (number, record) in inputs {
        if number != last + 1 {
            return Err(DataError::MissingInput(last + 1));
        }
        last = number;
        let is_same = replay_input(&mut opened, record);
        if has_marks && !is_same {
            return Err(DataError::Diverged { number, written_by: version });
        }
    }
    let state = &mut opened.state;
    state.recorder = Recorder::Off;
    // A stepped clock stays at its time. Other clocks continue from there.
    state.clock = opened.config.clock.not_before(state.clock.now_ms()).start();
    opened.open_configured_accounts();
    Ok((opened, last))
}

/// Replays an input. Returns false if it led to another state.
fn replay_input(opened: &mut Opened, record: Record) -> bool {
    let Record { now_ms, mark, entry } = record;
    let Opened { state, keys, .. } = opened;
    state.clock = Clock::Stepped { now_ms };
    state.recorder = Recorder::Replay(None);
    state.replay(keys, entry);
    matches!(state.recorder, Recorder::Replay(Some(again)) if again == mark)
}
