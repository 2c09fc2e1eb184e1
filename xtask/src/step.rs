//! The outcome of a check: it passed, it failed, or it was skipped and why.

use std::time::{Duration, Instant};

use crate::TaskResult;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pass,
    /// Not run, because the machine lacks what it needs. Proves nothing.
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

/// Prints a line for each part and the counts; an error if a part failed. Skipped parts are no failure.
pub(crate) fn finish(parts: &[Part]) -> TaskResult {
    println!("{}", report(parts));
    if parts.iter().any(|part| matches!(part.outcome, Outcome::Fail(_))) {
        return Err("some checks failed".to_owned());
    }
    Ok(())
}

fn report(parts: &[Part]) -> String {
    let mut lines = String::new();
    for Part { name, outcome, time } in parts {
        let (label, reason) = match outcome {
            Outcome::Pass => ("pass", ""),
            Outcome::Skip(reason) => ("skip", reason.as_str()),
            Outcome::Fail(_) => ("FAIL", ""),
        };
        let line = format!("{label} {name:<22} {}  {reason}", seconds(*time));
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
    fn skipped_parts_are_not_counted_as_passed() {
        let parts = [
            part("ran", Outcome::Pass),
            part("absent", Outcome::Skip("no such program".to_owned())),
        ];
        let text = report(&parts);
        assert!(text.contains("skip absent"), "{text}");
        assert!(text.contains("no such program"), "{text}");
        assert!(text.ends_with("1 passed, 0 failed, 1 skipped"), "{text}");
        assert_eq!(finish(&parts), Ok(()));
    }

    #[test]
    fn one_failure_fails_all() {
        let parts = [part("ran", Outcome::Pass), part("broken", Outcome::Fail("text".to_owned()))];
        assert!(report(&parts).ends_with("1 passed, 1 failed, 0 skipped"));
        assert!(finish(&parts).is_err());
    }
}
