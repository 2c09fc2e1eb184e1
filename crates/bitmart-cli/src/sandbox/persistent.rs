//! The user's own sandbox, whose state persists from one command to the next.

use std::path::PathBuf;
use std::time::Duration;

use bitmart::sandbox::{Config, Sandbox, StartError};
use tokio::time::{Instant, sleep};

use crate::failure::{Failure, chain};
use crate::secure_fs;

/// Interval of attempts while another command uses the data folder.
pub(super) const RETRY_INTERVAL: Duration = Duration::from_millis(50);

/// The folder of its state; `None` without a home folder, and then nothing is saved.
pub(super) fn data_folder() -> Option<PathBuf> {
    Some(secure_fs::config_dir()?.join("sandbox").join("data"))
}

/// Starts it in this process. Waits up to `timeout` while another command uses its data folder.
pub(super) async fn start(timeout: Duration) -> Result<Sandbox, Failure> {
    let deadline = Instant::now() + timeout;
    loop {
        let config = match data_folder() {
            Some(folder) => Config::new().data(folder),
            None => Config::new(),
        };
        match Sandbox::start(config).await {
            Err(error) if error.is_data_in_use() && Instant::now() < deadline => {
                sleep(RETRY_INTERVAL).await;
            }
            started => return started.map_err(|error| start_failure(&error)),
        }
    }
}

/// The failure of a sandbox to start, with advice.
pub(super) fn start_failure(error: &StartError) -> Failure {
    let failure = Failure::io(chain(error));
    if error.is_data_in_use() {
        return failure.with_advice(
            "another command uses it; `bitmart sandbox up` runs one that commands share",
        );
    }
    if error.is_about_data() {
        return failure.with_advice("`bitmart sandbox reset` deletes its saved state");
    }
    failure
}
