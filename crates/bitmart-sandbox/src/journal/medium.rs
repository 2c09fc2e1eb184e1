//! Where a store lies: a data folder, or a disk in memory in tests.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use bitmart_sim::rng::Rng;
use redb::backends::FileBackend;
use sha2::{Digest, Sha256};

use super::{DataError, checkpoint::Encoded, store::Store};

const FILE: &str = "exchange.redb";
/// A store that is not whole yet.
const NEW: &str = "exchange.redb.new";
const LOCK: &str = "lock";
const RESERVE: &str = "reserve";
const PROBE: &str = "room";

/// Bytes of the reserve: many times what is on its way at a time.
const RESERVED: usize = 4 << 20;
/// What stands before the content of the reserve: its length and its hash.
const HEAD: usize = 8 + 32;
/// Bytes for which there must be room, so that storing does not go on just to stop again.
const ROOM: usize = 1 << 20;

/// Where a store lies, with a reserve beside it that takes something even when nothing else can be written.
pub(super) trait Medium: Send + 'static {
    /// Opens the store, also once more after an error.
    fn open(&self) -> Result<Store, DataError>;

    /// Makes the reserve, if it is not there.
    fn reserve(&self) -> io::Result<()>;

    /// Puts something into the reserve in place of what is in it. When this returns it survives the loss of
    /// power.
    fn keep(&self, bytes: &[u8]) -> io::Result<()>;

    /// What is in the reserve; nothing when it was not put there as a whole.
    fn kept(&self) -> io::Result<Vec<u8>>;

    /// Whether there is room again.
    fn has_room(&self) -> bool;
}

/// A data folder that is ours as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    #[allow(dead_code, reason = "holds the lock")]
    lock: File,
}

impl Folder {
    /// Takes a folder, which is made when it is not there. It is for the owner only, because there are
    /// secrets in it, and because what lies in it decides what the sandbox does.
    pub(super) fn take(path: &Path) -> Result<Self, DataError> {
        make_folder(path).map_err(DataError::Io)?;
        for path in [path.to_owned(), path.join(FILE), path.join(LOCK), path.join(RESERVE)] {
            check_owner(&path)?;
        }
        let lock = open_file(&path.join(LOCK)).map_err(DataError::Io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse),
            Err(TryLockError::Error(error)) => Err(DataError::Io(error)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        !self.path.join(FILE).exists()
    }

    /// Makes the store of an empty folder. It gets its name when it is whole, so that a kill in between
    /// leaves nothing behind that cannot be opened.
    pub(super) fn create(&self, checkpoint: &Encoded) -> Result<(), DataError> {
        let new = self.path.join(NEW);
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(DataError::Io(error));
            }
            _ => {}
        }
        Store::with_backend(backend(&new)?)?.checkpoint(checkpoint)?;
        let named = fs::rename(&new, self.path.join(FILE)).and_then(|()| sync_folder(&self.path));
        named.map_err(DataError::Io)
    }
}

impl Medium for Folder {
    fn open(&self) -> Result<Store, DataError> {
        Store::with_backend(backend(&self.path.join(FILE))?)
    }

    fn reserve(&self) -> io::Result<()> {
        let path = self.path.join(RESERVE);
        if fs::metadata(&path).is_ok_and(|file| file.len() >= RESERVED as u64) {
            return Ok(());
        }
        let written = write(&path, RESERVED).and_then(|()| self.keep(&[]));
        // Half a reserve would be in the way.
        written.inspect_err(|_| drop(fs::remove_file(path)))
    }

    fn keep(&self, bytes: &[u8]) -> io::Result<()> {
        if bytes.len() > RESERVED - HEAD {
            return Err(io::ErrorKind::StorageFull.into());
        }
        // The file stays as long as it is, so that no room is needed.
        let mut file = open_file(&self.path.join(RESERVE))?;
        let length = (bytes.len() as u64).to_le_bytes();
        file.write_all(&[&length, &Sha256::digest(bytes)[..], bytes].concat())?;
        file.sync_data()
    }

    fn kept(&self) -> io::Result<Vec<u8>> {
        let bytes = match fs::read(self.path.join(RESERVE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            bytes => bytes?,
        };
        let content = || {
            let (length, rest) = bytes.split_first_chunk()?;
            let (hash, rest) = rest.split_first_chunk::<32>()?;
            let content = rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
            (Sha256::digest(content)[..] == hash[..]).then(|| content.to_vec())
        };
        Ok(content().unwrap_or_default())
    }

    fn has_room(&self) -> bool {
        let path = self.path.join(PROBE);
        let written = write(&path, ROOM);
        fs::remove_file(path).is_ok() && written.is_ok()
    }
}

/// Writes a file of bytes that no file system stores in less room.
fn write(path: &Path, length: usize) -> io::Result<()> {
    let mut rng = Rng::new(1);
    let bytes: Vec<u8> = (0..length / 8).flat_map(|_| rng.draw().to_le_bytes()).collect();
    let mut file = open_file(path)?;
    file.write_all(&bytes)?;
    file.sync_all()
}

fn make_folder(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Refuses what others may write: they could choose what the sandbox does.
#[cfg(unix)]
fn check_owner(path: &Path) -> Result<(), DataError> {
    use std::os::unix::fs::MetadataExt as _;

    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata.map_err(DataError::Io)?,
    };
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    let us = rustix::process::geteuid().as_raw();
    if mode & 0o022 != 0 {
        let name = path.display();
        return Err(DataError::Open(format!(
            "others may write to {name} (mode {mode:03o}): chmod go-w {name}"
        )));
    }
    // Who administrates the machine may do anything anyway.
    if owner != us && owner != 0 {
        return Err(DataError::Open(format!(
            "{} belongs to user {owner}, and this is user {us}",
            path.display()
        )));
    }
    Ok(())
}

#[cfg(not(unix))]
fn check_owner(_: &Path) -> Result<(), DataError> {
    Ok(())
}

fn open_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn backend(path: &Path) -> Result<FileBackend, DataError> {
    Ok(FileBackend::new(open_file(path).map_err(DataError::Io)?)?)
}

/// Makes new names in a folder, and its own, survive the loss of power.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened like a file.
    #[cfg(unix)]
    for folder in [Some(folder), folder.canonicalize()?.parent()].into_iter().flatten() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
