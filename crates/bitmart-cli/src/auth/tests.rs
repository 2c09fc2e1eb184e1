use std::cell::Cell;
use std::path::Path;

use super::store::Store;
use super::{MAX_LINE, read_lines, store_in_file};

const VALUES: [&str; 3] = ["new-key", "new-secret", "new-memo"];

/// A locked store with a profile in the keyring.
fn keyring_profile(folder: &Path) -> Store {
    std::fs::write(folder.join("config.toml"), "[bot]\nkeyring = true\n").expect("cannot write");
    let mut store = Store::open_in(folder).expect("cannot open the file");
    store.lock().expect("cannot lock the file");
    store
}

#[test]
fn the_key_in_the_keyring_is_deleted_only_after_its_replacement_is_saved() {
    let folder = tempfile::tempdir().expect("cannot create a temporary folder");
    let mut store = keyring_profile(folder.path());
    let file = folder.path().join("config.toml");
    store_in_file(&mut store, "bot", VALUES, |name| {
        assert_eq!(name, "bot");
        let text = std::fs::read_to_string(&file).expect("cannot read the file");
        assert!(text.contains("new-secret"), "no key is left if the program ends here: {text}");
        Ok(())
    })
    .expect("the key is not stored");
}

#[test]
fn the_key_in_the_keyring_stays_if_the_new_one_is_not_saved() {
    let folder = tempfile::tempdir().expect("cannot create a temporary folder");
    let mut store = keyring_profile(folder.path());
    // A folder cannot be replaced by the file.
    let file = folder.path().join("config.toml");
    std::fs::remove_file(&file).expect("cannot remove the file");
    std::fs::create_dir_all(file.join("x")).expect("cannot create a folder");
    let removed = Cell::new(false);
    let stored = store_in_file(&mut store, "bot", VALUES, |_| {
        removed.set(true);
        Ok(())
    });
    assert!(stored.is_err(), "the file was not written");
    assert!(!removed.get(), "the old key is gone, and nothing replaces it");
}

#[test]
fn over_long_input_is_rejected_and_not_cut() {
    let full = "m".repeat(MAX_LINE);
    let text = format!("{full}\r\n{full}\n{full}\n");
    assert_eq!(read_lines(text.as_bytes()).expect("the input is rejected"), [full.as_str(); 3]);
    for text in [
        format!("key\nsecret\n{full}m"),
        format!("key\nsecret\n{full}m\n"),
        format!("key\n{full}{full}\nmemo\n"),
        format!("key\n{}\nmemo\n", "s".repeat(3 * MAX_LINE)),
        // Longer than all three together.
        format!("key\nsecret\n{}", "m".repeat(4 * MAX_LINE)),
    ] {
        let failure = read_lines(text.as_bytes()).expect_err("cut input is accepted");
        assert!(failure.to_string().contains("longer than"), "{failure}");
    }
}
