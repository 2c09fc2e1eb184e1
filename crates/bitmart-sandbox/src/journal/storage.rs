//! Where a store is kept: in a data folder, or on a simulated disk in tests.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use bitmart_sim::rng::Rng;
use redb::backends::FileBackend;

use super::{DataError, checkpoint::Encoded, reserve::RESERVE_BYTES, store::Store};

const FILE: &str = "exchange.redb";
/// A store that is being created.
const NEW: &str = "exchange.redb.new";
const LOCK: &str = "lock";
const RESERVE: &str = "reserve";
/// A file that is written, and removed, to find out whether there is free space.
const FREE_SPACE_PROBE: &str = "room";

/// Free space in bytes that is needed to resume, so that writing does not resume just to stall again.
const FREE_SPACE_BYTES: usize = 1 << 20;

/// The storage of a store, with a reserve: a file of fixed size that can be written even when the disk is full.
pub(crate) trait Storage: Send + 'static {
    /// Opens the store. After an error it has to be opened again.
    fn open(&self) -> Result<Store, DataError>;

    /// Creates the reserve, if it does not exist.
    fn create_reserve(&self) -> io::Result<()>;

    /// Writes bytes at a position of the reserve. When this returns, they survive a power failure. A power failure
    /// before may leave any part of them written.
    fn write_reserve(&self, at: usize, bytes: &[u8]) -> io::Result<()>;

    /// Reads the complete reserve; empty if it does not exist.
    fn read_reserve(&self) -> io::Result<Vec<u8>>;

    /// Whether there is enough free space to resume.
    fn has_free_space(&self) -> bool;
}

/// A data folder, which is locked against other sandboxes as long as this value lives.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    #[allow(dead_code, reason = "holds the lock")]
    lock: File,
}

impl Folder {
    /// Locks a folder, which is created if it does not exist. Only its owner may access it, because it contains
    /// secrets, and because its content controls the sandbox.
    pub(crate) fn lock(path: &Path) -> Result<Self, DataError> {
        create_folder(path).map_err(DataError::Io)?;
        for path in [path.to_owned(), path.join(FILE), path.join(LOCK), path.join(RESERVE)] {
            restrict_to_owner(&path)?;
        }
        let lock = open_file(&path.join(LOCK)).map_err(DataError::Io)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(DataError::InUse),
            Err(TryLockError::Error(error)) => Err(DataError::Io(error)),
        }
    }

    /// Whether the folder contains an exchange.
    pub(crate) fn has_store(&self) -> bool {
        self.path.join(FILE).exists()
    }

    /// Creates the store of a folder without one. The file is renamed when it is complete, so that a kill in between
    /// leaves no store that cannot be opened.
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

impl Storage for Folder {
    fn open(&self) -> Result<Store, DataError> {
        Store::with_backend(backend(&self.path.join(FILE))?)
    }

    fn create_reserve(&self) -> io::Result<()> {
        let path = self.path.join(RESERVE);
        if fs::metadata(&path).is_ok_and(|file| file.len() >= RESERVE_BYTES as u64) {
            return Ok(());
        }
        // A file of full length that is not synced may be incomplete after a power failure, and would not be replaced.
        write_random_bytes(&path, RESERVE_BYTES).inspect_err(|_| drop(fs::remove_file(path)))
    }

    fn write_reserve(&self, at: usize, bytes: &[u8]) -> io::Result<()> {
        // The file keeps its length, so that no free space is needed.
        let mut file = open_file(&self.path.join(RESERVE))?;
        file.seek(io::SeekFrom::Start(at as u64))?;
        file.write_all(bytes)?;
        file.sync_data()
    }

    fn read_reserve(&self) -> io::Result<Vec<u8>> {
        match fs::read(self.path.join(RESERVE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            bytes => bytes,
        }
    }

    fn has_free_space(&self) -> bool {
        let path = self.path.join(FREE_SPACE_PROBE);
        let written = write_random_bytes(&path, FREE_SPACE_BYTES);
        fs::remove_file(path).is_ok() && written.is_ok()
    }
}

/// Writes a file of random bytes, which no file system can compress.
fn write_random_bytes(path: &Path, length: usize) -> io::Result<()> {
    let mut rng = Rng::new(1);
    let bytes: Vec<u8> = (0..length / 8).flat_map(|_| rng.next_u64().to_le_bytes()).collect();
    let mut file = open_file(path)?;
    file.write_all(&bytes)?;
    file.sync_all()
}

/// Creates a folder and its missing parents. When this returns, they survive a power failure.
fn create_folder(folder: &Path) -> io::Result<()> {
    let missing = missing_folders(folder);
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    missing.into_iter().try_for_each(sync_folder)
}

/// A folder and its parents, as far as they do not exist, the innermost first.
fn missing_folders(folder: &Path) -> Vec<&Path> {
    let named = folder.ancestors().filter(|path| !path.as_os_str().is_empty());
    named.take_while(|path| !path.exists()).collect()
}

/// Rejects a path that other users can write to, because they could control the sandbox. Denies others to read the
/// path, because it contains secrets.
#[cfg(unix)]
fn restrict_to_owner(path: &Path) -> Result<(), DataError> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        metadata => metadata.map_err(DataError::Io)?,
    };
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    let us = rustix::process::geteuid().as_raw();
    if mode & 0o022 != 0 {
        let name = path.display();
        return Err(DataError::Permissions(format!(
            "others may write to {name} (mode {mode:03o}): chmod go-w {name}"
        )));
    }
    // Root has all permissions anyway.
    if owner != us && owner != 0 {
        return Err(DataError::Permissions(format!(
            "{} belongs to user {owner}, and this is user {us}",
            path.display()
        )));
    }
    if mode & 0o077 != 0 {
        let closed = fs::Permissions::from_mode(mode & 0o700);
        fs::set_permissions(path, closed).map_err(|error| {
            let name = path.display();
            DataError::Permissions(format!(
                "others may read {name} (mode {mode:03o}), which cannot be changed ({error}): chmod go= {name}"
            ))
        })?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn restrict_to_owner(_: &Path) -> Result<(), DataError> {
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

/// Makes a folder, its name in its parent, and the names in it survive a power failure.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // On other systems a folder cannot be opened like a file.
    #[cfg(unix)]
    for folder in [Some(folder), folder.canonicalize()?.parent()].into_iter().flatten() {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_created_parent_of_a_data_folder_is_synced() {
        let outer = std::env::temp_dir().join(format!("bitmart-storage-{}", std::process::id()));
        let inner = outer.join("inner");
        assert_eq!(missing_folders(&inner), [inner.as_path(), outer.as_path()]);
        create_folder(&inner).expect("created");
        assert!(inner.is_dir() && missing_folders(&inner).is_empty());
        fs::remove_dir_all(outer).expect("removed");
        assert_eq!(missing_folders(Path::new("no-such-folder")), [Path::new("no-such-folder")]);
    }
}
