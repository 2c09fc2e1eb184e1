//! Questions to the person at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::failure::{Exit, Failure};

/// Asks for a yes.
pub(crate) fn yes(question: &str) -> Result<(), Failure> {
    let answer = ask(&format!("{question} [y/N] "))?;
    if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") { Ok(()) } else { Err(no()) }
}

/// Asks for a value to be typed again.
pub(crate) fn again(what: &str, value: &str) -> Result<(), Failure> {
    let answer = ask(&format!("type the {what} again: "))?;
    if !value.is_empty() && answer == value { Ok(()) } else { Err(no()) }
}

fn ask(question: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(
            Exit::NotConfirmed,
            "nobody is there to be asked; nothing was sent",
        )
        .with_advice("add --yes to send without a question, or --dry-run to see the request"));
    }
    let failed = |error: io::Error| Failure::machine(format!("the terminal: {error}"));
    // Not locked while it waits: another thread may have something to say.
    let mut err = io::stderr();
    err.write_all(question.as_bytes()).and_then(|()| err.flush()).map_err(failed)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(failed)?;
    Ok(answer.trim().to_owned())
}

/// Asks for a word to be chosen.
pub(crate) fn choice(question: &str) -> Result<String, Failure> {
    ask(&format!("{question}: "))
}

/// Whether somebody is there to be asked.
pub(crate) fn is_somebody_there() -> bool {
    io::stdin().is_terminal()
}

/// [`yes`], given up when `interrupted` ends first.
pub(crate) async fn yes_unless(
    question: &str,
    interrupted: impl Future<Output = ()>,
) -> Result<(), Failure> {
    if !is_somebody_there() {
        return yes(question);
    }
    let (tell, told) = tokio::sync::oneshot::channel();
    let question = question.to_owned();
    // A thread of its own, which nothing waits for: reading a line cannot be stopped.
    std::thread::spawn(move || tell.send(yes(&question)));
    tokio::select! {
        answer = told => answer.unwrap_or_else(|_| Err(no())),
        () = interrupted => {
            eprintln!();
            Err(Failure::new(Exit::NotConfirmed, "interrupted; nothing more was sent"))
        }
    }
}

fn no() -> Failure {
    Failure::new(Exit::NotConfirmed, "not confirmed; nothing was sent")
}
