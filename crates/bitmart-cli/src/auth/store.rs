//! The file with the profiles. What else stands in it stays as it is, comments too.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, value};

use crate::failure::Failure;
use crate::target::home;

/// The values of a profile, as the library reads them.
const NAMES: [&str; 3] = ["key", "secret", "memo"];

/// The configuration file, read. Without `Debug`: it holds secrets.
pub(super) struct Store {
    path: PathBuf,
    document: DocumentMut,
}

/// What may be shown of a profile.
pub(super) struct Profile {
    pub(super) name: String,
    /// The key with most of it hidden.
    pub(super) key: Option<String>,
    /// Whether key, secret and memo are there.
    pub(super) complete: bool,
}

impl Store {
    /// Reads `~/.bitmart/config.toml`; a file that is not there counts as empty.
    pub(super) fn open() -> Result<Self, Failure> {
        let folder = home().ok_or_else(|| Failure::usage("there is no home folder; set HOME"))?;
        Self::open_in(&folder)
    }

    fn open_in(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("config.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unusable(&path, &error)),
        };
        // The parser's own message is dropped: it quotes the line, and the line may hold a secret.
        let document = text.parse().map_err(|_| {
            Failure::usage(format!("{} is no TOML", path.display()))
                .with_advice("mend it by hand: nothing was changed")
        })?;
        Ok(Self { path, document })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.document.contains_key(name)
    }

    /// All tables of the file that have something of a profile.
    pub(super) fn profiles(&self) -> impl Iterator<Item = Profile> {
        self.document.iter().filter_map(|(name, item)| {
            let table = item.as_table_like()?;
            let text = |name: &str| table.get(name).and_then(Item::as_str);
            let given = NAMES.iter().filter(|name| text(name).is_some()).count();
            (given > 0).then(|| Profile {
                name: name.to_owned(),
                key: text("key").map(masked),
                complete: given == NAMES.len(),
            })
        })
    }

    /// Puts key, secret and memo into a profile; its other settings stay.
    pub(super) fn set(&mut self, name: &str, values: [&str; 3]) -> Result<(), Failure> {
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(Failure::usage(format!("{name:?} is no name of a profile")));
        }
        let table = self.document.entry(name).or_insert_with(|| Item::Table(Table::new()));
        let Some(table) = table.as_table_like_mut() else {
            return Err(Failure::usage(format!("{name:?} is a setting and no profile")));
        };
        for (name, text) in NAMES.into_iter().zip(values) {
            table.insert(name, value(text));
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.document.remove(name);
    }

    /// Writes a new file beside the old one and puts it in its place, so that no moment has half of
    /// it. Folder and file are the user's alone.
    pub(super) fn save(&self) -> Result<(), Failure> {
        let failed = |error: &io::Error| unusable(&self.path, error);
        let folder = self.path.parent().unwrap_or(Path::new("."));
        private_folder(folder).map_err(|error| failed(&error))?;
        // A link is followed, so that a file kept elsewhere stays there.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let new = path.with_extension(format!("toml.{}.new", std::process::id()));
        write_private(&new, self.document.to_string().as_bytes())
            .and_then(|()| fs::rename(&new, &path))
            .inspect_err(|_| drop(fs::remove_file(&new)))
            .map_err(|error| failed(&error))
    }

    /// Says so if others can read the file.
    pub(super) fn exposed(&self) -> Option<String> {
        let mode = mode(&self.path)?;
        (mode & 0o077 != 0).then(|| {
            let path = self.path.display();
            format!("others can read {path} (mode {mode:o}), so it is not used: chmod 600 {path}")
        })
    }
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::machine(format!("{}: {error}", path.display()))
}

/// `abcd…`: enough to tell keys apart.
fn masked(key: &str) -> String {
    let shown = if key.chars().count() >= 16 { 4 } else { 0 };
    key.chars().take(shown).chain(['…']).collect()
}

/// Makes a folder for the user alone, unless there is one.
pub(crate) fn private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Writes a file that must not be there yet, for the user alone, down to the disk.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create_private(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
fn mode(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    Some(fs::metadata(path).ok()?.mode() & 0o777)
}

#[cfg(not(unix))]
fn mode(_: &Path) -> Option<u32> {
    None
}

#[cfg(test)]
mod tests {
    use super::{Store, masked};

    #[test]
    fn what_else_stands_in_the_file_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        let before = "# mine\n[default]\nkey = \"old\" # from March\ncolour = \"red\"\n";
        std::fs::write(&file, before).expect("a file");
        let mut store = Store::open_in(folder.path()).expect("it reads");
        store.set("default", ["k", "s", "m"]).expect("a profile");
        store.set("bot \"2\"", ["k2", "s2", "m2"]).expect("a profile");
        store.save().expect("it is written");
        let text = std::fs::read_to_string(&file).expect("a file");
        assert!(text.starts_with("# mine\n[default]\n"), "{text}");
        assert!(text.contains("colour = \"red\"") && !text.contains("old"), "{text}");

        let mut again = Store::open_in(folder.path()).expect("it reads");
        assert_eq!(again.profiles().filter(|profile| profile.complete).count(), 2);
        again.remove("default");
        again.save().expect("it is written");
        let left = Store::open_in(folder.path()).expect("it reads");
        let names: Vec<_> = left.profiles().map(|profile| profile.name).collect();
        assert_eq!(names, ["bot \"2\""]);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing else");
    }

    #[cfg(unix)]
    #[test]
    fn folder_and_file_are_the_users_alone() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join(".bitmart");
        let mut store = Store::open_in(&folder).expect("no file is an empty one");
        store.set("default", ["k", "s", "m"]).expect("a profile");
        store.save().expect("it is written");
        assert_eq!(super::mode(&folder), Some(0o700));
        assert_eq!(super::mode(store.path()), Some(0o600));
        assert_eq!(store.exposed(), None);
    }

    #[test]
    fn settings_of_other_kinds_are_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "colour = \"red\"\n").expect("a file");
        let mut store = Store::open_in(folder.path()).expect("it reads");
        assert!(store.set("colour", ["k", "s", "m"]).is_err());
        assert!(store.set(" ", ["k", "s", "m"]).is_err());
        std::fs::write(&file, "secret = \"no end\n").expect("a file");
        let problem = Store::open_in(folder.path()).err().expect("no TOML").to_string();
        assert!(!problem.contains("no end"), "{problem}");
    }

    #[test]
    fn a_short_key_is_hidden_whole() {
        assert_eq!(masked("0123456789abcdef"), "0123…");
        assert_eq!(masked("short"), "…");
    }
}
