//! Files and folders that only the user can read.

use std::collections::hash_map::RandomState;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The folder `~/.bitmart`; `None` without a home folder.
pub(crate) fn config_dir() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
    Some(PathBuf::from(home).join(".bitmart"))
}

/// Creates a folder and its parents if they are missing.
pub(crate) fn create_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Options to open a file for writing that, if it is created, only the user can read.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates a file that only the user can read. Fails if there is one.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

/// Replaces the file at `path` atomically.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |error| error, |file| file.write_all(bytes))
}

/// Like [`write()`], with content that `fill` writes piece by piece.
pub(crate) fn write_with<E>(
    path: &Path,
    failed: impl Fn(io::Error) -> E,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    if let Some(parent) = path.parent() {
        create_dir(parent).map_err(&failed)?;
    }
    // A symbolic link is followed and stays in place.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let new = temporary(&path);
    let mut file = BufWriter::new(create_new(&new).map_err(&failed)?);
    fill(&mut file)
        .and_then(|()| file.flush().and_then(|()| file.get_ref().sync_all()).map_err(&failed))
        .and_then(|()| rename(&new, &path).map_err(&failed))
        .inspect_err(|_| drop(fs::remove_file(&new)))
}

/// Renames a file, and makes the new name durable: after a power failure, no later change is there without it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    sync_name(to)
}

/// Makes the name of a new or renamed file durable, which is a part of its folder and not of the file.
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// A new name beside `path`, under which a file is written before it replaces the one at `path`. It is random: in a
/// container every process has the same id.
pub(crate) fn temporary(path: &Path) -> PathBuf {
    let random = RandomState::new().build_hasher().finish();
    path.with_extension(format!("{random:016x}.new"))
}

/// Whether a file has a name of [`temporary`], or of older programs, which used the process id.
pub(crate) fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let Some((_, middle)) = name.strip_suffix(".new").and_then(|name| name.rsplit_once('.')) else {
        return false;
    };
    let all = |is: fn(&u8) -> bool| !middle.is_empty() && middle.as_bytes().iter().all(is);
    (middle.len() == 16 && all(u8::is_ascii_hexdigit)) || all(u8::is_ascii_digit)
}

/// The Unix permissions of a file.
#[cfg(unix)]
pub(crate) fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    Some(fs::metadata(path).ok()?.mode() & 0o777)
}

/// Other systems protect a home folder by other means.
#[cfg(not(unix))]
pub(crate) fn mode(_: &Path) -> Option<u32> {
    None
}
