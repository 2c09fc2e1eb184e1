//! What may stand where a shell is to complete a word, as far as this machine knows.

use std::ffi::OsStr;

use bitmart::rest::catalog::ENDPOINTS;
use bitmart::rest::code;
use bitmart::sandbox::{Contract, SpotPair};
use clap::Command;
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};

use crate::auth::store::Store;
use crate::export::GROUPS;
use crate::sandbox::FAULTS;

/// Adds them to the arguments of a command and of all below it.
pub(super) fn added(command: Command) -> Command {
    let of = command.get_name().to_owned();
    let command = command.mut_args(|argument| match list(&of, argument.get_id().as_str()) {
        Some(list) => argument.add(ArgValueCompleter::new(Known(list))),
        None if argument.get_id() == "env" => argument.add(ArgValueCompleter::new(environments)),
        None => argument,
    });
    command.mut_subcommands(added)
}

/// The words for an argument of a command.
fn list(command: &str, argument: &str) -> Option<fn() -> Vec<CompletionCandidate>> {
    Some(match (command, argument) {
        (_, "profile" | "profiles") | ("add" | "check" | "remove", "name") => profiles,
        (_, "symbol" | "symbols") => symbols,
        ("fault", "fault") => faults,
        ("fault", "on") | ("api" | "sign", "path") => paths,
        ("api" | "sign", "method") => methods,
        ("explain-error", "code") => codes,
        ("export", "what") => parts,
        _ => return None,
    })
}

/// Words that are compared without regard to case, as arguments are.
struct Known(fn() -> Vec<CompletionCandidate>);

impl ValueCompleter for Known {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let begin = current.to_string_lossy().to_ascii_lowercase();
        let mut words = (self.0)();
        words.retain(|word| {
            word.get_value().to_string_lossy().to_ascii_lowercase().starts_with(&begin)
        });
        words
    }
}

/// Profiles of the configuration; their names only. None where it cannot be read: nobody asked for it.
fn profiles() -> Vec<CompletionCandidate> {
    Store::open()
        .map_or_else(|_| Vec::new(), |store| store.names().map(CompletionCandidate::new).collect())
}

/// What the sandbox lists. The exchange is not asked for its own.
fn symbols() -> Vec<CompletionCandidate> {
    let pairs = SpotPair::listed().into_iter().map(|pair| pair.symbol());
    let contracts = Contract::listed().into_iter().map(|contract| contract.symbol());
    pairs.chain(contracts).map(CompletionCandidate::new).collect()
}

fn faults() -> Vec<CompletionCandidate> {
    FAULTS.iter().copied().flatten().map(CompletionCandidate::new).collect()
}

fn paths() -> Vec<CompletionCandidate> {
    let of = |(path, title): (&str, &str)| {
        CompletionCandidate::new(path).help(Some(title.to_owned().into()))
    };
    let mut paths: Vec<_> =
        ENDPOINTS.iter().map(|entry| (entry.metadata.path, entry.title)).collect();
    paths.sort_unstable();
    paths.dedup_by_key(|(path, _)| *path);
    paths.into_iter().map(of).collect()
}

fn methods() -> Vec<CompletionCandidate> {
    ["GET", "POST"].into_iter().map(CompletionCandidate::new).collect()
}

fn codes() -> Vec<CompletionCandidate> {
    let of = |code: &code::ErrorCode| {
        CompletionCandidate::new(code.code.to_string()).help(Some(code.message.into()))
    };
    code::all().map(of).collect()
}

fn parts() -> Vec<CompletionCandidate> {
    GROUPS.iter().map(CompletionCandidate::new).collect()
}

/// Words for an environment, and files with a ready line.
fn environments(current: &OsStr) -> Vec<CompletionCandidate> {
    let begin = current.to_string_lossy();
    let words = ["sandbox", "live", "demo"].into_iter().filter(|word| word.starts_with(&*begin));
    let mut words: Vec<_> = words.map(CompletionCandidate::new).collect();
    words.extend(PathCompleter::file().complete(current));
    words
}
