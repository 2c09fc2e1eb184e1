//! What a data folder survives, and what it refuses.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use redb::StorageBackend;
use rust_decimal::Decimal;

use super::{
    DataError,
    recovery::go_on,
    store::{FORMAT, Store},
};
use crate::{
    config::Config,
    exchange::{control::WalletKind, rng::Rng},
    shared::Shared,
};

const NOW_MS: u64 = 1_700_000_000_000;

/// A disk in memory. What is written reaches it for good with the next sync.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    synced: Vec<u8>,
    present: Vec<u8>,
    /// Writes since the last sync.
    pending: Vec<(usize, Vec<u8>)>,
    operations: usize,
    /// No write works any more.
    full: bool,
}

impl Disk {
    fn holding(bytes: Vec<u8>) -> Self {
        let platter = Platter { synced: bytes.clone(), present: bytes, ..Platter::default() };
        Self(Arc::new(Mutex::new(platter)))
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is found after the power was lost: of the writes since the last sync each is there as a whole,
    /// in part, or not at all.
    fn after_power_loss(&self, rng: &mut Rng) -> Vec<u8> {
        let platter = self.platter();
        let mut bytes = platter.synced.clone();
        bytes.resize(platter.present.len().max(bytes.len()), 0);
        for (at, data) in &platter.pending {
            let whole = u64::try_from(data.len()).expect("it fits");
            let kept =
                [0, whole, rng.below(whole + 1)][usize::try_from(rng.below(3)).expect("small")];
            let kept = usize::try_from(kept).expect("it fits");
            if let Some(place) = bytes.get_mut(*at..at + kept) {
                place.copy_from_slice(&data[..kept]);
            }
        }
        bytes
    }

    fn changing(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let mut platter = self.platter();
        platter.operations += 1;
        if platter.full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(platter) }
    }
}

fn offset(at: u64) -> usize {
    usize::try_from(at).expect("it fits")
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.platter().present.len()).expect("it fits"))
    }

    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset(at) + out.len();
        let platter = self.platter();
        let bytes = platter.present.get(offset(at)..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.changing()?.present.resize(offset(len), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.changing()?;
        platter.pending.clear();
        platter.synced = platter.present.clone();
        Ok(())
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = self.changing()?;
        let place = platter.present.get_mut(offset(at)..offset(at) + data.len());
        place.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        platter.pending.push((offset(at), data.to_vec()));
        Ok(())
    }
}

fn still() -> Config {
    Config::new().stepped_clock(NOW_MS).market_maker(false)
}

/// A disk with the store of a new exchange.
fn formatted() -> Disk {
    let disk = Disk::default();
    let checkpoint = Shared::new(still()).checkpoint(0).encode().expect("bytes");
    let store = Store::with_backend(disk.clone()).expect("a store");
    store.checkpoint(&checkpoint).expect("stored");
    drop(store);
    disk
}

fn open(disk: &Disk) -> Result<(Shared, mpsc::Receiver<String>), DataError> {
    let (complaint, complaints) = mpsc::channel();
    let complain = move |error: DataError| drop(complaint.send(error.to_string()));
    let shared = go_on(still(), Store::with_backend(disk.clone())?, complain)?;
    Ok((shared, complaints))
}

fn refused(disk: &Disk) -> String {
    open(disk).expect_err("it is refused").to_string()
}

fn accounts(shared: &Shared) -> u32 {
    u32::try_from(shared.state().exchange.accounts.len()).expect("few")
}

#[test]
fn after_a_power_loss_at_any_moment_everything_acknowledged_is_there() {
    let disk = formatted();
    let (shared, _complaints) = open(&disk).expect("opens");
    let before = accounts(&shared);
    let mut rng = Rng::new(11);
    let mut images = Vec::new();
    for acknowledged in 0..60 {
        assert_eq!(shared.create_account(), before - 1 + acknowledged);
        // The writer is at work meanwhile.
        for _ in 0..=rng.below(2) {
            images.push((acknowledged, disk.after_power_loss(&mut rng)));
            std::thread::yield_now();
        }
        shared.flush();
        images.push((acknowledged + 1, disk.after_power_loss(&mut rng)));
    }
    let mut dropped = 0;
    for (acknowledged, image) in images {
        let disk = Disk::holding(image);
        let store = Store::with_backend(disk.clone()).expect("a store");
        let left = store.load().expect("content").inputs.len();
        drop(store);
        let (again, _complaints) = open(&disk).expect("opens");
        let found = accounts(&again) - before;
        dropped += u32::from(left < offset(found.into()));
        assert!((acknowledged..=acknowledged + 1).contains(&found), "{found} of {acknowledged}");
    }
    assert!(dropped > 0, "no checkpoint was made on the way");
}

