//! What a data folder survives, and what it refuses.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
};

use redb::StorageBackend;
use rust_decimal::Decimal;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::{
    DataError, Entry, Notice, Stored,
    medium::Medium,
    recovery::go_on,
    store::{FORMAT, Store},
    writer::Progress,
};
use crate::{
    auth::sign,
    config::Config,
    exchange::{control::WalletKind, rng::Rng},
    generated::Host,
    http,
    shared::Shared,
    state::Opened,
};

pub(super) const NOW_MS: u64 = 1_700_000_000_000;

/// A disk in memory. What is written reaches it for good with the next sync.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Default)]
struct Platter {
    synced: Vec<u8>,
    present: Vec<u8>,
    /// Writes since the last sync.
    pending: Vec<(usize, Vec<u8>)>,
    operations: usize,
    /// No write works but into the reserve.
    full: bool,
    kept: Vec<u8>,
    /// Bytes that the reserve takes.
    most: usize,
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

impl Medium for Disk {
    fn open(&self) -> Result<Store, DataError> {
        Store::with_backend(self.clone())
    }

    fn reserve(&self) -> io::Result<()> {
        Ok(())
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<()> {
        let mut platter = self.platter();
        if bytes.len() > platter.most {
            return Err(io::ErrorKind::StorageFull.into());
        }
        bytes.clone_into(&mut platter.kept);
        Ok(())
    }

    fn kept(&self) -> io::Result<Vec<u8>> {
        Ok(self.platter().kept.clone())
    }

    fn has_room(&self) -> bool {
        !self.platter().full
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
pub(super) fn formatted() -> Disk {
    let disk = Disk::default();
    let checkpoint = Opened::new(still()).checkpoint(0).encode().expect("bytes");
    let store = Store::with_backend(disk.clone()).expect("a store");
    store.checkpoint(&checkpoint).expect("stored");
    drop(store);
    disk
}

/// With what is told about storing.
pub(super) fn open(disk: &Disk) -> Result<(Shared, mpsc::Receiver<Notice>), DataError> {
    let (sender, notices) = mpsc::channel();
    let opened = go_on(still(), disk.clone(), move |notice| drop(sender.send(notice)))?;
    Ok((Shared::of(opened), notices))
}

/// The same with a disk that is full from now on, and so many bytes in reserve.
fn full(most: usize) -> (Disk, Shared, mpsc::Receiver<Notice>) {
    let disk = formatted();
    disk.platter().most = most;
    let (shared, notices) = open(&disk).expect("opens");
    disk.platter().full = true;
    (disk, shared, notices)
}

/// What is there after a loss of power.
pub(super) fn again(disk: &Disk) -> Shared {
    let platter = disk.platter();
    let left = Disk::holding(platter.synced.clone());
    left.platter().kept.clone_from(&platter.kept);
    drop(platter);
    open(&left).expect("opens").0
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
async fn what_is_on_its_way_when_the_disk_gets_full_is_stored_and_can_be_read() {
    let (disk, shared, notices) = full(100_000);
    shared.create_account();
    assert!(shared.settled().await, "the reserve takes it");
    assert!(matches!(notices.recv(), Ok(Notice::Stuck(DataError::Io(_)))));
    assert!(!shared.takes_inputs());
    let found = accounts(&shared);
    assert_eq!(accounts(&again(&disk)), found);
    disk.platter().full = false;
    assert!(matches!(notices.recv(), Ok(Notice::Again)), "there is room again");
    assert!(shared.takes_inputs());
    shared.create_account();
    assert!(shared.settled().await);
    assert_eq!(accounts(&again(&disk)), found + 1);
    // The next time it is the same.
    disk.platter().full = true;
    shared.create_account();
    assert!(shared.settled().await);
    assert!(matches!(notices.recv(), Ok(Notice::Stuck(_))));
    assert_eq!(accounts(&again(&disk)), found + 2);
}

/// An input can be on its way to the writer when the disk is full: a read that tells of it waits for the
/// writer to look at it, and is not refused before.
#[tokio::test]
async fn a_read_waits_until_the_writer_has_looked_at_what_it_tells_of() {
    let (progress, receiver) = watch::channel(Progress { stored: 1, stuck: true, decided: 1 });
    let stored = Stored(receiver);
    let mut read = pin!(stored.reaches(2));
    assert!(
        futures_util::FutureExt::now_or_never(&mut read).is_none(),
        "nobody knows yet whether it is stored"
    );
    progress.send_replace(Progress { stored: 2, stuck: true, decided: 2 });
    assert!(read.await, "the reserve has taken it");
    let mut read = pin!(stored.reaches(3));
    assert!(futures_util::FutureExt::now_or_never(&mut read).is_none());
    progress.send_replace(Progress { stored: 2, stuck: true, decided: 3 });
    assert!(!read.await, "the reserve has no room for it");
}

#[tokio::test]
async fn what_cannot_be_stored_is_told_to_nobody_until_it_can() {
    let (disk, shared, notices) = full(0);
    let before = accounts(&shared);
    for _ in 0..3 {
        shared.create_account();
        assert!(!shared.settled().await);
        shared.flush();
    }
    assert!(matches!(notices.recv(), Ok(Notice::Stuck(_))), "told once");
    assert_eq!(accounts(&again(&disk)), before);
    disk.platter().full = false;
    assert!(matches!(notices.recv(), Ok(Notice::Again)));
    assert!(shared.settled().await);
    assert_eq!((accounts(&shared), accounts(&again(&disk))), (before + 3, before + 3));
    drop(shared);
    assert!(notices.recv().is_err(), "nothing more is told");
}

#[tokio::test]
async fn a_stop_on_a_full_disk_keeps_what_was_told() {
    let (disk, shared, _notices) = full(100_000);
    shared.create_account();
    assert!(shared.settled().await);
    let found = accounts(&shared);
    shared.close_journal().await;
    assert_eq!(accounts(&again(&disk)), found);
}

/// The status of an answer over a socket.
async fn status(at: SocketAddr, request: String) -> u16 {
    let mut stream = TcpStream::connect(at).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("an answer");
    String::from_utf8_lossy(&head[9..]).parse().expect("a status")
}

#[tokio::test]
async fn a_full_disk_costs_writes_over_the_wire_and_no_reads() {
    let (disk, shared, notices) = full(100_000);
    let shared = Arc::new(shared);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(http::serve(Arc::clone(&shared), Host::Spot, listener, None));
    let key = shared.config.keys_or_default().swap_remove(0);
    let read =
        format!("GET /account/v1/wallet HTTP/1.1\r\nhost: x\r\nx-bm-key: {}\r\n\r\n", key.key);
    let write = || {
        let body =
            r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","price":"50000","size":"0.001"}"#;
        let (now, sign) = (NOW_MS.to_string(), sign(&key, &NOW_MS.to_string(), body.as_bytes()));
        format!(
            "POST /spot/v2/submit_order HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n\
             x-bm-key: {}\r\nx-bm-timestamp: {now}\r\nx-bm-sign: {sign}\r\ncontent-length: {}\r\n\r\n{body}",
            key.key,
            body.len()
        )
    };
    assert_eq!(status(at, write()).await, 200, "it is on its way when the disk gets full");
    assert!(matches!(notices.recv(), Ok(Notice::Stuck(_))));
    for _ in 0..3 {
        assert_eq!(status(at, write()).await, 503);
        assert_eq!(status(at, read.clone()).await, 200);
    }
    assert_eq!(shared.state().exchange.order_rows().len(), 1, "what is refused is not done");
    disk.platter().full = false;
    assert!(matches!(notices.recv(), Ok(Notice::Again)));
    assert_eq!(status(at, write()).await, 200);
    assert_eq!(again(&disk).state().exchange.order_rows().len(), 2);
    shared.control.send_modify(|control| control.stop = true);
}

#[tokio::test]
async fn what_a_panic_left_half_done_is_neither_shown_nor_stored() {
    let disk = formatted();
    let (shared, _notices) = open(&disk).expect("opens");
    shared.create_account();
    assert!(shared.settled().await);
    let found = accounts(&shared);
    let broken = std::panic::catch_unwind(AssertUnwindSafe(|| {
        shared.state().enter(Entry::Step, |exchange, _| {
            exchange.accounts.clear();
            panic!("on purpose")
        })
    }));
    assert!(broken.is_err() && shared.is_broken());
    for look in [Shared::snapshot as fn(&Shared) -> _, |shared: &Shared| {
        shared.create_account();
        shared.snapshot()
    }] {
        assert!(std::panic::catch_unwind(AssertUnwindSafe(|| look(&shared))).is_err());
    }
    shared.close_journal().await;
    assert_eq!(accounts(&again(&disk)), found);
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
