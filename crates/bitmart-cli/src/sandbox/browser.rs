//! Opens an address in the user's browser.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// How long a failure of the browser is waited for. Some of these programs run as long as the browser.
const WAIT: Duration = Duration::from_secs(3);

/// Starts the browser, or says that none was opened. Without `xdg-open`, which starts the programs of `$BROWSER`, these
/// are tried. The address is visible to other users of the machine, so it must
/// not contain more than a one-use code.
pub(super) async fn open(url: &str) {
    let (program, arguments): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let Err(problem) = start(program, &with_url(arguments, url)).await else { return };
    let mut problems = vec![format!("{program}: {problem}")];
    for command in commands(&std::env::var("BROWSER").unwrap_or_default()) {
        let Some((program, arguments)) = command.split_first() else { continue };
        match start(program, &with_url(arguments, url)).await {
            Ok(()) => return,
            Err(problem) => problems.push(format!("{program}: {problem}")),
        }
    }
    let problems = problems.join("; ");
    eprintln!(
        "no browser was opened ({problems}); open {url} within a minute, or print another address: \
         bitmart sandbox console --print"
    );
}

/// The commands of `$BROWSER`, which are separated by colons.
fn commands(browser: &str) -> Vec<Vec<&str>> {
    browser.split(':').map(|command| command.split_whitespace().collect()).collect()
}

/// The arguments of a command of `$BROWSER`: the address takes the place of `%s`, or comes last.
fn with_url(arguments: &[&str], url: &str) -> Vec<String> {
    let mut filled: Vec<_> = arguments.iter().map(|word| word.replace("%s", url)).collect();
    if !arguments.iter().any(|word| word.contains("%s")) {
        filled.push(url.to_owned());
    }
    filled
}

/// Starts a program. The error says why it did not, or how it failed at once.
async fn start(program: &str, arguments: &[String]) -> Result<(), String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    match timeout(WAIT, child.wait()).await {
        Ok(Ok(status)) if !status.success() => Err(status.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Ok(Ok(_)) | Err(_) => Ok(()),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{commands, start, with_url};

    #[tokio::test]
    async fn a_browser_that_fails_or_is_missing_is_reported() {
        assert_eq!(start("true", &[]).await, Ok(()));
        let failed = start("false", &[]).await.expect_err("it fails");
        assert!(failed.contains('1'), "{failed}");
        assert!(start("/nonexistent/browser", &[]).await.is_err());
    }

    #[test]
    fn the_variable_browser_lists_commands_that_may_say_where_the_address_goes() {
        let url = "http://127.0.0.1:1/";
        assert_eq!(
            commands("firefox:lynx -dump %s"),
            [vec!["firefox"], vec!["lynx", "-dump", "%s"]]
        );
        assert!(commands("").concat().is_empty());
        assert_eq!(with_url(&["--new", "%s", "-x"], url), ["--new", url, "-x"]);
        assert_eq!(with_url(&["--new"], url), ["--new", url]);
    }
}
