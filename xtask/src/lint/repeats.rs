//! Finds what a merge leaves twice in a document: headings below the same heading, and rows of a table.

use std::collections::HashSet;

use super::Source;

/// Returns each heading and table row whose name was there before.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| source.has_extension("md") && !source.is_generated())
        .flat_map(|source| repeated(&source.text).map(|what| format!("{}:{what}", source.name)))
        .collect()
}

fn repeated(text: &str) -> impl Iterator<Item = String> {
    let mut found = Vec::new();
    let mut is_code = false;
    // The headings around a line, and the headings and first cells that were there.
    let (mut above, mut headings) = (Vec::<&str>::new(), HashSet::new());
    let mut keys: HashSet<&str> = HashSet::new();
    for (index, line) in text.lines().enumerate() {
        is_code ^= line.trim_start().starts_with("```");
        if is_code {
            continue;
        }
        let level = line.bytes().take_while(|byte| *byte == b'#').count();
        if level > 0 {
            above.truncate(level - 1);
            above.push(line);
            if !headings.insert(above.clone()) {
                found.push(format!("{}: this heading is repeated: {line}", index + 1));
            }
        }
        match line.strip_prefix('|').and_then(|row| row.split_once('|')) {
            None => keys.clear(),
            // A number alone names nothing.
            Some((key, _)) if key.trim().bytes().all(|byte| byte.is_ascii_digit()) => {}
            Some((key, _)) if key.contains("---") => {}
            Some((key, _)) => {
                if !keys.insert(key.trim()) {
                    found.push(format!("{}: this row is repeated: {}", index + 1, key.trim()));
                }
            }
        }
    }
    found.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_repeated_headings_and_rows() {
        let text = "# a\n## b\n## b\n\n| x | 1 |\n|---|---|\n| y | 1 |\n| x | 2 |\n";
        let found: Vec<_> = repeated(text).collect();
        assert_eq!(found, ["3: this heading is repeated: ## b", "8: this row is repeated: x"],);
    }

    #[test]
    fn equal_names_in_different_places_are_no_repetition() {
        let text = "# a\n## b\n# c\n## b\n| x |\n\n| x |\n```sh\n# c\n```\n|  | 1 |\n|  | 2 |\n";
        assert_eq!(repeated(text).count(), 0);
    }
}
