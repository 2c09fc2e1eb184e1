//! Folders of former formats, and folders whose content is not what was stored.

use bitmart_sim::{account::WalletKind, rng::Rng};
use rust_decimal::Decimal;

use super::{Disk, accounts, new_store, next_event, offset, open, open_error, stepped_config};
use crate::{
    journal::{
        Entry, EntryNumber, StorageEvent,
        store::{FORMAT, FORMER_FORMAT, Store},
    },
    shared::Shared,
};

fn content(disk: &Disk) -> (Store, Vec<(EntryNumber, Entry)>) {
    let store = Store::with_backend(disk.clone()).expect("a store");
    let entries = store.load().expect("content").entries;
    (store, entries)
}

#[test]
fn entries_of_format_2_are_replayed_without_comparison() {
    let disk = new_store();
    let (shared, _events) = open(&disk).expect("opens");
    shared.create_account();
    shared.set_balance(1, WalletKind::Spot, "BTC", Decimal::TWO).expect("a balance");
    shared.flush();
    let expected = shared.snapshot().to_json().expect("JSON");
    let disk = Disk::with_content(disk.disk_state().synced.clone());
    let (store, mut entries) = content(&disk);
    for (_, entry) in &mut entries {
        // In another format it is another number for the same state.
        entry.fingerprint ^= 1;
    }
    store.append(&entries).expect("stored");
    store.set_format(FORMER_FORMAT).expect("stored");
    drop(store);
    let (again, events) = open(&disk).expect("opens");
    assert!(again.snapshot().to_json().expect("JSON") == expected);
    assert!(matches!(next_event(&events), Some(StorageEvent::Converted { entries: 2 })));
    again.create_account();
    again.flush();
    let count = accounts(&again);
    // It now has the current format, in which entries are compared.
    let image = disk.disk_state().synced.clone();
    let (store, mut entries) = content(&Disk::with_content(image.clone()));
    assert_eq!(store.load().expect("content").format, FORMAT);
    let disk = Disk::with_content(image);
    entries[0].1.fingerprint ^= 1;
    let (changed, _) = content(&disk);
    changed.append(&entries).expect("stored");
    drop(changed);
    let message = open_error(&disk);
    assert!(message.contains("replaying entry 3 led to another state"), "{message}");
    drop(store);
    assert_eq!(count, accounts(&shared) + 1);
}

#[test]
fn a_journal_with_another_outcome_or_a_missing_entry_is_rejected() {
    let disk = new_store();
    let (shared, _events) = open(&disk).expect("opens");
    shared.create_account();
    shared.set_balance(1, WalletKind::Spot, "BTC", Decimal::TWO).expect("a balance");
    shared.flush();
    let image = disk.disk_state().synced.clone();
    // Another result of the second entry.
    let disk = Disk::with_content(image.clone());
    let (store, mut entries) = content(&disk);
    assert_eq!(entries.len(), 2);
    entries[1].1.fingerprint ^= 1;
    store.append(&entries[1..]).expect("stored");
    drop(store);
    let message = open_error(&disk);
    assert!(message.contains("replaying entry 2 led to another state"), "{message}");
    // A missing entry.
    let disk = Disk::with_content(image.clone());
    let (store, entries) = content(&disk);
    store.append(&[(4, entries[1].1.clone())]).expect("stored");
    drop(store);
    let message = open_error(&disk);
    assert!(message.contains("entry 3 is missing"), "{message}");
    assert!(open(&Disk::with_content(image)).is_ok());
}

#[test]
fn damaged_stores_and_other_formats_are_rejected_with_the_cause() {
    let disk = new_store();
    let image = disk.disk_state().synced.clone();
    let mut cut = image.clone();
    cut.truncate(image.len() / 2);
    let message = open_error(&Disk::with_content(cut));
    assert!(message.contains("damaged"), "{message}");
    let mut other = b"an unrelated file".repeat(1_000);
    other.resize(image.len(), b'.');
    let message = open_error(&Disk::with_content(other));
    assert!(message.contains("not the data of a sandbox"), "{message}");
    // A flipped bit is detected, unless nothing is stored there.
    let intact = Shared::new(stepped_config()).snapshot().to_json().expect("JSON");
    let mut rng = Rng::new(3);
    let mut found = 0;
    for _ in 0..60 {
        let mut flipped = image.clone();
        let at = offset(rng.below(u64::try_from(image.len()).expect("it fits")));
        flipped[at] ^= 1 << rng.below(8);
        match open(&Disk::with_content(flipped)) {
            Err(error) => {
                found += 1;
                assert!(!error.to_string().is_empty());
            }
            Ok((shared, _events)) => {
                assert_eq!(shared.snapshot().to_json().expect("JSON"), intact, "byte {at}");
            }
        }
    }
    assert!(found > 0);
    let store = Store::with_backend(disk.clone()).expect("a store");
    store.set_format("99").expect("stored");
    drop(store);
    let message = open_error(&disk);
    assert!(message.contains(r#"format "99""#) && message.contains(FORMAT), "{message}");
}
