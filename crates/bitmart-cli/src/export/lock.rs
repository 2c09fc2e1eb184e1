//! The lock of an archive: one export at a time, and none while `verify` and others read the archive.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::store::state_folder;
use crate::failure::Failure;
use crate::secure_fs;

const FILE: &str = "lock";

/// Locks the folder for an export as long as the file is open. Waits for readers, but not for another export. Removes
/// the temporary files of a program that was killed.
pub(super) fn exclusive(folder: &Path) -> Result<File, Failure> {
    let to_failure = |error: &dyn std::fmt::Display| {
        Failure::io(format!("{}: another export is at work: {error}", folder.display()))
    };
    let lock = File::create(folder.join(FILE)).map_err(|error| to_failure(&error))?;
    if let Err(error) = lock.try_lock() {
        // Only readers share it.
        lock.try_lock_shared().map_err(|_| to_failure(&error))?;
        lock.unlock().map_err(|error| to_failure(&error))?;
        eprintln!("{} is being read; the export begins afterwards", folder.display());
        lock.lock().map_err(|error| to_failure(&error))?;
    }
    for folder in [folder.to_owned(), state_folder(folder)] {
        remove_temporary_files(&folder);
    }
    Ok(lock)
}

/// Locks the folder for a reader as long as the file is open. `None` if the archive has no lock or the medium does not
/// support locks, such as a disk that cannot be written.
///
/// # Errors
/// If an export is at work.
pub(super) fn shared(folder: &Path) -> Result<Option<File>, Failure> {
    let Ok(lock) = File::open(folder.join(FILE)) else { return Ok(None) };
    match lock.try_lock_shared() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(Failure::io(format!(
            "{}: an export is at work, and its files change",
            folder.display()
        ))
        .with_advice("the same again when it is done")),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Removes what [`secure_fs::write`] left behind. A failure is no reason to stop: the names are random.
fn remove_temporary_files(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if secure_fs::is_temporary(&path) {
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{exclusive, shared};
    use crate::secure_fs;

    #[test]
    fn readers_share_the_lock_and_an_export_excludes_them() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(shared(folder.path()).expect("no lock yet").is_none());
        let export = exclusive(folder.path()).expect("locked");
        assert!(shared(folder.path()).is_err());
        assert!(exclusive(folder.path()).is_err());
        drop(export);
        let readers = [shared(folder.path()), shared(folder.path())];
        assert!(readers.iter().all(|reader| reader.as_ref().is_ok_and(Option::is_some)));
    }

    #[test]
    fn what_a_killed_program_left_is_removed_under_the_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("export.json");
        // Of this process id, as always in a container.
        let old = path.with_extension(format!("{}.new", std::process::id()));
        let left = [old, secure_fs::temporary(&path)];
        for file in &left {
            std::fs::write(file, "half").expect("written");
        }
        let own = folder.path().join("mine.new");
        std::fs::write(&own, "a file of the user").expect("written");
        secure_fs::write(&path, b"whole").expect("a leftover is in no way");
        let _lock = exclusive(folder.path()).expect("locked");
        assert!(left.iter().all(|file| !file.exists()) && own.exists());
    }
}
