//! Durability of the data folder: power failures, full disks, damage.

#[cfg(feature = "console")]
mod console;
mod disk;
mod formats;
mod rejects;

use std::{
    net::{Ipv4Addr, SocketAddr},
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, mpsc},
    time::Duration,
};

use bitmart_sim::{Exchange, Setup, rng::Rng};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
};

use self::disk::{Disk, offset};
use super::{
    Change, DataError, StorageEvent, StorageProgress,
    reserve::{RESERVE_BYTES, Reserve},
    store::Store,
    writer::Progress,
};
use crate::{
    auth::sign,
    config::Config,
    generated::Host,
    http,
    recovery::{Opened, resume},
    shared::Shared,
};

const NOW_MS: u64 = 1_700_000_000_000;

fn stepped_config() -> Config {
    Config::new().stepped_clock(NOW_MS).market_maker(false)
}

/// A disk with the store of a new exchange.
fn new_store() -> Disk {
    let disk = Disk::default();
    let checkpoint = Opened::new(stepped_config()).checkpoint(0).encode().expect("bytes");
    let store = Store::with_backend(disk.clone()).expect("a store");
    store.checkpoint(&checkpoint).expect("stored");
    drop(store);
    disk
}

/// Opens a disk. The receiver gets the events of the writer.
fn open(disk: &Disk) -> Result<(Shared, mpsc::Receiver<StorageEvent>), DataError> {
    let (sender, events) = mpsc::channel();
    let opened = resume(stepped_config(), disk.clone(), move |event| drop(sender.send(event)))?;
    Ok((Shared::from_opened(opened), events))
}

/// The next event of the writer; `None` after 20 s without one, or once the writer has ended.
fn next_event(events: &mpsc::Receiver<StorageEvent>) -> Option<StorageEvent> {
    events.recv_timeout(Duration::from_secs(20)).ok()
}

/// Opens a disk that is full from now on, with a reserve of `capacity` bytes.
fn with_full_disk(reserve_capacity: usize) -> (Disk, Shared, mpsc::Receiver<StorageEvent>) {
    let disk = new_store();
    disk.disk_state().reserve_capacity = reserve_capacity;
    let (shared, events) = open(&disk).expect("opens");
    disk.disk_state().full = true;
    (disk, shared, events)
}

/// Opens the disk as a power failure leaves it.
fn reopen(disk: &Disk) -> Shared {
    let disk_state = disk.disk_state();
    let after_failure = Disk::with_content(disk_state.synced.clone());
    after_failure.disk_state().reserve.clone_from(&disk_state.reserve);
    drop(disk_state);
    open(&after_failure).expect("opens").0
}

fn open_error(disk: &Disk) -> String {
    open(disk).expect_err("rejected").to_string()
}

fn accounts(shared: &Shared) -> u32 {
    u32::try_from(shared.state().exchange.accounts().len()).expect("few")
}

#[test]
fn acknowledged_entries_survive_a_power_failure_at_any_moment() {
    let disk = new_store();
    let (shared, _events) = open(&disk).expect("opens");
    let before = accounts(&shared);
    let mut rng = Rng::new(11);
    let mut images = Vec::new();
    for acknowledged in 0..60 {
        assert_eq!(shared.create_account(), before - 1 + acknowledged);
        // The writer runs concurrently.
        for _ in 0..=rng.below(2) {
            images.push((acknowledged, disk.after_power_loss(&mut rng)));
            std::thread::yield_now();
        }
        shared.flush();
        images.push((acknowledged + 1, disk.after_power_loss(&mut rng)));
    }
    let mut dropped = 0;
    for (acknowledged, image) in images {
        let disk = Disk::with_content(image);
        let store = Store::with_backend(disk.clone()).expect("a store");
        let remaining = store.load().expect("content").entries.len();
        drop(store);
        let (reopen, _events) = open(&disk).expect("opens");
        let found = accounts(&reopen) - before;
        dropped += u32::from(remaining < offset(found.into()));
        assert!((acknowledged..=acknowledged + 1).contains(&found), "{found} of {acknowledged}");
    }
    assert!(dropped > 0, "no checkpoint was stored meanwhile");
}

#[tokio::test]
async fn entries_that_wait_when_the_disk_becomes_full_are_stored_in_the_reserve() {
    let (disk, shared, events) = with_full_disk(100_000);
    shared.create_account();
    assert!(shared.wait_until_stored().await, "the reserve has space for it");
    assert!(matches!(next_event(&events), Some(StorageEvent::Stalled(DataError::Io(_)))));
    assert!(!shared.is_writable());
    let count = accounts(&shared);
    assert_eq!(accounts(&reopen(&disk)), count);
    disk.disk_state().full = false;
    assert!(
        matches!(next_event(&events), Some(StorageEvent::Resumed)),
        "there is free space again"
    );
    assert!(shared.is_writable());
    shared.create_account();
    assert!(shared.wait_until_stored().await);
    assert_eq!(accounts(&reopen(&disk)), count + 1);
    // The reserve can be used again.
    disk.disk_state().full = true;
    shared.create_account();
    assert!(shared.wait_until_stored().await);
    assert!(matches!(next_event(&events), Some(StorageEvent::Stalled(_))));
    assert_eq!(accounts(&reopen(&disk)), count + 2);
}

