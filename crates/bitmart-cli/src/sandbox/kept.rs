//! The user's own sandbox, whose state stays from one command to the next.

use std::path::PathBuf;
use std::time::Duration;

use bitmart::sandbox::{Config, Sandbox, StartError};
use tokio::time::{Instant, sleep};

use crate::failure::{Failure, chain};
use crate::private;

/// How soon to look again whether another command has ended.
const AGAIN: Duration = Duration::from_millis(50);

/// Where its state is; without a home folder nothing is kept.
pub(super) fn folder() -> Option<PathBuf> {
    Some(private::home()?.join("sandbox").join("data"))
}

/// Starts it in this process. Waits as long as `patience` for another command that has it.
pub(crate) async fn start(patience: Duration) -> Result<Sandbox, Failure> {
    let end = Instant::now() + patience;
    loop {
        let config = match folder() {
            Some(folder) => Config::new().data(folder),
            None => Config::new(),
        };
        match Sandbox::start(config).await {
            Err(error) if error.is_data_in_use() && Instant::now() < end => sleep(AGAIN).await,
            started => return started.map_err(|error| broken(&error)),
        }
    }
}

/// Why a sandbox does not start, and what helps.
pub(super) fn broken(error: &StartError) -> Failure {
    let failure = Failure::machine(chain(error));
    if error.is_data_in_use() {
        return failure.with_advice(
            "another command uses it; `bitmart sandbox up` runs one that commands share",
        );
    }
    if error.is_about_data() {
        return failure.with_advice("`bitmart sandbox reset` forgets the one that is kept");
    }
    failure
}
