//! An export that nobody watches: it waits through outages, and whatever stops it says how it continues.

use std::path::Path;

use bitmart::sandbox::{Config, Fault};

use crate::common::{Outcome, Place, bitmart, sandbox_of};

fn sandbox() -> Place {
    sandbox_of(Config::new().rate_limits(false))
}

fn words(folder: &Path) -> [&str; 6] {
    ["export", "--unlimited", "--days", "3", "--out", folder.to_str().expect("text")]
}

fn export(place: &Place, folder: &Path, more: &[&str]) -> Outcome {
    bitmart(place, &[&words(folder)[..], &["--no-pauses"], more].concat())
}

fn verify(place: &Place, folder: &Path) -> Outcome {
    bitmart(place, &["verify", folder.to_str().expect("text")])
}

#[test]
fn an_export_waits_for_hours_and_says_that_it_goes_on() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    let path = "/spot/v4/query/trades";
    place.sandbox.inject(Fault::Maintenance.on(path).times(100));
    let run = export(&place, home.path(), &["--what", "trades"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(run.err.matches("next attempt in").count(), 100);
    // For ever is too long.
    place.sandbox.inject(Fault::Maintenance.on(path).times(u32::MAX));
    let run = export(&place, home.path(), &["--what", "trades", "--patience", "2"]);
    assert_eq!(run.code, 7, "{}", run.err);
    assert!(run.err.contains("the same command continues where this one stopped"), "{}", run.err);
    assert!(
        run.err.lines().last().is_some_and(|line| line.starts_with("PLAY MONEY")),
        "{}",
        run.err
    );
    let pauses = run.err.matches("next attempt in").count();
    assert!((20..40).contains(&pauses), "two hours of pauses up to 5 min: {pauses}");
    place.sandbox.clear_faults();
    assert_eq!(export(&place, home.path(), &["--what", "trades"]).code, 0);
    assert_eq!(verify(&place, home.path()).code, 0);
}

#[test]
fn a_list_that_fails_alone_comes_last_and_an_outage_is_waited_for() {
    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    place.sandbox.inject(Fault::Html(502).on("/spot/v4/query/trades").times(5));
    place.sandbox.inject(Fault::DropBefore.on("/system/time").times(3));
    let run = export(&place, home.path(), &["--what", "trades,deposits"]);
    assert_eq!(run.code, 0, "{}", run.err);
    let at = |words: &str| run.err.find(words).unwrap_or_else(|| panic!("{words}: {}", run.err));
    assert!(at("the time: ") < at("deposits: ") && at("deposits: ") < at("trades: 0 rows"));
    assert!(run.err.contains("1 lists fail while others succeed"), "{}", run.err);
    assert!(run.err.contains("all: 100 %, 0 rows, "), "{}", run.err);
}

/// What ctrl-c and the end of a session do.
#[cfg(unix)]
#[test]
fn a_signal_ends_an_export_that_waits_and_the_same_command_goes_on() {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Command, Stdio};

    use rustix::process::{Pid, Signal, kill_process};

    let place = sandbox();
    let home = tempfile::tempdir().expect("a folder");
    place.sandbox.inject(Fault::Maintenance.on("/spot/v4/query/trades").times(u32::MAX));
    let mut child = Command::new(env!("CARGO_BIN_EXE_bitmart"))
        .args(words(home.path()))
        .args(["--what", "trades", "--env", place.ready_file().to_str().expect("text")])
        .env_clear()
        .env("HOME", home.path())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut told = String::new();
    let mut err = BufReader::new(child.stderr.take().expect("a pipe"));
    while !told.contains("next attempt in") {
        assert!(err.read_line(&mut told).expect("text") > 0, "{told}");
    }
    kill_process(Pid::from_child(&child), Signal::TERM).expect("sent");
    std::io::Read::read_to_string(&mut err, &mut told).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(10), "{told}");
    assert!(told.contains("the same command continues where this one stopped"), "{told}");
    place.sandbox.clear_faults();
    let run = export(&place, home.path(), &["--what", "trades"]);
    assert_eq!(run.code, 0, "{}", run.err);
}
