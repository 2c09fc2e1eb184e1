//! Opens an exchange, with or without a data folder, and replays its journal.

use std::path::Path;

use super::{
    DataError, InputNumber, Live, OpenError, Record, Recorder, StorageEvent, StorageProgress,
    checkpoint::{Checkpoint, Header},
    storage::{Folder, Storage},
    store::{Content, Store},
    writer,
};
use crate::{clock::Clock, config::Config, state::Opened};

/// Opens an exchange as configured. With a data folder, it continues from the stored state, and all further inputs are
/// stored.
pub(crate) fn open(config: Config) -> Result<Opened, OpenError> {
    match config.data.clone() {
        None => Ok(Opened::new(config)),
        Some(folder) => {
            let name = folder.display().to_string();
            let notify = move |event| match event {
                StorageEvent::Stalled(error) => eprintln!(
                    "bitmart-sandbox: cannot write to {name}: {error}. Requests with an effect are rejected until \
                     there is free space. Every acknowledged change is stored."
                ),
                StorageEvent::Resumed => {
                    eprintln!("bitmart-sandbox: {name} can be written to again")
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
    folder.create(&opened.checkpoint(0).encode()?)?;
    let store = folder.open()?;
    start_writer(opened, 0, folder, store, notify)
}

/// Continues from the stored state.
pub(super) fn resume(
    config: Config,
    storage: impl Storage,
    notify: impl FnMut(StorageEvent) + Send + 'static,
) -> Result<Opened, DataError> {
    let store = storage.open()?;
    // The reserve contains the inputs that waited when the disk became full. They follow those in the store.
    let reserved = storage.read_reserve().map_err(DataError::Io)?;
    store.check_format()?;
    if !reserved.is_empty() {
        let reserved: Vec<_> = serde_json::from_slice(&reserved).map_err(DataError::Unreadable)?;
        store.append(&reserved)?;
        storage.write_reserve(&[]).map_err(DataError::Io)?;
    }
    let (opened, last) = replay_inputs(config, store.load()?)?;
    // A new checkpoint, so that later inputs are never replayed with an older configuration.
    store.checkpoint(&opened.checkpoint(last).encode()?)?;
    start_writer(opened, last, storage, store, notify)
}

/// Starts the writer: from now on all inputs are stored.
fn start_writer(
    mut opened: Opened,
    last: InputNumber,
    storage: impl Storage,
    store: Store,
    notify: impl FnMut(StorageEvent) + Send + 'static,
) -> Result<Opened, DataError> {
    storage.create_reserve().map_err(DataError::Io)?;
    let started = writer::start(storage, store, last, notify);
    let (writer, progress) = started.map_err(DataError::Io)?;
    let live = Live { writer, last, work: 0 };
    opened.start_journal(Recorder::Live(live), StorageProgress(progress));
    Ok(opened)
}

/// Replays the stored inputs. Returns the state and the number of the last input.
fn replay_inputs(config: Config, content: Content) -> Result<(Opened, InputNumber), DataError> {
    let Content { head, snapshot, inputs } = content;
    let (Header { mut last, version, keys }, snapshot) = Checkpoint::decode(&head, &snapshot)?;
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
        if !replay_input(&mut opened, record) {
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
