//! Questions whose answers are not shown.

#[cfg(unix)]
pub(super) use unix::ask;

use crate::failure::Failure;

/// Other systems have other ways to hide what is typed, which are not built in.
#[cfg(not(unix))]
pub(super) async fn ask<const N: usize>(_: [&str; N]) -> Result<[String; N], Failure> {
    Err(Failure::usage("secrets cannot be typed here").with_advice("use --stdin"))
}

#[cfg(unix)]
mod unix {
    use std::io::{self, BufRead as _, IsTerminal as _};

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use tokio::signal::unix::{Signal, SignalKind, signal};

    use super::Failure;

    /// Asks for each of `names`. Ctrl-c leaves the terminal as it was.
    pub(in crate::auth) async fn ask<const N: usize>(
        names: [&str; N],
    ) -> Result<[String; N], Failure> {
        let broken = |error: io::Error| Failure::machine(format!("the terminal: {error}"));
        if !io::stdin().is_terminal() {
            return Err(Failure::usage("nobody is there to be asked for a secret")
                .with_advice("add --stdin to read key, secret and memo from standard input"));
        }
        // First, so that no ctrl-c finds the terminal changed and nobody to change it back.
        let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
        let hidden = Hidden::new().map_err(broken)?;
        let mut answers = [const { String::new() }; N];
        for (name, answer) in names.into_iter().zip(&mut answers) {
            eprint!("{name}: ");
            let Some(line) = line(&mut interrupt).await else {
                drop(hidden);
                eprintln!();
                // The thread that reads cannot be stopped: end with what shells expect of ctrl-c.
                std::process::exit(130);
            };
            eprintln!();
            line.map_err(broken)?.trim().clone_into(answer);
            if answer.is_empty() {
                return Err(super::super::unanswered());
            }
        }
        Ok(answers)
    }

    /// A line of what is typed; `None` after ctrl-c.
    async fn line(interrupt: &mut Signal) -> Option<io::Result<String>> {
        let reading = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).map(|_| line)
        });
        tokio::select! {
            line = reading => Some(line.map_err(io::Error::other).and_then(|line| line)),
            _ = interrupt.recv() => None,
        }
    }

    /// The terminal without echo, until this is dropped.
    struct Hidden(Termios);

    impl Hidden {
        fn new() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
            Ok(Self(before))
        }
    }

    impl Drop for Hidden {
        fn drop(&mut self) {
            // Nothing can be done if the terminal has gone.
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
        }
    }
}
