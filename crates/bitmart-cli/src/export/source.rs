//! The source and age of an archive, and the time until the exchange closes: in the first and last line of every run,
//! and in the first line of `verify`.

use bitmart::{Environment, Timestamp};

use super::archive::ArchiveInfo;
use super::{DAY_MS, progress};
use crate::auth::store::Store;
use crate::failure::Failure;

/// Prefix of a line about play money.
pub(super) const PLAY: &str = "PLAY MONEY: ";
/// Announced end of BitMart's operations: 2027-01-31 15:59 UTC.
const END_MS: i64 = 1_801_411_140_000;
/// Environment variables that hold credentials.
const KEYS: [&str; 3] = ["BITMART_API_KEY", "BITMART_API_SECRET", "BITMART_API_MEMO"];
/// Other environment variables of this library.
const OTHER_VARIABLES: [&str; 1] = [Environment::VARIABLE];

/// The hosts of an environment.
pub(super) fn hosts(environment: &Environment) -> String {
    let host = |address: &str| address.split("://").last().unwrap_or_default().to_owned();
    let mut hosts = vec![host(&environment.spot_rest), host(&environment.futures_rest)];
    hosts.dedup();
    hosts.retain(|host| !host.is_empty());
    hosts.join(", ")
}

/// Whether a source holds no real money.
pub(super) fn is_play_money(source: &str) -> bool {
    matches!(source, "sandbox" | "replay" | "futures-demo")
}

/// Source, host and account.
pub(super) fn describe(info: &ArchiveInfo) -> String {
    let ArchiveInfo { source, host, account, .. } = info;
    let play = if is_play_money(source) { PLAY } else { "" };
    let host = if host.is_empty() { String::new() } else { format!(" ({host})") };
    let account = if account.is_empty() { "unknown" } else { account };
    format!("{play}source {source}{host}, account {account}")
}

/// The span of an archive, its age, and the time until the exchange closes.
pub(super) fn describe_span(from: i64, to: i64, now: i64) -> String {
    let minute = |time: i64| {
        let text: String = Timestamp::from_millis(time).to_string().chars().take(16).collect();
        text.replace('T', " ")
    };
    let day: String = minute(from).chars().take(10).collect();
    let old = (now - to).max(0);
    let stale = if old > DAY_MS { ", STALE: run the export again" } else { "" };
    format!("{day} to {} UTC, {} old{stale}{}", minute(to), duration(old), time_left(now))
}

fn duration(millis: i64) -> String {
    match millis / DAY_MS {
        0 => progress::clock(u128::from((millis / 1_000).unsigned_abs())),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

/// The time until the exchange closes, with a leading semicolon.
pub(super) fn time_left(now: i64) -> String {
    let left = END_MS - now;
    if left <= 0 {
        return "; BitMart ended operations on 2027-01-31".to_owned();
    }
    format!("; {} left until BitMart ends on 2027-01-31 15:59 UTC", duration(left))
}

/// Returns a sign that this machine is used with a live account.
fn live_account_sign() -> Option<String> {
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if let Some(name) = KEYS.iter().find(|name| set(name)) {
        return Some(format!("{name} is set"));
    }
    if let Some((name, known)) = misspelled_variables().into_iter().next() {
        return Some(format!("{name} is set, which may be meant as {known}"));
    }
    let profile = Store::open().ok()?.names().next()?;
    Some(format!("there is the profile {profile}"))
}

/// Rejects an export of play money that was not requested by name, where there are credentials of a live account.
pub(super) fn reject_implicit_play_money(source: &str, named: Option<&str>) -> Result<(), Failure> {
    let is_explicit = named
        .is_some_and(|name| name == "sandbox" || name.starts_with("sandbox:") || name == "demo");
    if is_explicit || !is_play_money(source) {
        return Ok(());
    }
    let Some(why) = live_account_sign() else { return Ok(()) };
    Err(Failure::usage(format!("this would export play money of a sandbox, and {why}"))
        .with_advice(
            "--env sandbox exports the sandbox, --env sandbox:FILE that of a ready line; --env live or \
             --profile NAME exports the account",
        ))
}

/// Environment variables that look like a misspelled known one, each with the known name.
pub(super) fn misspelled_variables() -> Vec<(String, &'static str)> {
    let names = std::env::vars_os().filter(|(_, value)| !value.is_empty());
    let names = names.filter_map(|(name, _)| name.into_string().ok());
    names
        .filter_map(|name| Some((similar(&name)?, name)))
        .map(|(known, name)| (name, known))
        .collect()
}

/// Returns the known variable whose name differs by at most two letters, ignoring `_` and `API`.
fn similar(name: &str) -> Option<&'static str> {
    let known = || KEYS.into_iter().chain(OTHER_VARIABLES);
    if known().any(|known| known == name) {
        return None;
    }
    let plain = |name: &str| name.to_ascii_uppercase().replace('_', "").replace("API", "");
    let distances = known().map(|known| (distance(&plain(name), &plain(known)), known));
    distances.filter(|(distance, _)| *distance <= 2).min().map(|(_, known)| known)
}

/// Levenshtein distance.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (column, other) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::{DAY_MS, END_MS, describe_span, similar};
    use bitmart::Timestamp;

    #[test]
    fn marks_an_archive_older_than_a_day_and_counts_the_days_left() {
        let end: Timestamp = "2027-01-31T15:59:00Z".parse().expect("a time");
        assert_eq!(end.as_millis(), END_MS);
        let now = END_MS - 63 * DAY_MS;
        let fresh = describe_span(now - 9 * DAY_MS, now - DAY_MS, now);
        assert!(fresh.contains("1 day old; 63 days left until"), "{fresh}");
        let old = describe_span(now - 9 * DAY_MS, now - 2 * DAY_MS - 1, now);
        assert!(old.contains("2 days old, STALE"), "{old}");
        assert!(describe_span(0, END_MS, END_MS).contains("ended operations"));
        assert!(describe_span(0, now, now).contains(", 0 s old;"), "the clock may be behind");
    }

    #[test]
    fn finds_misspelled_variables() {
        for (name, known) in [
            ("BITMART_KEY", Some("BITMART_API_KEY")),
            ("BITMART_APIKEY", Some("BITMART_API_KEY")),
            ("BITMRT_API_SECRET", Some("BITMART_API_SECRET")),
            ("BITMART_MEMO", Some("BITMART_API_MEMO")),
            ("BITMART_ENVIROMENT", Some("BITMART_ENVIRONMENT")),
            ("BITMART_API_KEY", None),
            ("BITMART_HOME", None),
            ("PATH", None),
            ("API_KEY", None),
        ] {
            assert_eq!(similar(name), known, "{name}");
        }
    }
}
