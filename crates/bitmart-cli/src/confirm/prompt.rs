//! Questions to the user at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::failure::{Exit, Failure};

/// Asks a yes-or-no question; anything but yes is a failure.
pub(crate) fn confirm(question: &str) -> Result<(), Failure> {
    let answer = ask(&format!("{question} [y/N] "))?;
    if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(declined())
    }
}

/// Asks the user to type a value again.
pub(crate) fn retype(what: &str, value: &str) -> Result<(), Failure> {
    let answer = ask(&format!("type the {what} again: "))?;
    if !value.is_empty() && answer == value { Ok(()) } else { Err(declined()) }
}

fn ask(question: &str) -> Result<String, Failure> {
    if !is_interactive() {
        return Err(Failure::new(
            Exit::NotConfirmed,
            "standard input is not a terminal, so nobody can confirm; nothing was sent",
        )
        .with_advice("add --yes to send without asking, or --dry-run to see the request"));
    }
    let failed = |error: io::Error| Failure::io(format!("the terminal: {error}"));
    // Not locked while it waits: another thread may write.
    let mut err = io::stderr();
    err.write_all(question.as_bytes()).and_then(|()| err.flush()).map_err(failed)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim().to_owned())
}

/// Asks for a line of text.
pub(crate) fn line(question: &str) -> Result<String, Failure> {
    ask(&format!("{question}: "))
}

/// Whether standard input is a terminal.
pub(crate) fn is_interactive() -> bool {
    io::stdin().is_terminal()
}

/// Like [`confirm`], but fails when `interrupted` completes first.
pub(crate) async fn confirm_unless(
    question: &str,
    interrupted: impl Future<Output = ()>,
) -> Result<(), Failure> {
    if !is_interactive() {
        return confirm(question);
    }
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let question = question.to_owned();
    // A detached thread, because reading a line cannot be canceled.
    std::thread::spawn(move || sender.send(confirm(&question)));
    tokio::select! {
        answer = receiver => answer.unwrap_or_else(|_| Err(declined())),
        () = interrupted => {
            eprintln!();
            Err(Failure::new(Exit::NotConfirmed, "interrupted; nothing more was sent"))
        }
    }
}

fn declined() -> Failure {
    Failure::new(Exit::NotConfirmed, "not confirmed; nothing was sent")
}
