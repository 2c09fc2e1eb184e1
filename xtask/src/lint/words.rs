//! Words that this project does not use: `words.txt` lists them with replacements, `words_allowed.txt` the exceptions.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::Source;

const RULES: &str = include_str!("words.txt");
const ALLOWED: &str = include_str!("words_allowed.txt");

pub(super) struct Rules {
    /// By the first word, so that most words of a text cost one lookup; a first word with any ending is under `*`.
    phrases: BTreeMap<String, Vec<Phrase>>,
    allowed: Vec<Allowed>,
    used: RefCell<BTreeSet<usize>>,
}

struct Phrase {
    text: String,
    words: Vec<String>,
    replacement: String,
}

struct Allowed {
    path: String,
    /// `None` for all.
    phrase: Option<String>,
}

impl Rules {
    pub(super) fn load() -> Result<Self, String> {
        Self::parse(RULES, ALLOWED)
    }

    fn parse(rules: &str, allowed: &str) -> Result<Self, String> {
        let mut phrases: BTreeMap<String, Vec<Phrase>> = BTreeMap::new();
        for line in entries(rules) {
            let (text, replacement) =
                line.split_once("  ").ok_or(format!("words.txt: `{line}` has no replacement"))?;
            let words: Vec<String> = text.split(' ').map(str::to_owned).collect();
            let key = if words[0].ends_with('*') { "*" } else { &words[0] }.to_owned();
            let (text, replacement) = (text.to_owned(), replacement.trim().to_owned());
            phrases.entry(key).or_default().push(Phrase { text, words, replacement });
        }
        let known = |text: &str| phrases.values().flatten().any(|phrase| phrase.text == text);
        let allowed = entries(allowed)
            .map(|line| match line.split('|').map(str::trim).collect::<Vec<_>>().as_slice() {
                [path, phrase, reason]
                    if !reason.is_empty() && (*phrase == "*" || known(phrase)) =>
                {
                    let phrase = (*phrase != "*").then(|| (*phrase).to_owned());
                    Ok(Allowed { path: (*path).to_owned(), phrase })
                }
                _ => Err(format!("words_allowed.txt: `{line}` is no `path | phrase | reason`")),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { phrases, allowed, used: RefCell::default() })
    }

    /// A line for each place of each word that is not allowed there.
    pub(super) fn check(&self, sources: &[Source]) -> Vec<String> {
        let mut faults = Vec::new();
        for source in sources {
            // Bytes of generated code come from descriptions, which are checked.
            if source.is_rust() && source.is_generated() {
                continue;
            }
            for (line, phrase) in self.find(&source.text) {
                if !self.is_allowed(&source.name, &phrase.text) {
                    let Phrase { text, replacement, .. } = phrase;
                    faults.push(format!("{}:{line}: `{text}`: {replacement}", source.name));
                }
            }
        }
        faults
    }

    /// Exceptions that nothing needed. Meaningful only after a check of all files.
    pub(super) fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let unused = self.allowed.iter().enumerate().filter(|(index, _)| !used.contains(index));
        unused
            .map(|(_, Allowed { path, phrase })| {
                let phrase = phrase.as_deref().unwrap_or("*");
                format!("words_allowed.txt: nothing needs `{path} | {phrase}`")
            })
            .collect()
    }

    fn is_allowed(&self, path: &str, phrase: &str) -> bool {
        let found = self.allowed.iter().position(|allowed| {
            path.starts_with(&allowed.path)
                && allowed.phrase.as_deref().is_none_or(|allowed| allowed == phrase)
        });
        self.used.borrow_mut().extend(found);
        found.is_some()
    }

    /// Line and phrase of each match.
    fn find(&self, text: &str) -> Vec<(usize, &Phrase)> {
        let words = split(text);
        let mut found = Vec::new();
        for index in 0..words.len() {
            let by_first = self.phrases.get(&words[index].text).into_iter().flatten();
            let by_prefix = self.phrases.get("*").into_iter().flatten();
            for phrase in by_first.chain(by_prefix) {
                if matches(phrase, &words[index..]) {
                    found.push((words[index].line, phrase));
                }
            }
        }
        found
    }
}

/// Lines of a list without comments.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn matches(phrase: &Phrase, words: &[Word]) -> bool {
    words.len() >= phrase.words.len()
        && phrase.words.iter().zip(words).enumerate().all(|(index, (wanted, word))| {
            let is_same = match wanted.strip_suffix('*') {
                Some(beginning) => word.text.starts_with(beginning),
                None => word.text == *wanted,
            };
            is_same && (index == 0 || word.follows)
        })
}

