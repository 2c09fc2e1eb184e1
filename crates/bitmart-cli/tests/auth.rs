//! Keys: stored, listed, tried and forgotten.

mod common;

use std::fs;

use common::{at_home, sandbox};

#[test]
fn a_key_is_stored_tried_listed_and_forgotten() {
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
fn without_a_profile_commands_need_no_key_again() {
    let home = tempfile::tempdir().expect("a folder");
    let run = |words: &[&str], input: &str| at_home(home.path(), words, input);
    assert_eq!(run(&["auth", "add", "--stdin"], "key\nsecret\nmemo\n").code, 0);
    assert_eq!(run(&["auth", "remove", "default", "--yes"], "").code, 0);
    assert!(home.path().join(".bitmart/config.toml").exists(), "its comments may be somebody's");
    let keyless = run(&["spot", "ticker", "BTC_USDT"], "");
    assert_eq!(keyless.code, 0, "{}", keyless.err);
    assert!(keyless.err.contains("sandbox") && !keyless.err.contains("profile"), "{}", keyless.err);
}

#[test]
fn a_profile_of_another_name_is_told_and_not_taken() {
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
fn a_stored_key_is_replaced_only_when_told_to() {
    let home = tempfile::tempdir().expect("a folder");
    let add = |words: &[&str], input: &str| {
        at_home(home.path(), &[&["auth", "add", "--stdin"], words].concat(), input)
    };
    assert_eq!(add(&[], "key1\nsecret1\nmemo1\n").code, 0);
    assert_eq!(add(&[], "key2\nsecret2\nmemo2\n").code, 9, "nobody can be asked");
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
    use std::fs::{File, OpenOptions};
    use std::io::{Read as _, Write as _};
    use std::process::{Child, Command, Stdio};

    use rustix::process::{Pid, Signal, kill_process};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{LocalModes, tcgetattr};

    /// The program at a terminal of its own.
    struct Session {
        terminal: File,
        child: Child,
        home: tempfile::TempDir,
        seen: String,
    }

    impl Session {
        fn start(words: &[&str]) -> Self {
            let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
            grantpt(&terminal).expect("a terminal");
            unlockpt(&terminal).expect("a terminal");
            let name = ptsname(&terminal, Vec::new()).expect("a name");
            let open = || -> Stdio {
                let path = name.to_str().expect("a path");
                OpenOptions::new().read(true).write(true).open(path).expect("a terminal").into()
            };
            let home = tempfile::tempdir().expect("a folder");
            let child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
                .args(words)
                .env_clear()
                .env("HOME", home.path())
                .stdin(open())
                .stderr(open())
                .stdout(Stdio::null())
                .spawn()
                .expect("it runs");
            Self { terminal: File::from(terminal), child, home, seen: String::new() }
        }

        /// Reads what the terminal shows up to `text`.
        fn wait_for(&mut self, text: &str) {
            let mut bytes = [0; 256];
            while !self.seen.contains(text) {
                let count = self.terminal.read(&mut bytes).expect("the program talks");
                self.seen += &String::from_utf8_lossy(&bytes[..count]);
            }
        }

        fn echoes(&self) -> bool {
            tcgetattr(&self.terminal).expect("a terminal").local_modes.contains(LocalModes::ECHO)
        }

        /// Waits until the program has hidden what is typed.
        fn wait_until_hidden(&self) {
            while self.echoes() {
                std::thread::yield_now();
            }
        }
    }

    #[test]
    fn what_is_typed_is_not_shown() {
        let mut session = Session::start(&["auth", "add"]);
        for (what, text) in [("key", "key1"), ("secret", "hushhush"), ("memo", "memo1")] {
            session.wait_for(&format!("{what}: "));
            session.wait_until_hidden();
            session.terminal.write_all(format!("{text}\n").as_bytes()).expect("it is typed");
        }
        session.wait_for("stored in");
        assert!(session.child.wait().expect("it ends").success());
        assert!(!session.seen.contains("hushhush"), "{}", session.seen);
        let file = session.home.path().join(".bitmart/config.toml");
        assert!(std::fs::read_to_string(file).expect("a file").contains("hushhush"));
    }

    #[test]
    fn ctrl_c_in_a_question_leaves_the_terminal_as_it_was() {
        let mut session = Session::start(&["auth", "add"]);
        session.wait_for("key: ");
        session.wait_until_hidden();
        let id = Pid::from_child(&session.child);
        kill_process(id, Signal::INT).expect("it is there");
        assert_eq!(session.child.wait().expect("it ends").code(), Some(130));
        assert!(session.echoes(), "what is typed is shown again");
        assert!(!session.home.path().join(".bitmart").exists(), "nothing was stored");
    }
}

/// Nobody has a keyring here, and without the feature the program has none either.
#[test]
fn a_keyring_that_cannot_be_used_leaves_nothing_in_the_file() {
    let home = tempfile::tempdir().expect("a folder");
    let add = ["auth", "add", "bot", "--stdin", "--keyring"];
    let outcome = at_home(home.path(), &add, "my-key\nmy-secret\nmy-memo\n");
    let expected = if cfg!(feature = "keyring") { 1 } else { 2 };
    assert_eq!(outcome.code, expected, "{}", outcome.err);
    assert!(outcome.err.contains("keyring") && !outcome.err.contains("my-"), "{}", outcome.err);
    assert!(!home.path().join(".bitmart/config.toml").exists());
}
