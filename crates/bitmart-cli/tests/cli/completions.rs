//! Shell completions work offline.

use std::path::Path;

use crate::common::{at_home, program};

/// Maximum size of a completion script in bytes.
const MAX_SCRIPT: usize = 4 << 10;

/// The candidates for the last of these words.
fn candidates(home: &Path, words: &[&str]) -> Vec<String> {
    let output = program(home)
        .arg("--")
        .arg("bitmart")
        .args(words)
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .env("_CLAP_IFS", "\n")
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(str::to_owned).collect()
}

#[test]
fn the_script_of_each_shell_is_small() {
    let home = tempfile::tempdir().expect("a folder");
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = at_home(home.path(), &["completions", shell], "");
        assert_eq!(script.code, 0, "{shell}: {}", script.err);
        assert!(script.out.contains("COMPLETE"), "{shell}: {}", script.out);
        assert!(script.out.len() <= MAX_SCRIPT, "{shell}: {} bytes", script.out.len());
    }
}

#[test]
fn offers_locally_known_names() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join(".bitmart")).expect("a folder");
    let profile = |name: &str| format!("[{name}]\nkey = \"k\"\nsecret = \"s\"\nmemo = \"m\"\n");
    let profiles = profile("main") + &profile("sub1");
    std::fs::write(home.path().join(".bitmart/config.toml"), profiles).expect("written");
    for (words, wanted, other) in [
        (&["--profile", ""][..], &["main", "sub1"][..], "secret"),
        (&["auth", "check", "s"], &["sub1"], "main"),
        (&["export", "--profiles", "main,"], &["main,sub1"], "key"),
        (&["sandbox", "fault", "drop"], &["drop-before", "drop-after"], "html"),
        (
            &["sandbox", "fault", "html", "/spot/quotation/v3/tick"],
            &["/spot/quotation/v3/ticker"],
            "/x",
        ),
        (&["spot", "ticker", "btc"], &["BTC_USDT"], "ETH_USDT"),
        (&["futures", "depth", "BTCUS"], &["BTCUSDT"], "BTC_USDT"),
        (
            &["api", "GET", "/contract/public/det"],
            &["/contract/public/details"],
            "/spot/v1/currencies",
        ),
        (&["explain-error", "3000"], &["30005"], "40001"),
        (&["export", "--what", "trades,dep"], &["trades,deposits"], "orders"),
        (&["--env", "sand"], &["sandbox"], "live"),
        (&["spot", "submit-or"], &["submit-order"], "ticker"),
        (&["--output", "c"], &["csv"], "json"),
    ] {
        let found = candidates(home.path(), words);
        for wanted in wanted {
            assert!(found.iter().any(|one| one == wanted), "{words:?}: {wanted}: {found:?}");
        }
        assert!(!found.iter().any(|one| one == other), "{words:?}: {found:?}");
    }
}

#[test]
fn an_invalid_configuration_offers_no_profiles() {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join(".bitmart")).expect("a folder");
    std::fs::write(home.path().join(".bitmart/config.toml"), "no [TOML").expect("written");
    assert!(candidates(home.path(), &["--profile", ""]).is_empty());
}

#[test]
fn a_variable_with_another_meaning_is_ignored() {
    let home = tempfile::tempdir().expect("a folder");
    for value in ["1", "yes", ""] {
        let output =
            program(home.path()).arg("--version").env("COMPLETE", value).output().expect("it runs");
        assert!(output.stdout.starts_with(b"bitmart "), "{value}");
    }
}