/// A word in lower case.
struct Word {
    text: String,
    line: usize,
    /// Whether only blanks, underscores, or the beginning of a comment line separate it from the word before.
    follows: bool,
}

/// Splits prose and code into words; identifiers at underscores and where a capital begins a word.
fn split(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    // No word follows the beginning of the text.
    let mut follows = false;
    for (index, line) in text.lines().enumerate() {
        // A sentence continues after the comment sign of the next line.
        let mut is_start = true;
        let mut current = String::new();
        let mut end = |current: &mut String, follows: &mut bool| {
            if !current.is_empty() {
                let text = std::mem::take(current);
                words.push(Word { text, line: index + 1, follows: *follows });
                *follows = true;
            }
        };
        let letters: Vec<char> = line.chars().collect();
        for (at, letter) in letters.iter().enumerate() {
            if letter.is_alphabetic() {
                let before = at.checked_sub(1).map(|before| letters[before]);
                let begins = letter.is_uppercase()
                    && (before.is_some_and(char::is_lowercase)
                        || letters.get(at + 1).is_some_and(|next| next.is_lowercase()));
                if begins {
                    end(&mut current, &mut follows);
                }
                current.extend(letter.to_lowercase());
                is_start = false;
            } else if *letter == '\'' && !current.is_empty() {
                // `man's` is `mans`, and `don't` one word.
            } else {
                end(&mut current, &mut follows);
                let is_sign = is_start && matches!(letter, '/' | '!' | '#' | '*');
                if !(is_sign || *letter == '_' || letter.is_whitespace()) {
                    follows = false;
                    is_start = false;
                }
            }
        }
        end(&mut current, &mut follows);
        if line.trim().is_empty() {
            follows = false;
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: &str = "# Comment.\nasked for   requested\nvenue*   exchange\nwish   request\n";

    fn rules(allowed: &str) -> Rules {
        Rules::parse(WORDS, allowed).expect("valid lists")
    }

    fn source(name: &str, text: &str) -> Source {
        Source { name: name.to_owned(), text: text.to_owned() }
    }

    fn found(text: &str) -> Vec<(usize, String)> {
        let rules = rules("");
        rules.find(text).into_iter().map(|(line, phrase)| (line, phrase.text.clone())).collect()
    }

    #[test]
    fn finds_words_in_prose_and_in_identifiers() {
        for text in
            ["a wish", "Wish", "let my_wish = 1;", "enum OrderWish {}", "WISH", "orderWish()"]
        {
            assert_eq!(found(text), [(1, "wish".to_owned())], "{text}");
        }
        assert_eq!(found("topics_asked_for; AskedFor; asked for").len(), 3);
    }

    #[test]
    fn parts_of_words_and_separated_words_are_no_match() {
        for text in ["wishful", "swish", "asked. For", "asked, for", "asked(for)", "asked\n\nfor"] {
            assert_eq!(found(text), [], "{text}");
        }
        assert_eq!(found("revenue avenue"), []);
    }

    #[test]
    fn a_star_matches_any_ending() {
        assert_eq!(found("Venues of a venue").len(), 2);
    }

    #[test]
    fn finds_phrases_across_lines_of_a_comment() {
        assert_eq!(found("x\n/// what was asked\n/// for"), [(2, "asked for".to_owned())]);
        assert_eq!(found("# what was asked\n# for"), [(1, "asked for".to_owned())]);
    }

    #[test]
    fn reports_path_line_and_replacement() {
        let sources = [source("a.rs", "\n// a wish"), source("b.md", "fine")];
        assert_eq!(rules("").check(&sources), ["a.rs:2: `wish`: request"]);
    }

    #[test]
    fn allowed_words_pass_in_their_place_and_unused_exceptions_are_reported() {
        let rules = rules("a/ | wish | a quoted message\nb/ | * | fixtures");
        let sources = [source("a/x.rs", "wish venue"), source("c/x.rs", "wish")];
        assert_eq!(
            rules.check(&sources),
            ["a/x.rs:1: `venue*`: exchange", "c/x.rs:1: `wish`: request"]
        );
        assert_eq!(rules.unused(), ["words_allowed.txt: nothing needs `b/ | *`"]);
    }

    #[test]
    fn generated_code_is_left_out() {
        let text = "// @generated by `cargo xtask codegen`. Do not edit.\n// wish";
        assert_eq!(rules("").check(&[source("generated.rs", text)]), [""; 0]);
    }

    #[test]
    fn an_exception_needs_a_known_phrase_and_a_reason() {
        for allowed in ["a/ | wish |", "a/ | wish", "a/ | hope | reason"] {
            assert!(Rules::parse(WORDS, allowed).is_err(), "{allowed}");
        }
        assert!(Rules::load().is_ok());
    }
}
