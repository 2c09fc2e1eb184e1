//! `auth`: keys are stored, listed, checked and removed.

use std::fs;

use crate::common::{at_home, sandbox};

#[test]
fn a_key_is_stored_listed_checked_and_removed() {
    let (place, home) = (sandbox(), tempfile::tempdir().expect("a folder"));
    let run = |words: &[&str], input: &str| at_home(home.path(), words, input);
    let key = format!("{}\n{}\n{}\n", place.key, place.secret, place.memo);
    let added = run(&["auth", "add", "--stdin"], &key);
    assert_eq!((added.code, added.out.as_str()), (0, ""), "{}", added.err);

    let listed = run(&["auth", "list"], "");
    let start = &place.key[..4];
    assert_eq!(
        listed.out,
        format!(
            "{{\"profile\":\"default\",\"key\":\"{start}…\",\"complete\":true,\"keyring\":false}}\n"
        )
    );

    let checked = run(&["auth", "check", "--env", &place.spot], "");
    assert_eq!(checked.code, 0, "{}", checked.err);
    assert!(checked.out.contains("permissions"), "{}", checked.out);
    for shown in [&added.err, &listed.out, &checked.out, &checked.err] {
        for secret in [&place.key, &place.secret, &place.memo] {
            assert!(!shown.contains(secret.as_str()), "{shown}");
        }
    }

    assert_eq!(run(&["auth", "remove", "default"], "").code, 9, "it asks");
    assert_eq!(run(&["auth", "remove", "default", "--yes"], "").code, 0);
    assert_eq!(run(&["auth", "remove", "default", "--yes"], "").code, 2, "it is gone");
}

#[test]
fn without_profiles_commands_use_the_sandbox_again() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |words: &[&str], input: &str| at_home(home.path(), words, input);
    assert_eq!(run(&["auth", "add", "--stdin"], "key\nsecret\nmemo\n").code, 0);
    assert_eq!(run(&["auth", "remove", "default", "--yes"], "").code, 0);
    assert!(home.path().join(".bitmart/config.toml").exists(), "it may contain comments");
    let keyless = run(&["spot", "ticker", "BTC_USDT"], "");
    assert_eq!(keyless.code, 0, "{}", keyless.err);
    assert!(keyless.err.contains("sandbox") && !keyless.err.contains("profile"), "{}", keyless.err);
}

#[test]
fn a_profile_other_than_default_is_listed_but_not_used() {
    let (place, home) = (sandbox(), tempfile::tempdir().expect("a folder"));
    let run = |words: &[&str], input: &str| at_home(home.path(), words, input);
    let key = format!("{}\n{}\n{}\n", place.key, place.secret, place.memo);
    let added = run(&["auth", "add", "bot", "--stdin"], &key);
    assert!(added.err.contains("bitmart auth check bot"), "{}", added.err);
    let keyless = run(&["spot", "ticker", "BTC_USDT"], "");
    assert_eq!(keyless.code, 0, "{}", keyless.err);
    assert!(keyless.err.contains("--profile") && keyless.err.contains("bot"), "{}", keyless.err);

    let checked = run(&["auth", "check", "bot", "--env", &place.spot], "");
    assert!(checked.code == 0 && checked.out.contains("permissions"), "{}", checked.err);
    let twice = run(&["auth", "check", "bot", "--profile", "bot"], "");
    assert_eq!(twice.code, 2, "{}", twice.err);
    let nobody = run(&["auth", "check", "nobody", "--env", &place.spot], "");
    assert!(nobody.code == 2 && nobody.err.contains("bot"), "{}", nobody.err);
}

#[test]
fn a_wrong_memo_fails_the_check() {
    let (place, home) = (sandbox(), tempfile::tempdir().expect("a folder"));
    let key = format!("{}\n{}\nanother memo\n", place.key, place.secret);
    assert_eq!(at_home(home.path(), &["auth", "add", "bot", "--stdin"], &key).code, 0);
    let check = ["auth", "check", "--profile", "bot", "--env", &place.spot];
    let checked = at_home(home.path(), &check, "");
    assert_eq!(checked.code, 5, "{}", checked.err);
    assert!(checked.err.contains("30005") && checked.err.contains("memo"), "{}", checked.err);
}

#[test]
fn a_stored_key_is_replaced_only_when_confirmed() {
    let home = tempfile::tempdir().expect("a folder");
    let add = |words: &[&str], input: &str| {
        at_home(home.path(), &[&["auth", "add", "--stdin"], words].concat(), input)
    };
    assert_eq!(add(&[], "key1\nsecret1\nmemo1\n").code, 0);
    let unconfirmed = add(&[], "key2\nsecret2\nmemo2\n");
    assert_eq!(unconfirmed.code, 9, "nobody can confirm");
    assert!(unconfirmed.err.contains("nothing was changed"), "{}", unconfirmed.err);
    assert!(!unconfirmed.err.contains("request"), "nothing would be sent: {}", unconfirmed.err);
    let file = home.path().join(".bitmart/config.toml");
    assert!(fs::read_to_string(&file).expect("a file").contains("secret1"));
    assert_eq!(add(&["--yes"], "key2\nsecret2\nmemo2\n").code, 0);
    assert!(!fs::read_to_string(&file).expect("a file").contains("secret1"));
    assert_eq!(add(&["other"], "key\n\nmemo\n").code, 2, "a secret is missing");
    let words = add(&["other"], "key\nse cret\nmemo\n");
    assert!(words.code == 2 && !words.err.contains("se cret"), "{}", words.err);
}

