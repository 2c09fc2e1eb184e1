//! Files and folders that are the user's alone.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// The folder `.bitmart` of the user.
pub(crate) fn home() -> Option<PathBuf> {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
    (!home.is_empty()).then(|| PathBuf::from(home).join(".bitmart"))
}

/// Makes a folder, and those above it, unless it is there.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Puts a new file in the place of `path`, so that no moment shows half of it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_with(path, |error| error, |file| file.write_all(bytes))
}

/// Like [`write()`], for what does not fit the memory: `fill` writes it.
pub(crate) fn write_with<E>(
    path: &Path,
    broken: impl Fn(io::Error) -> E,
    fill: impl FnOnce(&mut BufWriter<File>) -> Result<(), E>,
) -> Result<(), E> {
    if let Some(parent) = path.parent() {
        folder(parent).map_err(&broken)?;
    }
    // A link is followed, so that a file kept elsewhere stays there.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let new = path.with_extension(format!("{}.new", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = BufWriter::new(options.open(&new).map_err(&broken)?);
    fill(&mut file)
        .and_then(|()| file.flush().and_then(|()| file.get_ref().sync_all()).map_err(&broken))
        .and_then(|()| fs::rename(&new, &path).map_err(&broken))
        .inspect_err(|_| drop(fs::remove_file(&new)))
}

/// Who may do what with a file, as on Unix.
#[cfg(unix)]
pub(crate) fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    Some(fs::metadata(path).ok()?.mode() & 0o777)
}

/// Other systems keep a home folder private by other means.
#[cfg(not(unix))]
pub(crate) fn mode(_: &Path) -> Option<u32> {
    None
}
