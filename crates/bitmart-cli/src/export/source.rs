//! Where an archive comes from, how old it is, and how long the exchange is still there: said in the first and
//! the last line of every run, and in the first of `verify`.

use bitmart::{Environment, Timestamp};

use super::archive::Terms;
use super::{DAY_MS, progress};
use crate::auth::store::Store;
use crate::failure::Failure;

/// How a line about play money begins.
pub(super) const PLAY: &str = "PLAY MONEY: ";
/// When BitMart ends its operations, as it announced: 2027-01-31 15:59 UTC.
const END_MS: i64 = 1_801_411_140_000;
/// The variables that hold keys.
const KEYS: [&str; 3] = ["BITMART_API_KEY", "BITMART_API_SECRET", "BITMART_API_MEMO"];
/// Another variable of this library.
const OTHERS: [&str; 1] = [Environment::VARIABLE];

/// The hosts of an environment.
pub(super) fn hosts(environment: &Environment) -> String {
    let host = |address: &str| address.split("://").last().unwrap_or_default().to_owned();
    let mut hosts = vec![host(&environment.spot_rest), host(&environment.futures_rest)];
    hosts.dedup();
    hosts.retain(|host| !host.is_empty());
    hosts.join(", ")
}

/// Whether a source is a game.
pub(super) fn is_play_money(source: &str) -> bool {
    matches!(source, "sandbox" | "replay" | "futures-demo")
}

/// Source, host and account.
pub(super) fn of(terms: &Terms) -> String {
    let Terms { source, host, account, .. } = terms;
    let play = if is_play_money(source) { PLAY } else { "" };
    let host = if host.is_empty() { String::new() } else { format!(" ({host})") };
    let account = if account.is_empty() { "unknown" } else { account };
    format!("{play}source {source}{host}, account {account}")
}

/// The span that is there, its age, and the days that are left. `to` is the end of what is there.
pub(super) fn age(from: i64, to: i64, now: i64) -> String {
    let minute = |time: i64| {
        let text: String = Timestamp::from_millis(time).to_string().chars().take(16).collect();
        text.replace('T', " ")
    };
    let day: String = minute(from).chars().take(10).collect();
    let old = (now - to).max(0);
    let stale = if old > DAY_MS { ", STALE: run the export again" } else { "" };
    format!("{day} to {} UTC, {} old{stale}{}", minute(to), span(old), left(now))
}

fn span(millis: i64) -> String {
    match millis / DAY_MS {
        0 => progress::clock(u128::from((millis / 1_000).unsigned_abs())),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

pub(super) fn left(now: i64) -> String {
    let left = END_MS - now;
    if left <= 0 {
        return "; BitMart ended operations on 2027-01-31".to_owned();
    }
    format!("; {} left until BitMart ends on 2027-01-31 15:59 UTC", span(left))
}

/// What speaks for a live account on this machine, in words.
fn live_here() -> Option<String> {
    let set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if let Some(name) = KEYS.iter().find(|name| set(name)) {
        return Some(format!("{name} is set"));
    }
    if let Some((name, known)) = near_misses().into_iter().next() {
        return Some(format!("{name} is set, which may be meant as {known}"));
    }
    let profile = Store::open().ok()?.names().next()?;
    Some(format!("there is the profile {profile}"))
}

/// Play money is not taken for a live account: where there is a live key, it has to be named.
pub(super) fn refuse_unnamed_play(source: &str, named: Option<&str>) -> Result<(), Failure> {
    let in_words = named
        .is_some_and(|name| name == "sandbox" || name.starts_with("sandbox:") || name == "demo");
    if in_words || !is_play_money(source) {
        return Ok(());
    }
    let Some(why) = live_here() else { return Ok(()) };
    Err(Failure::usage(format!("this would export play money of a sandbox, and {why}"))
        .with_advice(
            "--env sandbox exports the sandbox, --env sandbox:FILE that of a ready line; --env live or \
             --profile NAME exports the account",
        ))
}

/// Variables of the environment that look like one that is known: theirs and the known name.
pub(super) fn near_misses() -> Vec<(String, &'static str)> {
    let names = std::env::vars_os().filter(|(_, value)| !value.is_empty());
    let names = names.filter_map(|(name, _)| name.into_string().ok());
    names.filter_map(|name| Some((near(&name)?, name))).map(|(known, name)| (name, known)).collect()
}

/// The known variable that a name misses by two letters at most, `_` and `API` aside.
fn near(name: &str) -> Option<&'static str> {
    let known = || KEYS.into_iter().chain(OTHERS);
    if known().any(|known| known == name) {
        return None;
    }
    let plain = |name: &str| name.to_ascii_uppercase().replace('_', "").replace("API", "");
    let distances = known().map(|known| (distance(&plain(name), &plain(known)), known));
    distances.filter(|(distance, _)| *distance <= 2).min().map(|(_, known)| known)
}

/// Letters to put in, take out or replace.
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
    use super::{DAY_MS, END_MS, age, near};
    use bitmart::Timestamp;

    #[test]
    fn an_archive_older_than_a_day_is_stale_and_the_days_left_are_told() {
        let end: Timestamp = "2027-01-31T15:59:00Z".parse().expect("a time");
        assert_eq!(end.as_millis(), END_MS);
        let now = END_MS - 63 * DAY_MS;
        let fresh = age(now - 9 * DAY_MS, now - DAY_MS, now);
        assert!(fresh.contains("1 day old; 63 days left until"), "{fresh}");
        let old = age(now - 9 * DAY_MS, now - 2 * DAY_MS - 1, now);
        assert!(old.contains("2 days old, STALE"), "{old}");
        assert!(age(0, END_MS, END_MS).contains("ended operations"));
        assert!(age(0, now, now).contains(", 0 s old;"), "the clock may be behind");
    }

    #[test]
    fn a_variable_that_nearly_is_one_is_known() {
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
            assert_eq!(near(name), known, "{name}");
        }
    }
}
