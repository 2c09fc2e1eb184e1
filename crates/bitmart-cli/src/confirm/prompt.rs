//! Questions to the user at the terminal.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::failure::{Exit, Failure};

/// The effect that is to be confirmed.
#[derive(Clone, Copy)]
enum Action {
    /// Sending a request.
    Send,
    /// Changing files or the keyring of this machine.
    ChangeLocal,
}

impl Action {
    fn nothing_done(self) -> &'static str {
        match self {
            Self::Send => "nothing was sent",
            Self::ChangeLocal => "nothing was changed",
        }
    }

    fn advice(self) -> &'static str {
        match self {
            Self::Send => "add --yes to send without asking, or --dry-run to see the request",
            Self::ChangeLocal => "add --yes to do it without asking",
        }
    }
}

/// Asks a yes-or-no question before a request is sent; anything but yes is a failure.
pub(crate) fn confirm(question: &str) -> Result<(), Failure> {
    confirm_action(question, Action::Send)
}

/// Like [`confirm`], before files or the keyring of this machine are changed.
pub(crate) fn confirm_local(question: &str) -> Result<(), Failure> {
    confirm_action(question, Action::ChangeLocal)
}

fn confirm_action(question: &str, action: Action) -> Result<(), Failure> {
    let answer = ask(&format!("{question} [y/N] "), action)?;
    if matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes") {
        Ok(())
    } else {
        Err(declined(action))
    }
}

/// Asks the user to type a value again.
pub(crate) fn retype(what: &str, value: &str) -> Result<(), Failure> {
    let answer = ask(&format!("type the {what} again: "), Action::Send)?;
    if !value.is_empty() && answer == value { Ok(()) } else { Err(declined(Action::Send)) }
}

fn ask(question: &str, action: Action) -> Result<String, Failure> {
    if !is_interactive() {
        let text = format!(
            "standard input is not a terminal, so nobody can confirm; {}",
            action.nothing_done()
        );
        return Err(Failure::new(Exit::NotConfirmed, text).with_advice(action.advice()));
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
    ask(&format!("{question}: "), Action::Send)
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
        answer = receiver => answer.unwrap_or_else(|_| Err(declined(Action::Send))),
        () = interrupted => {
            eprintln!();
            Err(Failure::new(Exit::NotConfirmed, "interrupted; nothing more was sent"))
        }
    }
}

fn declined(action: Action) -> Failure {
    Failure::new(Exit::NotConfirmed, format!("not confirmed; {}", action.nothing_done()))
}