#[tokio::test]
async fn what_cannot_be_stored_is_not_acknowledged_and_complained_of_once() {
    let disk = formatted();
    let (shared, complaints) = open(&disk).expect("opens");
    shared.create_account();
    assert!(shared.settled().await);
    let (stored, found) = (disk.clone(), accounts(&shared));
    disk.platter().full = true;
    for _ in 0..3 {
        shared.create_account();
        assert!(!shared.settled().await);
        shared.flush();
    }
    let complaint = complaints.recv().expect("one");
    assert!(!complaint.is_empty() && complaints.recv().is_err(), "{complaint}");
    drop(shared);
    let image = stored.platter().synced.clone();
    let (again, _complaints) = open(&Disk::holding(image)).expect("opens");
    assert_eq!(accounts(&again), found);
}

#[tokio::test]
async fn after_a_panic_in_the_exchange_nothing_is_acknowledged() {
    let disk = formatted();
    let (shared, complaints) = open(&disk).expect("opens");
    let broken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        shared.state().run(None, |_, _| panic!("on purpose"));
    }));
    assert!(broken.is_err());
    shared.create_account();
    assert!(!shared.settled().await);
    assert!(complaints.recv().expect("one").contains("broke off"));
}

#[test]
fn a_journal_that_does_not_fit_the_exchange_is_refused() {
    let disk = formatted();
    let (shared, _complaints) = open(&disk).expect("opens");
    shared.create_account();
    shared.set_balance(1, WalletKind::Spot, "BTC", Decimal::TWO).expect("a balance");
    shared.flush();
    let image = disk.platter().synced.clone();
    let content = |disk: &Disk| {
        let store = Store::with_backend(disk.clone()).expect("a store");
        let records = store.load().expect("content").inputs;
        (store, records)
    };
    // The same, with another result of the second input.
    let disk = Disk::holding(image.clone());
    let (store, mut records) = content(&disk);
    assert_eq!(records.len(), 2);
    records[1].1.mark ^= 1;
    store.append(&records[1..]).expect("stored");
    drop(store);
    let words = refused(&disk);
    assert!(words.contains("input 2 did not do what it did before"), "{words}");
    // The same with a hole.
    let disk = Disk::holding(image.clone());
    let (store, records) = content(&disk);
    store.append(&[(4, records[1].1.clone())]).expect("stored");
    drop(store);
    let words = refused(&disk);
    assert!(words.contains("input 3 is missing"), "{words}");
    assert!(open(&Disk::holding(image)).is_ok());
}

#[test]
fn what_is_damaged_or_of_another_format_is_refused_in_words() {
    let disk = formatted();
    let image = disk.platter().synced.clone();
    let mut cut = image.clone();
    cut.truncate(image.len() / 2);
    let words = refused(&Disk::holding(cut));
    assert!(words.contains("damaged"), "{words}");
    let mut other = b"text of somebody else".repeat(1_000);
    other.resize(image.len(), b'.');
    let words = refused(&Disk::holding(other));
    assert!(words.contains("no data of a sandbox"), "{words}");
    // A flipped bit anywhere is found, or it lies where nothing is stored.
    let intact = Shared::new(still()).snapshot().to_json().expect("JSON");
    let mut rng = Rng::new(3);
    let mut found = 0;
    for _ in 0..60 {
        let mut flipped = image.clone();
        let at = offset(rng.below(u64::try_from(image.len()).expect("it fits")));
        flipped[at] ^= 1 << rng.below(8);
        match open(&Disk::holding(flipped)) {
            Err(error) => {
                found += 1;
                assert!(!error.to_string().is_empty());
            }
            Ok((shared, _complaints)) => {
                assert_eq!(shared.snapshot().to_json().expect("JSON"), intact, "byte {at}");
            }
        }
    }
    assert!(found > 0);
    let store = Store::with_backend(disk.clone()).expect("a store");
    store.set_format("99").expect("stored");
    drop(store);
    let words = refused(&disk);
    assert!(words.contains(r#"format "99""#) && words.contains(FORMAT), "{words}");
}
