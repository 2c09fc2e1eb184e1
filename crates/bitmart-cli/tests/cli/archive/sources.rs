//! Where an archive comes from: play money, and several profiles.

use super::{export, lines, market_buy, sandbox, verify};
use crate::common::at_home;

#[test]
fn labels_play_money_and_requires_an_explicit_sandbox() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    let run = export(&place, &folder, &["--what", "trades"]);
    assert_eq!(run.code, 0, "{}", run.err);
    for line in [run.err.lines().next(), run.err.lines().last()] {
        assert!(line.is_some_and(|line| line.starts_with("PLAY MONEY: ")), "{}", run.err);
    }
    let now = ["--now", "2026-12-01"];
    let verified = verify(&place, &folder, &now);
    let first = verified.out.lines().next().expect("a line");
    assert!(first.starts_with("PLAY MONEY: source sandbox (127.0.0.1:"), "{first}");
    assert!(first.contains("61 days left until BitMart ends on 2027-01-31 15:59 UTC"), "{first}");

    // With a live profile, the sandbox must be named.
    let config = home.path().join(".bitmart");
    std::fs::create_dir(&config).expect("a folder");
    let file = config.join("config.toml");
    std::fs::write(&file, "[main]\nkey = \"k\"\nsecret = \"s\"\nmemo = \"m\"\n").expect("written");
    let ready = place.ready_file().display().to_string();
    let named = format!("sandbox:{ready}");
    let out = folder.display().to_string();
    let words = |env| ["export", "--what", "trades", "--unlimited", "--out", &out, "--env", env];
    let run = at_home(home.path(), &words(&ready), "");
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("play money") && run.err.contains("the profile main"), "{}", run.err);
    let run = at_home(home.path(), &words(&named), "");
    assert_eq!(run.code, 0, "{}", run.err);

    // Also with a misspelled variable of credentials.
    std::fs::remove_file(&file).expect("removed");
    let near = std::process::Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(words(&ready))
        .env_clear()
        .env("HOME", home.path())
        .env("BITMART_KEY", "k")
        .output()
        .expect("it runs");
    let err = String::from_utf8(near.stderr).expect("text");
    assert_eq!(near.status.code(), Some(2), "{err}");
    assert!(err.contains("BITMART_KEY") && err.contains("BITMART_API_KEY"), "{err}");
}

#[test]
fn exports_several_profiles_with_one_summary() {
    let place = sandbox();
    market_buy(&place);
    let home = tempfile::tempdir().expect("a folder");
    let config = home.path().join(".bitmart");
    std::fs::create_dir(&config).expect("a folder");
    let sub = place.sandbox.sub_account_credentials().expect("a key");
    let profile = |name: &str, key: &str, secret: &str, memo: &str| {
        format!("[{name}]\nkey = \"{key}\"\nsecret = \"{secret}\"\nmemo = \"{memo}\"\n")
    };
    let text = profile("main", &place.key, &place.secret, &place.memo)
        + &profile("sub", &sub.key, &sub.secret, &sub.memo);
    let file = config.join("config.toml");
    std::fs::write(&file, text).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
    }
    let hosts = format!("{},{}", place.spot, place.sandbox.futures().rest);
    let out = home.path().join("all").display().to_string();
    let words = [
        "export",
        "--no-pauses",
        "--unlimited",
        "--what",
        "trades,balances",
        "--days",
        "2",
        "--to",
        "now",
        "--out",
        &out,
        "--env",
        &hosts,
        "--profiles",
    ];
    let run = at_home(home.path(), &[&words[..], &["main,sub"]].concat(), "");
    assert_eq!(run.code, 0, "{}", run.err);
    let all = home.path().join("all");
    assert!(lines(&all, "main/trades.jsonl") > 0 && lines(&all, "sub/trades.jsonl") == 0);
    for profile in ["main: ", "sub: "] {
        assert!(run.err.lines().any(|line| line.starts_with(profile)), "{}", run.err);
    }
    let verified = at_home(home.path(), &["verify", &out], "");
    assert_eq!(verified.code, 0, "{}", verified.err);
    assert_eq!(verified.out.matches("source custom (").count(), 2, "{}", verified.out);
    // A failure does not stop the next profile.
    let run = at_home(home.path(), &[&words[..], &["gone,sub"]].concat(), "");
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(run.err.contains("gone: error: ") && run.err.contains("sub: "), "{}", run.err);
}
