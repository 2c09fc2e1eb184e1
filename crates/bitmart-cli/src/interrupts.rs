//! Interrupt and termination signals.

use std::io;

use crate::failure::{Failure, chain};

/// Receives ctrl-c and SIGTERM. It listens from its creation, so create it once before a loop: no signal is
/// missed then.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
    #[cfg(windows)]
    signal: tokio::signal::windows::CtrlC,
    received: bool,
}

impl Interrupts {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::new().map_err(|error| Failure::io(format!("signal handlers: {}", chain(&error))))
    }

    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
        Ok(Self { signals, received: false })
    }

    #[cfg(windows)]
    fn new() -> io::Result<Self> {
        Ok(Self { signal: tokio::signal::windows::ctrl_c()?, received: false })
    }

    /// Waits for a signal.
    ///
    /// # Cancel safety
    /// No signal is lost if the future is dropped.
    #[cfg(unix)]
    pub(crate) async fn recv(&mut self) {
        let [interrupt, terminate] = &mut self.signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        self.received = true;
    }

    #[cfg(windows)]
    pub(crate) async fn recv(&mut self) {
        self.signal.recv().await;
        self.received = true;
    }

    /// Whether a signal has been received.
    pub(crate) fn received(&self) -> bool {
        self.received
    }
}

#[cfg(all(test, unix))]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};

    use super::Interrupts;

    #[tokio::test]
    async fn a_signal_between_two_waits_is_not_missed() {
        let mut interrupts = Interrupts::listen().expect("signals");
        kill_process(getpid(), Signal::INT).expect("sent");
        interrupts.recv().await;
    }
}
