//! From a data folder to a running exchange.

use std::path::Path;

use super::{
    DataError, Live, Notice, Number, Record, Recorder, Stored, Unusable,
    checkpoint::{Checkpoint, Head},
    medium::{Folder, Medium},
    store::{Content, Store},
    writer,
};
use crate::{clock::Clock, config::Config, state::Opened};

/// Sets an exchange up as configured; with a data folder it goes on with what is in it, and everything
/// that happens from now on is stored there.
pub(crate) fn open(config: Config) -> Result<Opened, Unusable> {
    match config.data.clone() {
        None => Ok(Opened::new(config)),
        Some(folder) => {
            let name = folder.display().to_string();
            let notify = move |notice| match notice {
                Notice::Stuck(error) => eprintln!(
                    "bitmart-sandbox: cannot store in {name}: {error}. What changes something is refused until \
                     there is room; what was answered is stored."
                ),
                Notice::Again => eprintln!("bitmart-sandbox: {name} can be written to again"),
                Notice::Over(error) => eprintln!(
                    "bitmart-sandbox: cannot store in {name}: {error}. What changes something is refused from \
                     now on; what was answered is stored."
                ),
            };
            let opened = start(config, &folder, notify);
            opened.map_err(|error| Unusable { folder, error })
        }
    }
}

fn start(
    config: Config,
    folder: &Path,
    notify: impl FnMut(Notice) + Send + 'static,
) -> Result<Opened, DataError> {
    let folder = Folder::take(folder)?;
    if !folder.is_empty() {
        return if config.restored.is_some() {
            Err(DataError::Occupied)
        } else {
            go_on(config, folder, notify)
        };
    }
    let opened = Opened::new(config);
    folder.create(&opened.checkpoint(0).encode()?)?;
    let store = folder.open()?;
    go_live(opened, 0, folder, store, notify)
}

/// Goes on with what lies there.
pub(super) fn go_on(
    config: Config,
    medium: impl Medium,
    notify: impl FnMut(Notice) + Send + 'static,
) -> Result<Opened, DataError> {
    let store = medium.open()?;
    // What was on its way when the disk was full comes after all that is in the store.
    let kept = medium.kept().map_err(DataError::Io)?;
    store.check_format()?;
    if !kept.is_empty() {
        let kept: Vec<_> = serde_json::from_slice(&kept).map_err(DataError::Unreadable)?;
        store.append(&kept)?;
        medium.keep(&[]).map_err(DataError::Io)?;
    }
    let (opened, last) = replayed(config, store.load()?)?;
    // The inputs to come need no knowledge of how this sandbox was configured before.
    store.checkpoint(&opened.checkpoint(last).encode()?)?;
    go_live(opened, last, medium, store, notify)
}

/// Stores from now on what happens.
fn go_live(
    mut opened: Opened,
    last: Number,
    medium: impl Medium,
    store: Store,
    notify: impl FnMut(Notice) + Send + 'static,
) -> Result<Opened, DataError> {
    medium.reserve().map_err(DataError::Io)?;
    let started = writer::start(medium, store, last, notify);
    let (writer, progress) = started.map_err(DataError::Io)?;
    let live = Live { writer, last, work: 0 };
    opened.start_journal(Recorder::Live(live), Stored(progress));
    Ok(opened)
}

/// The state after the last input that is stored, and the number of that input.
fn replayed(config: Config, content: Content) -> Result<(Opened, Number), DataError> {
    let Content { head, snapshot, inputs } = content;
    let (Head { mut last, version, keys }, snapshot) = Checkpoint::decode(&head, &snapshot)?;
    let mut opened = Opened::resume(config.restore(snapshot));
    for key in keys {
        // A key that is configured by now stays as it is configured.
        let _ = opened.keys.add(key.into());
    }
    for (number, record) in inputs {
        if number != last + 1 {
            return Err(DataError::Gap(last + 1));
        }
        last = number;
        if !repeat(&mut opened, record) {
            return Err(DataError::Diverged { number, written_by: version });
        }
    }
    let state = &mut opened.state;
    state.recorder = Recorder::Off;
    // A stepped clock stands where it stood, others go on from there.
    state.clock = opened.config.clock.no_earlier(state.clock.now_ms()).clock();
    opened.admit();
    Ok((opened, last))
}

/// Lets an input happen again; false when something else came of it.
fn repeat(opened: &mut Opened, record: Record) -> bool {
    let Record { now_ms, mark, entry } = record;
    let Opened { state, keys, .. } = opened;
    state.clock = Clock::Stepped { now_ms };
    state.recorder = Recorder::Replay(None);
    state.repeat(keys, entry);
    matches!(state.recorder, Recorder::Replay(Some(again)) if again == mark)
}