#[tokio::test]
async fn acknowledged_entries_survive_a_power_failure_during_a_write_of_the_reserve() {
    let (disk, shared, events) = with_full_disk(100_000);
    let before = accounts(&shared);
    for _ in 0..3 {
        disk.disk_state().full = true;
        for _ in 0..4 {
            shared.create_account();
            assert!(shared.wait_until_stored().await);
            disk.disk_state().acknowledged += 1;
        }
        assert!(matches!(next_event(&events), Some(StorageEvent::Stalled(_))));
        disk.disk_state().full = false;
        assert!(matches!(next_event(&events), Some(StorageEvent::Resumed)));
    }
    let failures = std::mem::take(&mut disk.disk_state().failures);
    assert_eq!(failures.len(), 3 * 5 * 4, "each write of the reserve");
    for failure in failures {
        let disk = Disk::with_content(failure.content);
        disk.disk_state().reserve = failure.reserve;
        disk.disk_state().reserve_capacity = 100_000;
        let (reopened, _events) = open(&disk).expect("opens");
        let (found, acknowledged) = (accounts(&reopened) - before, failure.acknowledged);
        assert!((acknowledged..=acknowledged + 1).contains(&found), "{found} of {acknowledged}");
    }
}

#[test]
fn a_reserve_of_the_former_format_is_read() {
    use sha2::{Digest, Sha256};

    let disk = Disk::default();
    disk.disk_state().reserve_capacity = 100_000;
    let content = b"former content";
    let length = u64::try_from(content.len()).expect("it fits").to_le_bytes();
    let mut bytes = [&length[..], &Sha256::digest(content)[..], content].concat();
    bytes.resize(RESERVE_BYTES, 7);
    disk.disk_state().reserve = bytes;
    let read = || Reserve::read(&disk).expect("readable");
    let (mut reserve, found) = read();
    assert_eq!(found, content);
    for content in ["new", "", "newer", "newest"] {
        reserve.write(&disk, content.as_bytes()).expect("written");
        assert_eq!(read().1, content.as_bytes());
    }
}

/// A step of the market may come after the journal is closed, because tasks end a moment later.
#[tokio::test]
async fn nothing_is_acknowledged_after_the_journal_is_closed() {
    for closed_after in 0..4 {
        let disk = new_store();
        let (shared, _events) = open(&disk).expect("opens");
        let before = accounts(&shared);
        let mut acknowledged = 0;
        for number in 0..6 {
            if number == closed_after {
                shared.close_journal().await;
            }
            assert_eq!(shared.is_writable(), number < closed_after);
            shared.create_account();
            acknowledged += u32::from(shared.wait_until_stored().await);
        }
        assert_eq!(acknowledged, closed_after);
        assert_eq!(accounts(&reopen(&disk)) - before, acknowledged);
    }
}

/// An entry may wait for the writer when the disk is full. A read that reports its outcome has to wait until the writer
/// has handled it, and is not rejected before.
#[tokio::test]
async fn a_read_waits_until_the_writer_has_handled_the_entries_that_it_reports() {
    let (progress, receiver) = watch::channel(Progress { stored: 1, stalled: true, handled: 1 });
    let stored = StorageProgress(receiver);
    let mut read = pin!(stored.wait_until_stored(2));
    assert!(
        futures_util::FutureExt::now_or_never(&mut read).is_none(),
        "the writer has not handled it yet"
    );
    progress.send_replace(Progress { stored: 2, stalled: true, handled: 2 });
    assert!(read.await, "it is in the reserve");
    let mut read = pin!(stored.wait_until_stored(3));
    assert!(futures_util::FutureExt::now_or_never(&mut read).is_none());
    progress.send_replace(Progress { stored: 2, stalled: true, handled: 3 });
    assert!(!read.await, "the reserve has no space for it");
}

#[tokio::test]
async fn events_are_published_only_after_they_are_stored() {
    let (disk, shared, events) = with_full_disk(0);
    let before = accounts(&shared);
    for _ in 0..3 {
        shared.create_account();
        assert!(!shared.wait_until_stored().await);
        shared.flush();
    }
    assert!(matches!(next_event(&events), Some(StorageEvent::Stalled(_))), "reported once");
    assert_eq!(accounts(&reopen(&disk)), before);
    disk.disk_state().full = false;
    assert!(matches!(next_event(&events), Some(StorageEvent::Resumed)));
    assert!(shared.wait_until_stored().await);
    assert_eq!((accounts(&shared), accounts(&reopen(&disk))), (before + 3, before + 3));
    drop(shared);
    assert!(next_event(&events).is_none(), "nothing else is reported");
}

