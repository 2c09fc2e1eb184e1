//! Opens an address in the user's browser.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// How long a failure of the browser is waited for. Some of these programs run as long as the browser.
const WAIT: Duration = Duration::from_secs(3);

/// Starts the browser, or says that none was opened. The address is visible to other users of the machine, so it must
/// not contain more than a one-use code.
pub(super) async fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    if let Err(problem) = start(program, arguments, url).await {
        eprintln!(
            "no browser was opened ({program}: {problem}); open {url} within a minute, or print another address: \
             bitmart sandbox console --print"
        );
    }
}

/// Starts a program. The error says why it did not, or how it failed at once.
async fn start(program: &str, arguments: &[&str], url: &str) -> Result<(), String> {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    match timeout(WAIT, child.wait()).await {
        Ok(Ok(status)) if !status.success() => Err(status.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::start;

    #[tokio::test]
    async fn a_browser_that_fails_or_is_missing_is_reported() {
        let url = "http://127.0.0.1:1/";
        assert_eq!(start("true", &[], url).await, Ok(()));
        let failed = start("false", &[], url).await.expect_err("it fails");
        assert!(failed.contains('1'), "{failed}");
        assert!(start("/nonexistent/browser", &[], url).await.is_err());
    }
}
