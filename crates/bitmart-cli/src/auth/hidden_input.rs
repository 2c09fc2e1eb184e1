//! Input at the terminal that is not shown.

#[cfg(unix)]
pub(super) use unix::ask;

use crate::failure::Failure;

/// Hidden input is implemented for Unix only.
#[cfg(not(unix))]
pub(super) async fn ask<const N: usize>(_: [&str; N]) -> Result<[String; N], Failure> {
    Err(Failure::usage("hidden input is not supported on this system").with_advice("use --stdin"))
}

#[cfg(unix)]
mod unix {
    use std::io::{self, BufRead as _, IsTerminal as _};

    use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
    use tokio::signal::unix::{SignalKind, signal};

    use super::Failure;
    use crate::interrupts::Interrupts;

    /// Asks for each of `names`. Signals that end the program restore the terminal.
    pub(in crate::auth) async fn ask<const N: usize>(
        names: [&str; N],
    ) -> Result<[String; N], Failure> {
        let failed = |error: io::Error| Failure::io(format!("the terminal: {error}"));
        if !io::stdin().is_terminal() {
            return Err(Failure::usage("standard input is not a terminal")
                .with_advice("add --stdin to read key, secret and memo from standard input"));
        }
        // Registered first, so that a signal always restores the terminal.
        let mut interrupts = Interrupts::listen_with_hangup()?;
        let mut quit = signal(SignalKind::quit()).map_err(failed)?;
        let hidden = EchoOff::new().map_err(failed)?;
        let mut inputs = [const { String::new() }; N];
        for (name, input) in names.into_iter().zip(&mut inputs) {
            eprint!("{name}: ");
            let line = tokio::select! {
                line = line() => Some(line),
                () = interrupts.recv() => None,
                _ = quit.recv() => None,
            };
            let Some(line) = line else {
                drop(hidden);
                eprintln!();
                // The reading thread cannot be stopped. 130 is what shells expect after ctrl-c.
                std::process::exit(130);
            };
            eprintln!();
            line.map_err(failed)?.trim().clone_into(input);
            if input.is_empty() {
                return Err(super::super::no_input());
            }
        }
        Ok(inputs)
    }

    async fn line() -> io::Result<String> {
        let reading = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            io::stdin().lock().read_line(&mut line).map(|_| line)
        });
        reading.await.map_err(io::Error::other)?
    }

    /// Disables echo of the terminal until it is dropped.
    struct EchoOff(Termios);

    impl EchoOff {
        fn new() -> io::Result<Self> {
            let before = tcgetattr(io::stdin())?;
            let mut hidden = before.clone();
            hidden.local_modes.remove(LocalModes::ECHO);
            tcsetattr(io::stdin(), OptionalActions::Flush, &hidden)?;
            Ok(Self(before))
        }
    }

    impl Drop for EchoOff {
        fn drop(&mut self) {
            // The terminal may be gone.
            let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
        }
    }
}
