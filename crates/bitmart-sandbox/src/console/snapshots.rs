//! The page about saved states: take, go back, download, compare.

use std::sync::Arc;

use askama::Template;
use hyper::{StatusCode, header};
use tokio::task::spawn_blocking;

use super::{
    changes::changes,
    form::CallForm,
    page::{self, Shell, Visit},
    reply::{self, Reply},
    table::TableElement,
    time,
};
use crate::{
    operator::{DiscardSnapshot, GoBack, ListSnapshots, Operator, SaveSnapshot},
    shared::Shared,
    snapshot::Snapshot,
};

/// The name of the current state in a comparison.
const NOW: &str = "";

/// A saved state with its buttons.
struct Saved {
    name: String,
    time: String,
    forms: [CallForm; 2],
}

#[derive(Template)]
#[template(path = "console/snapshots.html")]
struct Snapshots {
    shell: Shell,
    save: CallForm,
    saved: Vec<Saved>,
    from: String,
    to: String,
    /// Why there is no comparison; empty if there is one, or none is wanted.
    problem: String,
    /// Headings and tables of a comparison.
    changes: Vec<(&'static str, TableElement)>,
}

pub(super) async fn page(visit: &Visit<'_>) -> Reply {
    let back = "/console/snapshots";
    let listed = Operator::new(visit.shared).call(ListSnapshots {});
    let listed = listed.map(|listed| listed.snapshots).unwrap_or_default();
    let saved = listed.into_iter().map(|row| Saved {
        time: time::date(row.now_ms),
        forms: [
            CallForm::of::<GoBack>("back", &format!("Go back to {}", row.name), back)
                .fixed("name", &row.name)
                .destructive(),
            CallForm::of::<DiscardSnapshot>("discard", &format!("Discard {}", row.name), back)
                .fixed("name", &row.name),
        ],
        name: row.name,
    });
    let from = visit.query.get("from").unwrap_or_default().to_owned();
    let to = visit.query.get("to").unwrap_or(NOW).to_owned();
    let compared =
        if from.is_empty() { Ok(Vec::new()) } else { compare(visit.shared, &from, &to).await };
    let (changes, problem) = match compared {
        Ok(changes) => (changes, String::new()),
        Err(problem) => (Vec::new(), problem),
    };
    page::render(&Snapshots {
        shell: visit.shell("Snapshots", "Snapshots"),
        save: CallForm::of::<SaveSnapshot>("save", "Save the state", back).refill(visit),
        saved: saved.collect(),
        from,
        to,
        problem,
        changes,
    })
}

/// Compares two states. Copies and comparisons of large states take a while.
async fn compare(
    shared: &Arc<Shared>,
    from: &str,
    to: &str,
) -> Result<Vec<(&'static str, TableElement)>, String> {
    let (shared, names) = (Arc::clone(shared), [from.to_owned(), to.to_owned()]);
    let run = move || {
        let [from, to] = names
            .map(|name| state(&shared, &name).ok_or_else(|| format!("no state {name:?} is saved")));
        let (from, to) = (from?, to?);
        Ok(changes(&from.parts().exchange, &to.parts().exchange))
    };
    spawn_blocking(run).await.unwrap_or_else(|_| Err("the sandbox has stopped".to_owned()))
}

/// A saved state, or the current one.
fn state(shared: &Shared, name: &str) -> Option<Snapshot> {
    if name == NOW {
        return Some(shared.snapshot());
    }
    shared.saved().get(name).cloned()
}

/// A saved state, or the current one, as a file for `--restore`; `None` if no state of this name is saved.
pub(super) async fn download(shared: &Arc<Shared>, name: Option<&str>) -> Option<Reply> {
    let name = name.unwrap_or(NOW).to_owned();
    let file = format!("attachment; filename=\"{}.json\"", file_name(&name));
    let shared = Arc::clone(shared);
    let bytes = spawn_blocking(move || state(&shared, &name)?.to_json().ok()).await;
    let bytes = bytes.ok()??;
    let mut reply = reply::file(StatusCode::OK, "application/json", bytes);
    if let Ok(disposition) = header::HeaderValue::from_str(&file) {
        reply.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Some(reply)
}

/// The name of a saved state as one of a file: only letters, digits, `-` and `_`.
fn file_name(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let letters = name.chars().take(64).map(|letter| if plain(letter) { letter } else { '_' });
    let name: String = letters.collect();
    if name.is_empty() { "snapshot".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::{NOW, file_name};

    #[test]
    fn a_download_has_the_name_of_its_state_without_other_characters() {
        assert_eq!(file_name("before-1"), "before-1");
        assert_eq!(file_name("../a\"b\r\n"), "___a_b__");
        assert_eq!(file_name(NOW), "snapshot");
    }
}
