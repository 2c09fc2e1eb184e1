//! Completion candidates that are known without a request.

use std::ffi::OsStr;

use bitmart::rest::catalog::ENDPOINTS;
use bitmart::rest::code;
use clap::Command;
use clap_complete::engine::{
    ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};

use crate::auth::store::Store;
use crate::export::GROUPS;
use crate::sandbox::{self, FAULTS};

/// Adds candidates to the arguments of a command and its subcommands.
pub(super) fn add_to(command: Command) -> Command {
    let name = command.get_name().to_owned();
    let command =
        command.mut_args(|argument| match candidates(&name, argument.get_id().as_str()) {
            Some(list) => argument.add(ArgValueCompleter::new(CaseInsensitive(list))),
            None if argument.get_id() == "env" => {
                argument.add(ArgValueCompleter::new(environments))
            }
            None => argument,
        });
    command.mut_subcommands(add_to)
}

/// The candidates for an argument of a command.
fn candidates(command: &str, argument: &str) -> Option<fn() -> Vec<CompletionCandidate>> {
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

/// Candidates that are compared without regard to case, like arguments.
struct CaseInsensitive(fn() -> Vec<CompletionCandidate>);

impl ValueCompleter for CaseInsensitive {
    fn complete(&self, current: &OsStr) -> Vec<CompletionCandidate> {
        let prefix = current.to_string_lossy().to_ascii_lowercase();
        let mut words = (self.0)();
        words.retain(|word| {
            word.get_value().to_string_lossy().to_ascii_lowercase().starts_with(&prefix)
        });
        words
    }
}

/// Names of the stored profiles; empty if the configuration cannot be read.
fn profiles() -> Vec<CompletionCandidate> {
    Store::open()
        .map_or_else(|_| Vec::new(), |store| store.names().map(CompletionCandidate::new).collect())
}

/// The symbols of the sandbox. Those of the exchange would need a request.
fn symbols() -> Vec<CompletionCandidate> {
    sandbox::listed_symbols().into_iter().map(CompletionCandidate::new).collect()
}

fn faults() -> Vec<CompletionCandidate> {
    FAULTS.iter().copied().flatten().map(CompletionCandidate::new).collect()
}

fn paths() -> Vec<CompletionCandidate> {
    let candidate = |(path, title): (&str, &str)| {
        CompletionCandidate::new(path).help(Some(title.to_owned().into()))
    };
    let mut paths: Vec<_> =
        ENDPOINTS.iter().map(|entry| (entry.metadata.path, entry.title)).collect();
    paths.sort_unstable();
    paths.dedup_by_key(|(path, _)| *path);
    paths.into_iter().map(candidate).collect()
}

fn methods() -> Vec<CompletionCandidate> {
    ["GET", "POST"].into_iter().map(CompletionCandidate::new).collect()
}

fn codes() -> Vec<CompletionCandidate> {
    let candidate = |code: &code::ErrorCode| {
        CompletionCandidate::new(code.code.to_string()).help(Some(code.message.into()))
    };
    code::all().map(candidate).collect()
}

fn parts() -> Vec<CompletionCandidate> {
    GROUPS.iter().map(CompletionCandidate::new).collect()
}

/// Names of environments, and files with a ready line.
fn environments(current: &OsStr) -> Vec<CompletionCandidate> {
    let prefix = current.to_string_lossy();
    let words = ["sandbox", "live", "demo"].into_iter().filter(|word| word.starts_with(&*prefix));
    let mut words: Vec<_> = words.map(CompletionCandidate::new).collect();
    words.extend(PathCompleter::file().complete(current));
    words
}
