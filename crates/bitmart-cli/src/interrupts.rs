//! Ctrl-c and the polite kill.

use std::io;

use crate::failure::{Failure, chain};

/// Listens from when it is made, so that a signal that comes while the program does something else is not
/// missed: make it once, before a loop.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
    #[cfg(windows)]
    signal: tokio::signal::windows::CtrlC,
    /// One has been received.
    seen: bool,
}

impl Interrupts {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::new()
            .map_err(|error| Failure::machine(format!("signals of the system: {}", chain(&error))))
    }

    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
        Ok(Self { signals, seen: false })
    }

    #[cfg(windows)]
    fn new() -> io::Result<Self> {
        Ok(Self { signal: tokio::signal::windows::ctrl_c()?, seen: false })
    }

    /// Waits for one. May be dropped and called again.
    #[cfg(unix)]
    pub(crate) async fn recv(&mut self) {
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        self.seen = true;
    }

    #[cfg(windows)]
    pub(crate) async fn recv(&mut self) {
        self.signal.recv().await;
        self.seen = true;
    }

    /// Whether one has been received.
    pub(crate) fn seen(&self) -> bool {
        self.seen
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::Interrupts;

    #[tokio::test]
    async fn a_signal_that_comes_while_nobody_waits_is_not_missed() {
        let mut interrupts = Interrupts::listen().expect("signals");
        kill_process(getpid(), Signal::INT).expect("sent");
        interrupts.recv().await;
    }
}
