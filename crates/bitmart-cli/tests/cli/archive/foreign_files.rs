//! Foreign, newer and damaged files are rejected and stay unchanged.

use std::path::Path;

use bitmart::sandbox::Config;
use serde_json::Value;

use super::{export, market_buy, read, sandbox, verify};
use crate::common::{Place, sandbox_of};

/// All files of a folder with their contents.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.display().to_string(), std::fs::read(&path).expect("a file")));
        }
    }
    found.sort();
    found
}

#[test]
fn rejects_foreign_newer_and_damaged_files_without_changing_them() {
    let place = sandbox();
    market_buy(&place);
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("archive");
    let more = ["--what", "trades"];
    assert_eq!(export(&place, &folder, &more).code, 0);

    let refused = |place: &Place, folder: &Path, more: &[&str], words: &str| {
        let before = files(folder);
        let run = export(place, folder, more);
        assert!(run.code == 1 || run.code == 2, "{}: {}", run.code, run.err);
        assert!(run.err.contains(words), "{words}: {}", run.err);
        assert!(before == files(folder), "{words}: something was changed");
    };
    refused(
        &sandbox_of(Config::new().seed(7).rate_limits(false)),
        &folder,
        &more,
        "another account",
    );

    let newer = |name: &str, at: &str| {
        let path = folder.join(name);
        let old = std::fs::read_to_string(&path).expect("a file");
        let mut value: Value = serde_json::from_str(&old).expect("JSON");
        *value.pointer_mut(at).expect("a version") = 3.into();
        std::fs::write(&path, value.to_string()).expect("written");
        (path, old)
    };
    let (path, old) = newer("export.json", "/version");
    refused(&place, &folder, &more, "newer version of this program (format 3");
    let verified = verify(&place, &folder, &[]);
    assert!(verified.err.contains("newer version of this program"), "{}", verified.err);
    std::fs::write(path, old).expect("written");
    let (path, old) = newer("manifest.json", "/export/version");
    refused(&place, &folder, &more, "newer version of this program (format 3");
    std::fs::write(path, old).expect("written");

    // A truncated line, at the end and in the middle of the file.
    let path = folder.join("trades.jsonl");
    let old = std::fs::read(&path).expect("rows");
    std::fs::write(&path, &old[..old.len() - 9]).expect("written");
    let run = export(&place, &folder, &more);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("trades: the file is shorter than it was"), "{}", run.err);
    let verified = verify(&place, &folder, &[]);
    assert!(verified.code == 10 && verified.err.contains("shorter"), "{}", verified.err);
    let mut cut = old.clone();
    cut[20..30].fill(b'\n');
    std::fs::write(&path, &cut).expect("written");
    let run = export(&place, &folder, &more);
    assert_eq!(run.code, 1, "{}", run.err);
    assert!(run.err.contains("is no row of this list"), "{}", run.err);
    assert_eq!(std::fs::read(&path).expect("rows"), cut);
    std::fs::write(&path, &old).expect("written");

    // Foreign files: in the archive, with the name of a dataset or of a derived file, and in a folder that is no
    // archive.
    std::fs::write(folder.join("notes.txt"), "mine").expect("written");
    std::fs::write(folder.join("deposits.jsonl"), "mine").expect("written");
    std::fs::write(folder.join("trades.csv"), "mine").expect("written");
    let run = export(&place, &folder, &["--what", "deposits"]);
    assert_eq!(run.code, 2, "{}", run.err);
    assert!(
        run.err.contains("deposits.jsonl is there and is no part of this archive"),
        "{}",
        run.err
    );
    assert!(run.err.contains("notes.txt is no part of the archive"), "{}", run.err);
    let run = export(&place, &folder, &["--what", "trades", "--format", "csv"]);
    assert!(run.err.contains("trades.csv is there and is no part"), "{}", run.err);
    for name in ["notes.txt", "deposits.jsonl", "trades.csv"] {
        assert_eq!(read(&folder, name), "mine");
        std::fs::remove_file(folder.join(name)).expect("removed");
    }
    let run = export(&place, &folder, &["--what", "trades", "--format", "csv"]);
    assert_eq!(run.code, 0, "{}", run.err);
    assert_eq!(verify(&place, &folder, &[]).code, 0);
    let other = home.path().join("other");
    std::fs::create_dir(&other).expect("a folder");
    std::fs::write(other.join("holiday.jpg"), "mine").expect("written");
    refused(&place, &other, &more, "holds other files, such as holiday.jpg, and no archive");
}
