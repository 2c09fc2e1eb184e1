//! A simulated disk, which can be full and lose power.

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bitmart_sim::rng::Rng;
use redb::StorageBackend;

use crate::journal::{
    DataError, Storage,
    reserve::{HEADER_BYTES, RESERVE_BYTES},
    store::Store,
};

/// A simulated disk. Writes are only durable after the next sync.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<DiskState>>);

#[derive(Debug, Default)]
pub(super) struct DiskState {
    /// The store as of the last sync.
    pub(super) synced: Vec<u8>,
    /// The store as the process reads it.
    present: Vec<u8>,
    /// Writes since the last sync, each with its position.
    pending: Vec<(usize, Vec<u8>)>,
    /// Whether all writes fail except those to the reserve.
    pub(super) full: bool,
    /// The content of the file `reserve`.
    pub(super) reserve: Vec<u8>,
    /// Number of entries that were acknowledged to the test.
    pub(super) acknowledged: u32,
    /// The contents that power failures during writes of the reserve would have left.
    pub(super) failures: Vec<Failure>,
    /// Capacity of the reserve in bytes.
    pub(super) reserve_capacity: usize,
}

/// The contents after a power failure during a write of the reserve.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) acknowledged: u32,
    /// The store.
    pub(super) content: Vec<u8>,
    pub(super) reserve: Vec<u8>,
}

/// The unit in which a disk writes.
const SECTOR: usize = 512;

impl Disk {
    pub(super) fn with_content(bytes: Vec<u8>) -> Self {
        let disk_state =
            DiskState { synced: bytes.clone(), present: bytes, ..DiskState::default() };
        Self(Arc::new(Mutex::new(disk_state)))
    }

    pub(super) fn disk_state(&self) -> MutexGuard<'_, DiskState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The content of the disk after a power failure: of each write since the last sync all, a part, or nothing is
    /// there.
    pub(super) fn after_power_loss(&self, rng: &mut Rng) -> Vec<u8> {
        let disk_state = self.disk_state();
        let mut bytes = disk_state.synced.clone();
        bytes.resize(disk_state.present.len().max(bytes.len()), 0);
        for (at, data) in &disk_state.pending {
            let whole = u64::try_from(data.len()).expect("it fits");
            let written =
                [0, whole, rng.below(whole + 1)][usize::try_from(rng.below(3)).expect("small")];
            let written = usize::try_from(written).expect("it fits");
            if let Some(place) = bytes.get_mut(*at..at + written) {
                place.copy_from_slice(&data[..written]);
            }
        }
        bytes
    }

    fn modify(&self) -> io::Result<MutexGuard<'_, DiskState>> {
        let disk_state = self.disk_state();
        if disk_state.full { Err(io::ErrorKind::StorageFull.into()) } else { Ok(disk_state) }
    }
}

impl Storage for Disk {
    fn open(&self) -> Result<Store, DataError> {
        Store::with_backend(self.clone())
    }

    fn create_reserve(&self) -> io::Result<()> {
        Ok(())
    }

    fn write_reserve(&self, at: usize, bytes: &[u8]) -> io::Result<()> {
        let seed = self.disk_state().failures.len();
        let mut rng = Rng::new(u64::try_from(seed).expect("it fits"));
        let contents: Vec<_> = (0..4).map(|_| self.after_power_loss(&mut rng)).collect();
        let mut disk_state = self.disk_state();
        if bytes.len() > disk_state.reserve_capacity + HEADER_BYTES {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk_state.reserve.resize(RESERVE_BYTES, 0);
        let acknowledged = disk_state.acknowledged;
        for content in contents {
            // The first sectors, or any.
            let mut reserve = disk_state.reserve.clone();
            let (in_order, stop) = (rng.below(2) == 0, rng.below(4));
            for (sector, data) in (0..).zip(bytes.chunks(SECTOR)) {
                let is_written = if in_order { sector < stop } else { rng.below(2) == 0 };
                if is_written {
                    let from = at + offset(sector) * SECTOR;
                    reserve[from..from + data.len()].copy_from_slice(data);
                }
            }
            disk_state.failures.push(Failure { acknowledged, content, reserve });
        }
        disk_state.reserve[at..at + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn read_reserve(&self) -> io::Result<Vec<u8>> {
        Ok(self.disk_state().reserve.clone())
    }

    fn has_free_space(&self) -> bool {
        !self.disk_state().full
    }
}

pub(super) fn offset(at: u64) -> usize {
    usize::try_from(at).expect("it fits")
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(u64::try_from(self.disk_state().present.len()).expect("it fits"))
    }

    fn read(&self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let end = offset(at) + out.len();
        let disk_state = self.disk_state();
        let bytes = disk_state.present.get(offset(at)..end).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.modify()?.present.resize(offset(len), 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut disk_state = self.modify()?;
        disk_state.pending.clear();
        disk_state.synced = disk_state.present.clone();
        Ok(())
    }

    fn write(&self, at: u64, data: &[u8]) -> io::Result<()> {
        let mut disk_state = self.modify()?;
        let place = disk_state.present.get_mut(offset(at)..offset(at) + data.len());
        place.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        disk_state.pending.push((offset(at), data.to_vec()));
        Ok(())
    }
}
