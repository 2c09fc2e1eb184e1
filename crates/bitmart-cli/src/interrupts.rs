//! Interrupt and termination signals.

use std::io;

use crate::failure::{Failure, chain};

/// Receives ctrl-c and SIGTERM. It listens from its creation, so create it once before a loop: no signal is
/// missed then.
pub(crate) struct Interrupts {
    #[cfg(unix)]
    signals: [tokio::signal::unix::Signal; 2],
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
    #[cfg(windows)]
    signal: tokio::signal::windows::CtrlC,
    last: Option<Received>,
}

/// A received signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Received {
    Interrupt,
    /// SIGTERM or SIGHUP.
    #[cfg_attr(windows, expect(dead_code, reason = "there is ctrl-c only"))]
    Terminate,
}

impl Interrupts {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::new().map_err(|error| Failure::io(format!("signal handlers: {}", chain(&error))))
    }

    /// Receives SIGHUP, too: the terminal was closed.
    pub(crate) fn listen_with_hangup() -> Result<Self, Failure> {
        #[cfg_attr(windows, expect(unused_mut, reason = "there is no such signal"))]
        let mut this = Self::listen()?;
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let hangup = signal(SignalKind::hangup());
            let failed = |error| Failure::io(format!("signal handlers: {}", chain(&error)));
            this.hangup = Some(hangup.map_err(failed)?);
        }
        Ok(this)
    }

    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let signals = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
        Ok(Self { signals, hangup: None, last: None })
    }

    #[cfg(windows)]
    fn new() -> io::Result<Self> {
        Ok(Self { signal: tokio::signal::windows::ctrl_c()?, last: None })
    }

    /// Waits for a signal.
    ///
    /// # Cancel safety
    /// No signal is lost if the future is dropped.
    #[cfg(unix)]
    pub(crate) async fn recv(&mut self) {
        let [interrupt, terminate] = &mut self.signals;
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        self.last = Some(tokio::select! {
            _ = interrupt.recv() => Received::Interrupt,
            _ = terminate.recv() => Received::Terminate,
            _ = hangup => Received::Terminate,
        });
    }

    #[cfg(windows)]
    pub(crate) async fn recv(&mut self) {
        self.signal.recv().await;
        self.last = Some(Received::Interrupt);
    }

    /// Whether a signal has been received.
    pub(crate) fn received(&self) -> bool {
        self.last.is_some()
    }

    /// The last signal that was received.
    pub(crate) fn last(&self) -> Option<Received> {
        self.last
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
