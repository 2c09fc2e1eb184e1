//! What a check says: it passed, it failed, or it did not run and why.

use std::time::{Duration, Instant};

use crate::TaskResult;

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pass,
    /// It did not run: what it needs is not here. It proves nothing.
    Skip(String),
    Fail(String),
}

impl From<TaskResult> for Outcome {
    fn from(result: TaskResult) -> Self {
        match result {
            Ok(()) => Self::Pass,
            Err(text) => Self::Fail(text),
        }
    }
}

/// A check that is reported by itself.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
    pub(crate) time: Duration,
}

impl Part {
    pub(crate) fn run(name: &str, check: impl FnOnce() -> Outcome) -> Self {
        let start = Instant::now();
        let outcome = check();
        if let Outcome::Fail(text) = &outcome
            && !text.is_empty()
        {
            println!("{name}: {text}");
        }
        Self { name: name.to_owned(), outcome, time: start.elapsed() }
    }
}

/// A line for each part, and one that adds them up.
pub(crate) fn report(parts: &[Part]) -> String {
    let mut lines = String::new();
    for Part { name, outcome, time } in parts {
        let (word, why) = match outcome {
            Outcome::Pass => ("pass", ""),
            Outcome::Skip(why) => ("skip", why.as_str()),
            Outcome::Fail(_) => ("FAIL", ""),
        };
        let line = format!("{word} {name:<22} {}  {why}", seconds(*time));
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    let count =
        |wanted: fn(&Outcome) -> bool| parts.iter().filter(|part| wanted(&part.outcome)).count();
    let passed = count(|outcome| *outcome == Outcome::Pass);
    let skipped = count(|outcome| matches!(outcome, Outcome::Skip(_)));
    let failed = parts.len() - passed - skipped;
    lines + &format!("{passed} passed, {failed} failed, {skipped} skipped")
}

/// Whether none failed. What was skipped is no reason to fail, and is reported.
pub(crate) fn verdict(parts: &[Part]) -> TaskResult {
    if parts.iter().any(|part| matches!(part.outcome, Outcome::Fail(_))) {
        return Err("the checks above did not pass".to_owned());
    }
    Ok(())
}

pub(crate) fn seconds(time: Duration) -> String {
    format!("{:>4}.{} s", time.as_secs(), time.subsec_millis() / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &str, outcome: Outcome) -> Part {
        Part { name: name.to_owned(), outcome, time: Duration::from_millis(1_500) }
    }

    #[test]
    fn what_did_not_run_is_not_among_what_passed() {
        let parts = [
            part("ran", Outcome::Pass),
            part("absent", Outcome::Skip("no such program".to_owned())),
        ];
        let text = report(&parts);
        assert!(text.contains("skip absent"), "{text}");
        assert!(text.contains("no such program"), "{text}");
        assert!(text.ends_with("1 passed, 0 failed, 1 skipped"), "{text}");
        assert_eq!(verdict(&parts), Ok(()));
    }

    #[test]
    fn one_failure_fails_all() {
        let parts = [part("ran", Outcome::Pass), part("broken", Outcome::Fail("text".to_owned()))];
        assert!(report(&parts).ends_with("1 passed, 1 failed, 0 skipped"));
        assert!(verdict(&parts).is_err());
    }
}
