//! Sizes of source files, in lines and in bytes, and lengths of their lines.

use super::Source;

struct Limit {
    lines: usize,
    bytes: usize,
}

const HAND_WRITTEN: Limit = Limit { lines: 600, bytes: 30_000 };
const GENERATED: Limit = Limit { lines: 1_200, bytes: 50_000 };

/// Hand-written files with more lines are listed.
const LISTED: usize = 400;

/// The longest line of a source file, in characters.
const LINE: usize = 120;

/// The languages of source files. Prose wraps in the editor, and data has lines of any length.
const LANGUAGES: [&str; 11] =
    ["cpp", "go", "java", "js", "mjs", "php", "py", "rb", "rs", "sh", "html"];

/// Checks all files and prints a summary.
pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut sizes = Vec::new();
    for source in sources.iter().filter(|source| LANGUAGES.iter().any(|l| source.has_extension(l)))
    {
        faults.extend(long_lines(source));
        if source.is_rust() {
            let lines = source.text.lines().count();
            let limit = if source.is_generated() {
                GENERATED
            } else {
                sizes.push((lines, source.name.as_str()));
                HAND_WRITTEN
            };
            for (unit, size, limit) in
                [("lines", lines, limit.lines), ("bytes", source.text.len(), limit.bytes)]
            {
                if size > limit {
                    faults.push(format!("{}: {size} {unit}, at most {limit}", source.name));
                }
            }
        }
    }
    summarize(&mut sizes);
    faults
}

fn long_lines(source: &Source) -> Vec<String> {
    let is_generated = source.is_generated();
    let mut faults = Vec::new();
    let mut is_raw = false;
    for (index, line) in source.text.lines().enumerate() {
        let started_raw = is_raw;
        // A raw literal that begins here and does not end here, or ends here.
        let end = line.rfind("\"#");
        match line.rfind("r#\"") {
            Some(begin) if end.is_none_or(|end| end < begin + 2) => is_raw = true,
            _ if end.is_some() => is_raw = false,
            _ => {}
        }
        let length = line.chars().count();
        if length <= LINE || started_raw || line.contains("r#\"") {
            continue;
        }
        // Prose of descriptions.
        let is_generated_prose = is_generated && line.trim_start().starts_with("//");
        if !is_generated_prose && code_length(line) > LINE {
            let name = &source.name;
            faults.push(format!("{name}:{}: {length} characters, at most {LINE}", index + 1));
        }
    }
    faults
}

/// The characters of a line without addresses, rows of tables, and texts in quotes, none of which can be broken.
fn code_length(line: &str) -> usize {
    let trimmed = line.trim_start_matches(['/', '!', ' ', '#', '"', '*']);
    if trimmed.starts_with('|') {
        return 0;
    }
    let is_address = |word: &&str| word.contains("://") || word.contains("](");
    let words: usize =
        line.split(' ').filter(|word| !is_address(word)).map(|word| word.chars().count() + 1).sum();
    let mut quoted = 0;
    let (mut open, mut escaped) = (None, false);
    for (index, letter) in line.chars().enumerate() {
        match letter {
            '"' if !escaped => match open.take() {
                Some(start) => quoted += index - start,
                None => open = Some(index),
            },
            _ => escaped = letter == '\\' && !escaped,
        }
    }
    words.saturating_sub(quoted)
}

fn summarize(sizes: &mut [(usize, &str)]) {
    sizes.sort_unstable();
    let total: usize = sizes.iter().map(|(lines, _)| lines).sum();
    let at = |percent: usize| sizes.get(sizes.len() * percent / 100).map_or(0, |(lines, _)| *lines);
    println!(
        "{} hand-written files, {total} lines, median {}, p90 {}",
        sizes.len(),
        at(50),
        at(90)
    );
    for (lines, name) in sizes.iter().rev().take_while(|(lines, _)| *lines > LISTED) {
        println!("  {lines:>4} lines  {name}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(name: &str, text: String) -> Source {
        Source { name: name.to_owned(), text }
    }

    #[test]
    fn long_code_is_reported_and_long_literals_tables_and_addresses_are_not() {
        let code = "a ".repeat(70);
        let literal = format!("let text = \"{}\";", "b ".repeat(70));
        let table = format!("//! | {} |", "c ".repeat(70));
        let address = format!("// https://example.com/{}", "d".repeat(120));
        let raw = format!("let text = r#\"\n{}\n\"#;", "e ".repeat(70));
        let text = [code.as_str(), &literal, &table, &address, &raw].join("\n");
        assert_eq!(
            check(&[source("a.rs", text)]),
            ["a.rs:1: 140 characters, at most 120".to_owned()]
        );
    }

    #[test]
    fn a_generated_file_with_few_long_lines_is_too_large_in_bytes() {
        let row = format!("Entry {{ text: \"{}\" }},\n", "x".repeat(3_000));
        let text = format!("// @generated by `cargo xtask codegen`.\n{}", row.repeat(20));
        let faults = check(&[source("generated.rs", text)]);
        assert!(
            matches!(faults.as_slice(), [one] if one.contains("bytes, at most 50000")),
            "{faults:?}"
        );
    }

    #[test]
    fn hand_written_files_have_fewer_lines_than_generated_ones() {
        let text = "x\n".repeat(700);
        let faults = check(&[
            source("a.rs", text.clone()),
            source("b.rs", format!("// @generated by `cargo xtask codegen`.\n{text}")),
        ]);
        assert_eq!(faults, ["a.rs: 700 lines, at most 600".to_owned()]);
    }
}
