//! Checks the table of error codes in the docs against the catalogue.

use std::fmt::Write as _;

use bitmart_rest::code::{self, RetryAdvice};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
const START: &str = "<!-- The table is checked against the catalogue in bitmart_rest::code. -->\n";

fn table() -> String {
    let mut text = String::from(
        "| code | HTTP | category | same request again | message | advice |\n|---|---|---|---|---|---|\n",
    );
    for known in code::all() {
        let status = known.status.map_or("–".to_owned(), |status| status.to_string());
        let again = match known.retry {
            RetryAdvice::Later => "later",
            RetryAdvice::AfterChange => "after a change",
            RetryAdvice::Never => "no",
            RetryAdvice::AfterQuery => "after a query",
            _ => unreachable!("the table has no text for it"),
        };
        let messages = [&[known.message], known.other_messages].concat().join("<br>");
        writeln!(
            text,
            "| {} | {status} | {:?} | {again} | {} | {} |",
            known.code,
            known.category,
            messages.replace('|', "\\|"),
            known.advice,
        )
        .expect("text");
    }
    text
}

#[test]
fn the_docs_list_every_error_code() {
    let page = std::fs::read_to_string(PATH).expect("docs/errors.md");
    let (introduction, listed) = page.split_once(START).expect("the line before the table");
    let table = table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(PATH, [introduction, START, &table].concat()).expect("written");
        return;
    }
    for (line, expected) in listed.lines().zip(table.lines()) {
        assert_eq!(line, expected, "docs/errors.md differs; run this test with UPDATE_DOCS=1");
    }
    assert_eq!(listed, table, "docs/errors.md differs; run this test with UPDATE_DOCS=1");
}
