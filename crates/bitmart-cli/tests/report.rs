//! `report`: the page has what the ledger of the exchange has, and says what the archive cannot.

mod common;

use common::month::Month;

#[test]
fn try_it() {
    let mut month = Month::begin();
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    for day in 0..8 {
        month.day(day);
        if day % 4 == 3 {
            let run = month.export(&folder, &[]);
            assert_eq!(run.code, 0, "{}", run.err);
        }
        month.advance(std::time::Duration::from_hours(1));
    }
    let run = month.export(&folder, &[]);
    assert_eq!(run.code, 0, "{}", run.err);
    let now = month.now();
    let out = std::env::var("PAGE").expect("a path");
    let words = ["report", folder.to_str().expect("text"), "--out", &out, "--now", &now];
    let run = common::bitmart(&month.place, &words);
    eprintln!("{} {} {}", run.code, run.out, run.err);
}
