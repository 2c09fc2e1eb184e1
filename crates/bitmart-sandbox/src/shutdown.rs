//! The signal that ends the tasks of a sandbox.

use tokio::sync::watch;

/// Signals every task to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// Counts how often all WebSockets were killed.
    pub(crate) kills: u64,
    pub(crate) stop: bool,
    /// A client of the admin API wants the owner of the sandbox to stop it.
    pub(crate) stop_requested: bool,
    /// A panic interrupted it in the middle of something.
    pub(crate) broken: bool,
}

/// Waits until the sandbox stops.
pub(crate) async fn stopped(control: &mut watch::Receiver<Control>) {
    // An error means that the sandbox is gone altogether.
    drop(control.wait_for(|control| control.stop).await);
}

/// Waits until the sandbox stops or kills its WebSockets.
pub(crate) async fn cut(control: &mut watch::Receiver<Control>, kills: u64) {
    drop(control.wait_for(|control| control.stop || control.kills != kills).await);
}
