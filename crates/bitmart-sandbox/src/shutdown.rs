//! Signals to the tasks of a sandbox.

use tokio::sync::watch;

/// The state of the signals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// Number of times that all WebSockets were killed.
    pub(crate) kills: u64,
    /// All tasks have to end.
    pub(crate) stop: bool,
    /// A client of the admin API has requested a stop. The owner of the sandbox has to stop it.
    pub(crate) stop_requested: bool,
    /// A panic has interrupted a change of the state.
    pub(crate) broken: bool,
}

/// Waits until the sandbox stops.
pub(crate) async fn stopped(control: &mut watch::Receiver<Control>) {
    // An error means that the sandbox was dropped.
    drop(control.wait_for(|control| control.stop).await);
}

/// Waits until the sandbox stops or kills its WebSockets.
pub(crate) async fn stopped_or_killed(control: &mut watch::Receiver<Control>, kills: u64) {
    drop(control.wait_for(|control| control.stop || control.kills != kills).await);
}