#[cfg(feature = "console")]
#[tokio::test]
async fn a_scenario_needs_space_only_for_changes_of_the_exchange() {
    use crate::scenario;

    let (_disk, shared, _events) = with_full_disk(0);
    shared.create_account();
    assert!(!shared.wait_until_stored().await, "the disk is full");
    let shared = Arc::new(shared);
    let player = tokio::spawn(scenario::run(Arc::clone(&shared)));
    let play = async |step: &str| {
        let text = format!("name = \"a\"\n[[step]]\n{step}");
        let played = scenario::play(&shared, &text.parse().expect("a scenario")).await;
        played.map_err(|error| error.to_string())
    };
    let fault = "call = \"inject_fault\"\nfault = \"drop-after\"\non = \"/spot/v2/submit_order\"";
    assert_eq!(play(fault).await, Ok(()), "a fault is not stored");
    let not_stored = |step: &str| Err(format!("{step}: the data folder cannot be written to"));
    let hold = "call = \"pause_market_makers\"\npaused = true";
    assert_eq!(play(hold).await, not_stored("step 1, pause_market_makers"));
    let later = format!("{fault}\nwait_ms = 1000");
    assert_eq!(play(&later).await, not_stored("step 1"), "the market steps during the wait");
    shared.control.send_modify(|control| control.stop = true);
    player.await.expect("the player ends");
}

#[tokio::test]
async fn going_back_on_a_full_disk_changes_nothing_and_leaves_no_gap() {
    let (disk, shared, events) = with_full_disk(100_000);
    disk.disk_state().full = false;
    let earlier = shared.snapshot();
    shared.create_account();
    assert!(shared.wait_until_stored().await);
    let count = accounts(&shared);
    disk.disk_state().full = true;
    assert!(shared.go_back(earlier.clone()).is_err());
    assert!(matches!(next_event(&events), Some(StorageEvent::Stalled(_))));
    assert_eq!(accounts(&shared), count);
    disk.disk_state().full = false;
    assert!(matches!(next_event(&events), Some(StorageEvent::Resumed)));
    shared.create_account();
    assert!(shared.wait_until_stored().await);
    assert_eq!(accounts(&reopen(&disk)), count + 1, "every entry has its number");
    assert!(shared.go_back(earlier).is_ok());
    assert_eq!(accounts(&reopen(&disk)), count - 1);
}

#[tokio::test]
async fn a_stop_on_a_full_disk_keeps_acknowledged_entries() {
    let (disk, shared, _events) = with_full_disk(100_000);
    shared.create_account();
    assert!(shared.wait_until_stored().await);
    let count = accounts(&shared);
    shared.close_journal().await;
    assert_eq!(accounts(&reopen(&disk)), count);
}

/// Sends a request and returns the status of the response.
async fn status(at: SocketAddr, request: String) -> u16 {
    let mut stream = TcpStream::connect(at).await.expect("connects");
    stream.write_all(request.as_bytes()).await.expect("written");
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.expect("a response");
    String::from_utf8_lossy(&head[9..]).parse().expect("a status")
}

#[tokio::test]
async fn a_full_disk_rejects_writes_but_not_reads() {
    let (disk, shared, events) = with_full_disk(100_000);
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
    assert_eq!(status(at, write()).await, 200, "it waits when the disk becomes full");
    assert!(matches!(next_event(&events), Some(StorageEvent::Stalled(_))));
    for _ in 0..3 {
        assert_eq!(status(at, write()).await, 503);
        assert_eq!(status(at, read.clone()).await, 200);
    }
    assert_eq!(shared.state().exchange.order_rows().len(), 1, "a rejected order has no effect");
    disk.disk_state().full = false;
    assert!(matches!(next_event(&events), Some(StorageEvent::Resumed)));
    assert_eq!(status(at, write()).await, 200);
    assert_eq!(reopen(&disk).state().exchange.order_rows().len(), 2);
    shared.control.send_modify(|control| control.stop = true);
}

#[tokio::test]
async fn a_change_that_panicked_is_neither_visible_nor_stored() {
    let disk = new_store();
    let (shared, _events) = open(&disk).expect("opens");
    shared.create_account();
    assert!(shared.wait_until_stored().await);
    let count = accounts(&shared);
    let broken = std::panic::catch_unwind(AssertUnwindSafe(|| {
        shared.state().execute(Change::Step, |exchange, now_ms| {
            *exchange = Exchange::new(&Setup::new().pairs([]).contracts([]), now_ms);
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
    assert_eq!(accounts(&reopen(&disk)), count);
}
