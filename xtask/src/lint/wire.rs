//! The wire of the exchange is known to one folder: the engine has no codes, no JSON and no sockets, and the
//! server renders nothing of the exchange outside `wire`.

use super::Source;

const ENGINE: &str = "crates/bitmart-sim/src/";
const SERVER: &str = "crates/bitmart-sandbox/src/";

/// Words that must not be in the engine: it is a library of rules, and the time is an argument.
const FOREIGN: [&str; 8] = [
    "json!",
    "serde_json",
    "tokio",
    "hyper::",
    "http::",
    "std::net",
    "std::time::SystemTime",
    "Instant::now",
];

/// Error codes of the exchange.
const CODES: std::ops::RangeInclusive<u32> = 30_000..=79_999;

/// Code that only `wire` may contain.
const ROWS: &str = "json!";

/// Files of the server outside `wire` that render JSON or errors, each with the reason.
const EXCEPTIONS: [(&str, &str); 10] = [
    ("console/", "forms and updates of pages"),
    ("admin", "the Operator API is no wire of the exchange"),
    ("operator/", "the same"),
    ("auth", "key and signature are checked before an endpoint is known"),
    ("http/checks.rs", "limits and permissions are checked before a handler runs"),
    ("http/routing.rs", "errors of paths and methods without an endpoint"),
    ("http/service.rs", "errors of bodies, and faults that are switched on"),
    ("http/response.rs", "the envelope of every response"),
    ("feed/push.rs", "the envelope of every push"),
    ("sandbox.rs", "reports about the program"),
];

/// Checks the engine and the server.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let of = |folder: &'static str| {
        sources.iter().filter_map(move |source| {
            let name = source.name.strip_prefix(folder)?;
            source.is_rust().then_some((name, source))
        })
    };
    let tests: Vec<String> =
        of(ENGINE).chain(of(SERVER)).flat_map(|row| test_modules(row.1)).collect();
    let is_test =
        |name: &str| name.split(['/', '.']).any(|part| tests.iter().any(|test| test == part));
    let mut faults = Vec::new();
    for (_, source) in of(ENGINE).filter(|row| !is_test(row.0)) {
        for (number, line) in code(source) {
            let words =
                FOREIGN.iter().find(|word| line.contains(**word)).map(|word| (*word).to_owned());
            if let Some(word) = words.or_else(|| error_code(line)) {
                faults.push(format!("{}:{number}: the engine does not know {word}", source.name));
            }
        }
    }
    let is_free = |name: &str| {
        name == "wire.rs"
            || name.starts_with("wire/")
            || name.starts_with("generated/")
            || EXCEPTIONS.iter().any(|(path, _)| name.starts_with(path))
    };
    for (_, source) in of(SERVER).filter(|row| !is_free(row.0) && !is_test(row.0)) {
        for (number, line) in code(source) {
            if line.contains(ROWS) || calls_error(line) {
                faults.push(format!(
                    "{}:{number}: the wire is rendered in `wire/` only",
                    source.name
                ));
            }
        }
    }
    faults
}

/// Modules of a file that are compiled for tests only.
fn test_modules(source: &Source) -> Vec<String> {
    let mut lines = source.text.lines().map(str::trim).peekable();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        let next = lines.peek().copied().unwrap_or_default();
        if line == "#[cfg(test)]"
            && let Some(name) = next.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'))
        {
            found.push(name.to_owned());
        }
    }
    found
}

/// The lines above the tests of a file without their comments, which may name codes, numbered from 1.
fn code(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let lines =
        source.text.lines().take_while(|line| !line.trim_start().starts_with("mod tests {"));
    lines.enumerate().map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
}

/// A number in a line that looks like an error code.
fn error_code(line: &str) -> Option<String> {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_.\"".contains(letter);
    let mut words = line.split(|letter| !is_part(letter)).map(|word| word.trim_end_matches('.'));
    let code = words.find(|word| {
        word.len() == 5 && word.parse().is_ok_and(|number: u32| CODES.contains(&number))
    })?;
    Some(format!("the code {code}"))
}

/// Whether a line makes an error from its code.
fn calls_error(line: &str) -> bool {
    line.split("error(").skip(1).any(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(name: &str, text: &str) -> Vec<String> {
        check(&[Source { name: name.to_owned(), text: text.to_owned() }])
    }

    #[test]
    fn a_planted_code_or_socket_is_found_in_the_engine() {
        let engine = |text| faults("crates/bitmart-sim/src/spot.rs", text).len();
        assert_eq!(engine("/// A closing order is refused (40020).\n"), 0);
        assert_eq!(engine("return reject(40037);\n"), 1);
        assert_eq!(engine("let row = json!({});\n"), 1);
        assert_eq!(engine("use std::net::IpAddr;\n"), 1);
        assert_eq!(engine("let prices = [\"59999.5\", \"60000\"];\nlet ms = 60_000;\n"), 0);
        assert_eq!(engine("fn f() {}\n#[cfg(test)]\nmod tests {\n    let x = 50020;\n}\n"), 0);
    }

    #[test]
    fn a_planted_row_is_found_in_the_server_outside_wire() {
        let row = "let row = json!({ \"symbol\": symbol });\nErr(error(50001))\n";
        assert_eq!(faults("crates/bitmart-sandbox/src/feed/channel.rs", row).len(), 2);
        assert_eq!(faults("crates/bitmart-sandbox/src/wire/spot/orders.rs", row).len(), 0);
        assert_eq!(faults("crates/bitmart-sandbox/src/admin.rs", row).len(), 0);
    }
}
