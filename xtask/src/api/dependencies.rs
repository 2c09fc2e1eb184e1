//! Public dependencies: which foreign crates appear in the public API of which library.

use std::collections::{BTreeMap, BTreeSet};

const ALLOWED: &str = include_str!("dependencies.txt");

/// Library and foreign crate, with a public item in which it appears.
#[derive(Default)]
pub(super) struct Used(BTreeMap<(String, String), String>);

impl Used {
    pub(super) fn add(&mut self, library: &str, foreign: &BTreeMap<String, String>) {
        for (name, item) in foreign {
            self.0.insert((library.to_owned(), name.clone()), item.clone());
        }
    }

    /// Compares with the list in `dependencies.txt`.
    pub(super) fn check(&self) -> Result<Vec<String>, String> {
        self.compare(ALLOWED)
    }

    fn compare(&self, allowed: &str) -> Result<Vec<String>, String> {
        let mut listed = BTreeSet::new();
        for line in allowed.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut words = line.split_whitespace();
            let (Some(library), Some(name), Some(_)) = (words.next(), words.next(), words.next())
            else {
                return Err(format!("dependencies.txt: `{line}` is no library, crate and reason"));
            };
            listed.insert((library.to_owned(), name.to_owned()));
        }
        let new = self.0.iter().filter(|(pair, _)| !listed.contains(*pair));
        let new = new.map(|((library, name), item)| {
            format!("{name} is a new public dependency of {library}, in `{item}`: list it in xtask/src/api/dependencies.txt")
        });
        let unused = listed.iter().filter(|pair| !self.0.contains_key(*pair));
        let unused = unused.map(|(library, name)| {
            format!("{name} is no public dependency of {library} any more: remove it from xtask/src/api/dependencies.txt")
        });
        Ok(new.chain(unused).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_and_unused_public_dependencies_are_reported() {
        let mut used = Used::default();
        used.add("a", &BTreeMap::from([("http".to_owned(), "pub fn f()".to_owned())]));
        assert_eq!(used.compare("# Comment.\na http  requests\n"), Ok(Vec::new()));
        let faults = used.compare("a bytes  bodies\n").expect("a valid list");
        assert_eq!(faults.len(), 2);
        assert!(faults[0].starts_with("http is a new public dependency of a, in `pub fn f()`"));
        assert!(faults[1].starts_with("bytes is no public dependency of a any more"));
        assert!(used.compare("a http\n").is_err(), "a reason is missing");
    }
}
