//! `doctor`: reports problems within a bounded time.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use bitmart::sandbox::{Config, Permission};
use serde_json::Value;

use crate::common::{Outcome, Place, at_home, bitmart, sandbox, sandbox_of};

fn finding(outcome: &Outcome, check: &str) -> Value {
    let rows = outcome.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    rows.into_iter().find(|row| row["check"] == check).unwrap_or_else(|| panic!("{}", outcome.out))
}

/// Runs `doctor` at `address` with the key of `place`, or with another memo.
fn with_key(place: &Place, address: &str, memo: Option<&str>) -> Outcome {
    let home = tempfile::tempdir().expect("a folder");
    let memo = memo.unwrap_or(&place.memo);
    let key = format!("{}\n{}\n{memo}\n", place.key, place.secret);
    assert_eq!(at_home(home.path(), &["auth", "add", "--stdin"], &key).code, 0);
    let doctor = at_home(home.path(), &["doctor", "--env", address, "--timeout", "1"], "");
    for secret in [&place.key, &place.secret, memo] {
        assert!(!doctor.out.contains(secret) && !doctor.err.contains(secret), "{}", doctor.out);
    }
    doctor
}

#[test]
fn all_checks_of_a_sandbox_pass() {
    let place = sandbox();
    let doctor = bitmart(&place, &["doctor"]);
    assert_eq!(doctor.code, 0, "{}{}", doctor.out, doctor.err);
    let signed = finding(&doctor, "string to sign")["found"].to_string();
    assert!(signed.contains("#***#{"), "{signed}");
    assert!(!doctor.out.contains(&place.memo) && !doctor.out.contains(&place.secret));
    assert!(finding(&doctor, "public spot WebSocket")["found"].to_string().contains("101"));
}

#[test]
fn prints_the_permissions_of_the_key() {
    let place = sandbox();
    let all = finding(&bitmart(&place, &["doctor"]), "permissions")["found"].to_string();
    assert!(all.contains("Spot-Trade") && all.contains("Withdraw"), "{all}");
    let mut reader = sandbox();
    let key = reader.sandbox.create_key(1, [Permission::ReadOnly]).expect("a key");
    (reader.key, reader.secret, reader.memo) = (key.key, key.secret, key.memo);
    let doctor = with_key(&reader, &reader.spot, None);
    let few = finding(&doctor, "permissions")["found"].to_string();
    assert!(few.contains("Read-only") && !few.contains("Trade"), "{few}");
}

#[test]
fn explains_a_wrong_memo() {
    let place = sandbox();
    let doctor = with_key(&place, &place.spot, Some("not this one"));
    assert_eq!(doctor.code, 5, "{}", doctor.out);
    let key = finding(&doctor, "key");
    assert_eq!(key["ok"], false);
    assert!(key["found"].to_string().contains("30005"), "{key}");
    assert!(key["advice"].to_string().contains("four causes: the memo"), "{key}");
}

#[test]
fn measures_and_explains_a_wrong_clock() {
    let place = sandbox_of(Config::new().stepped_clock(1_700_000_000_000));
    let doctor = with_key(&place, &place.spot, None);
    assert_eq!(doctor.code, 5, "{}", doctor.out);
    let clock = finding(&doctor, "clock");
    assert!(clock["found"].to_string().contains("ms ahead of the exchange"), "{clock}");
    let key = finding(&doctor, "key");
    assert!(key["advice"].to_string().contains("30007 has four causes"), "{key}");
}

#[test]
fn a_closed_port_fails_the_tcp_step() {
    let place = sandbox();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let doctor = with_key(&place, &address, None);
    assert_eq!(doctor.code, 3, "{}", doctor.out);
    let spot = finding(&doctor, "spot REST");
    assert!(spot["found"].to_string().contains("TCP: "), "{spot}");
}

#[test]
fn a_silent_server_fails_after_the_timeout() {
    let place = sandbox();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("an address");
    let started = Instant::now();
    let plain = with_key(&place, &format!("http://{at}"), None);
    assert!(
        finding(&plain, "spot REST")["found"].to_string().contains("HTTP: no response within 1 s")
    );
    assert_eq!(plain.code, 3);
    let secure = with_key(&place, &format!("https://{at}"), None);
    assert!(
        finding(&secure, "spot REST")["found"].to_string().contains("TLS: no response within 1 s")
    );
    assert!(started.elapsed() < Duration::from_secs(60), "each step has a timeout");
    drop(listener);
}
