//! Saved states in memory, to which the running exchange can go back.

use serde::{Deserialize, Serialize};

use super::{
    Call, Effect, Operator, OperatorCall, OperatorError,
    describe::{Described, Field, Kind, calls, field, response},
};
use crate::shared::Shared;

calls! {
    /// Save the state in memory under a name, to go back to it later. At most 8 states are saved, and end with the
    /// sandbox; the call that reads the complete state is for files.
    Transient "POST /snapshots" => save_snapshot(SaveSnapshot) -> SavedSnapshot {
        /// A name of 1 to 40 characters; spaces around it are ignored. A state with this name is replaced.
        name: String = "before the order",
    }

    /// List the saved states, oldest first.
    Reads "GET /snapshots" => list_snapshots(ListSnapshots) -> SavedSnapshots {}

    /// Go back to a saved state: accounts, orders, books, prices, and a stepped clock. All WebSockets are closed
    /// without a close frame, so that clients synchronize again. Keys that were derived since then, and given keys of
    /// accounts that did not exist, are removed; faults stay, and rate limits start at zero.
    Stored "POST /snapshots/restore" => go_back(GoBack) -> SavedSnapshot {
        /// Name of the saved state.
        name: String = "before the order",
    }

    /// Discard a saved state.
    Transient "POST /snapshots/discard" => discard_snapshot(DiscardSnapshot) -> SavedSnapshots {
        /// Name of the saved state.
        name: String = "before the order",
    }
}

response! {
    /// A saved state.
    SavedSnapshot {
        /// Its name.
        name: String = "before the order",
        /// Time of the exchange, in milliseconds since 1970.
        now_ms: u64 = 1700000060000,
    }
}

response! {
    /// The saved states.
    SavedSnapshots {
        /// Oldest first.
        snapshots: Vec<SavedSnapshot>,
    }
}

fn save_snapshot(call: SaveSnapshot, shared: &Shared) -> Result<SavedSnapshot, OperatorError> {
    let name = call.name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 40 {
        return Err(OperatorError::InvalidName("a name has 1 to 40 characters".to_owned()));
    }
    let snapshot = shared.snapshot();
    let now_ms = snapshot.parts().now_ms;
    if shared.saved().save(name.clone(), snapshot) {
        Ok(SavedSnapshot { name, now_ms })
    } else {
        let text = "8 states are saved already; discard one first".to_owned();
        Err(OperatorError::InvalidName(text))
    }
}

fn list_snapshots(_: ListSnapshots, shared: &Shared) -> Result<SavedSnapshots, OperatorError> {
    Ok(list(shared))
}

fn list(shared: &Shared) -> SavedSnapshots {
    let saved = shared.saved();
    let rows = saved.all().map(|(name, snapshot)| SavedSnapshot {
        name: name.to_owned(),
        now_ms: snapshot.parts().now_ms,
    });
    SavedSnapshots { snapshots: rows.collect() }
}

fn go_back(call: GoBack, shared: &Shared) -> Result<SavedSnapshot, OperatorError> {
    let name = call.name.trim();
    let snapshot = shared.saved().get(name).cloned();
    let snapshot = snapshot.ok_or_else(|| OperatorError::UnknownSnapshot(name.to_owned()))?;
    let now_ms = snapshot.parts().now_ms;
    shared.go_back(snapshot)?;
    Ok(SavedSnapshot { name: name.to_owned(), now_ms })
}

fn discard_snapshot(
    call: DiscardSnapshot,
    shared: &Shared,
) -> Result<SavedSnapshots, OperatorError> {
    let name = call.name.trim();
    if !shared.saved().discard(name) {
        return Err(OperatorError::UnknownSnapshot(name.to_owned()));
    }
    Ok(list(shared))
}