#[cfg(unix)]
mod at_a_terminal {
    use rustix::process::Signal;

    use crate::common::terminal::Session;

    fn wait_until_hidden(session: &Session) {
        while session.echoes() {
            std::thread::yield_now();
        }
    }

    #[test]
    fn input_is_not_shown() {
        let home = tempfile::tempdir().expect("a folder");
        let mut session = Session::start_at_home(home.path(), &["auth", "add"]);
        for (what, text) in [("key", "key1"), ("secret", "hushhush"), ("memo", "memo1")] {
            session.wait_for(&format!("{what}: "));
            wait_until_hidden(&session);
            session.answer(text);
        }
        session.wait_for("stored in");
        assert!(!session.shown().contains("hushhush"), "{}", session.shown());
        assert_eq!(session.end(), 0);
        let file = home.path().join(".bitmart/config.toml");
        assert!(std::fs::read_to_string(file).expect("a file").contains("hushhush"));
    }

    #[test]
    fn ctrl_c_restores_the_terminal() {
        let home = tempfile::tempdir().expect("a folder");
        let mut session = Session::start_at_home(home.path(), &["auth", "add"]);
        session.wait_for("key: ");
        wait_until_hidden(&session);
        session.signal(Signal::INT);
        assert_eq!(session.wait(), 130);
        assert!(session.echoes(), "input is shown again");
        assert!(!home.path().join(".bitmart").exists(), "nothing was stored");
    }
}

#[test]
fn only_keys_of_profiles_are_removed() {
    let home = tempfile::tempdir().expect("cannot create a temporary folder");
    let folder = home.path().join(".bitmart");
    fs::create_dir(&folder).expect("cannot create the folder");
    let file = folder.join("config.toml");
    let text = "colour = \"red\"\n\n[bot]\nkey = \"k\"\nlimit = 1\n";
    fs::write(&file, text).expect("cannot write the file");
    let remove = |name| at_home(home.path(), &["auth", "remove", name, "--yes"], "");
    let setting = remove("colour");
    assert_eq!(setting.code, 2, "a setting is removed: {}", setting.err);
    assert_eq!(remove("bot").code, 0);
    let left = fs::read_to_string(&file).expect("cannot read the file");
    assert_eq!(left, "colour = \"red\"\n\n[bot]\nlimit = 1\n");
}

/// On test machines the key cannot be deleted from the keyring.
#[test]
fn a_key_that_stays_in_the_keyring_is_reported_and_its_replacement_is_stored() {
    let home = tempfile::tempdir().expect("cannot create a temporary folder");
    let folder = home.path().join(".bitmart");
    fs::create_dir(&folder).expect("cannot create the folder");
    let file = folder.join("config.toml");
    fs::write(&file, "[bot]\nkeyring = true\n").expect("cannot write the file");
    let add = ["auth", "add", "bot", "--stdin", "--yes"];
    let outcome = at_home(home.path(), &add, "my-key\nmy-secret\nmy-memo\n");
    let expected = if cfg!(feature = "keyring") { 1 } else { 2 };
    assert_eq!(outcome.code, expected, "{}", outcome.err);
    assert!(outcome.err.contains("still in the keyring"), "{}", outcome.err);
    let left = fs::read_to_string(&file).expect("cannot read the file");
    assert!(left.contains("my-secret") && !left.contains("keyring"), "no key is left: {left}");
}

#[test]
fn a_dry_run_changes_nothing() {
    let home = tempfile::tempdir().expect("cannot create a temporary folder");
    let folder = home.path().join(".bitmart");
    let new = "my-key\nmy-secret\nmy-memo\n";
    let run = |words: &[&str]| at_home(home.path(), &[&["auth"], words].concat(), new);
    let added = run(&["add", "bot", "--stdin", "--dry-run"]);
    assert_eq!(added.code, 0, "{}", added.err);
    assert!(added.err.contains("would be stored") && !added.err.contains("my-"), "{}", added.err);
    assert!(!folder.exists(), "a key is stored");

    fs::create_dir(&folder).expect("cannot create the folder");
    let (file, text) = (folder.join("config.toml"), "[bot]\nkey = \"old\"\n");
    fs::write(&file, text).expect("cannot write the file");
    for words in [
        &["add", "bot", "--stdin", "--yes", "--dry-run"][..],
        &["add", "bot", "--stdin", "--dry-run"],
        &["remove", "bot", "--yes", "--dry-run"],
        &["remove", "bot", "--dry-run"],
    ] {
        assert_eq!(run(words).code, 0, "{words:?}");
        assert_eq!(fs::read_to_string(&file).expect("cannot read the file"), text, "{words:?}");
    }
}

/// Test machines have no keyring, and a program without the feature cannot use one.
#[test]
fn an_unusable_keyring_leaves_nothing_in_the_file() {
    let home = tempfile::tempdir().expect("a folder");
    let add = ["auth", "add", "bot", "--stdin", "--keyring"];
    let outcome = at_home(home.path(), &add, "my-key\nmy-secret\nmy-memo\n");
    let expected = if cfg!(feature = "keyring") { 1 } else { 2 };
    assert_eq!(outcome.code, expected, "{}", outcome.err);
    assert!(outcome.err.contains("keyring") && !outcome.err.contains("my-"), "{}", outcome.err);
    assert!(!home.path().join(".bitmart/config.toml").exists());
}
