//! Opens an address in the user's browser.

use std::process::{Command, Stdio};

/// Starts the browser, or says what to do without one. The address is visible to other users of the machine, so it
/// must not contain more than a one-use code.
pub(super) fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command
        .args(arguments)
        .arg(url)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // Some of these programs run as long as the browser, so nothing waits for them.
    if let Err(error) = command.spawn() {
        eprintln!(
            "no browser was opened ({program}: {error}); bitmart sandbox console --print prints an address"
        );
    }
}
