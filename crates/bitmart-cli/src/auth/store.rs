//! The file with the profiles. Everything else in it is preserved, comments included.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use crate::failure::Failure;
use crate::secure_fs;

/// The settings of a profile that the library reads.
const NAMES: [&str; 3] = ["key", "secret", "memo"];
/// Marks a profile whose key is in the keyring of the operating system.
const KEYRING: &str = "keyring";

/// The parsed configuration file. Without `Debug`: it holds secrets.
pub(crate) struct Store {
    path: PathBuf,
    document: DocumentMut,
}

/// A profile without its secrets.
pub(crate) struct Profile {
    pub(crate) name: String,
    /// The masked key.
    pub(super) key: Option<String>,
    /// Whether key, secret and memo are present.
    pub(super) complete: bool,
    /// Whether they are in the keyring of the operating system.
    pub(super) keyring: bool,
}

impl Store {
    /// Reads `~/.bitmart/config.toml`; a missing file counts as empty.
    pub(crate) fn open() -> Result<Self, Failure> {
        let folder = secure_fs::config_dir()
            .ok_or_else(|| Failure::usage("there is no home folder; set HOME"))?;
        Self::open_in(&folder)
    }

    fn open_in(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("config.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(unusable(&path, &error)),
        };
        // The parser's message is dropped: it quotes the line, which may contain a secret.
        let document = text.parse().map_err(|_| {
            Failure::usage(format!("{} is not valid TOML", path.display()))
                .with_advice("repair it by hand; nothing was changed")
        })?;
        Ok(Self { path, document })
    }

    /// The names of all profiles.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.profiles().map(|profile| profile.name)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.document.contains_key(name)
    }

    /// All tables of the file with at least one setting of a profile.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = Profile> {
        self.document.iter().filter_map(|(name, item)| {
            let table = item.as_table_like()?;
            let text = |name: &str| table.get(name).and_then(Item::as_str);
            let given = NAMES.iter().filter(|name| text(name).is_some()).count();
            let keyring = self.is_in_keyring(name);
            (keyring || given > 0).then(|| Profile {
                name: name.to_owned(),
                key: text("key").map(masked),
                complete: keyring || given == NAMES.len(),
                keyring,
            })
        })
    }

    /// Whether the key of a profile is in the keyring of the operating system.
    pub(crate) fn is_in_keyring(&self, name: &str) -> bool {
        let profile = self.document.get(name).and_then(Item::as_table_like);
        profile.and_then(|table| table.get(KEYRING)?.as_bool()).unwrap_or(false)
    }

    /// Stores key, secret and memo in a profile and preserves its other settings.
    pub(super) fn set(&mut self, name: &str, values: [&str; 3]) -> Result<(), Failure> {
        let table = self.profile(name)?;
        table.remove(KEYRING);
        for (name, text) in NAMES.into_iter().zip(values) {
            table.insert(name, value(text));
        }
        Ok(())
    }

    /// Marks a profile whose key is in the keyring of the operating system.
    pub(super) fn set_keyring(&mut self, name: &str) -> Result<(), Failure> {
        let table = self.profile(name)?;
        for name in NAMES {
            table.remove(name);
        }
        table.insert(KEYRING, value(true));
        Ok(())
    }

    /// The table of a profile, created if it is missing.
    fn profile(&mut self, name: &str) -> Result<&mut dyn TableLike, Failure> {
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(Failure::usage(format!("{name:?} is not a valid profile name")));
        }
        let table = self.document.entry(name).or_insert_with(|| Item::Table(Table::new()));
        table
            .as_table_like_mut()
            .ok_or_else(|| Failure::usage(format!("{name:?} is a setting, not a profile")))
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.document.remove(name);
    }

    /// Writes the file so that only the user can read it.
    pub(super) fn save(&self) -> Result<(), Failure> {
        secure_fs::write(&self.path, self.document.to_string().as_bytes())
            .map_err(|error| unusable(&self.path, &error))
    }

    /// The problem if other users can read the file.
    pub(super) fn permission_problem(&self) -> Option<String> {
        let mode = secure_fs::mode(&self.path)?;
        (mode & 0o077 != 0).then(|| {
            let path = self.path.display();
            format!("others can read {path} (mode {mode:o}), so it is not used: chmod 600 {path}")
        })
    }
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::machine(format!("{}: {error}", path.display()))
}

/// The first characters of a key, `abcd…`, enough to distinguish keys.
pub(crate) fn masked(key: &str) -> String {
    let shown = if key.chars().count() >= 16 { 4 } else { 0 };
    key.chars().take(shown).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::{Store, masked};

    #[test]
    fn other_settings_and_comments_are_preserved() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        let before = "# mine\n[default]\nkey = \"old\" # from March\ncolour = \"red\"\n";
        std::fs::write(&file, before).expect("a file");
        let mut store = Store::open_in(folder.path()).expect("a configuration");
        store.set("default", ["k", "s", "m"]).expect("a profile");
        store.set("bot \"2\"", ["k2", "s2", "m2"]).expect("a profile");
        store.save().expect("it is written");
        let text = std::fs::read_to_string(&file).expect("a file");
        assert!(text.starts_with("# mine\n[default]\n"), "{text}");
        assert!(text.contains("colour = \"red\"") && !text.contains("old"), "{text}");

        let mut again = Store::open_in(folder.path()).expect("a configuration");
        assert_eq!(again.profiles().filter(|profile| profile.complete).count(), 2);
        again.remove("default");
        again.save().expect("it is written");
        let left = Store::open_in(folder.path()).expect("a configuration");
        let names: Vec<_> = left.profiles().map(|profile| profile.name).collect();
        assert_eq!(names, ["bot \"2\""]);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing else");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_folder_and_file() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join(".bitmart");
        let mut store = Store::open_in(&folder).expect("a missing file is empty");
        store.set("default", ["k", "s", "m"]).expect("a profile");
        store.save().expect("it is written");
        assert_eq!(crate::secure_fs::mode(&folder), Some(0o700));
        assert_eq!(crate::secure_fs::mode(store.path()), Some(0o600));
        assert_eq!(store.permission_problem(), None);
    }

    #[test]
    fn settings_that_are_not_profiles_are_not_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "colour = \"red\"\n").expect("a file");
        let mut store = Store::open_in(folder.path()).expect("a configuration");
        assert!(store.set("colour", ["k", "s", "m"]).is_err());
        assert!(store.set(" ", ["k", "s", "m"]).is_err());
        std::fs::write(&file, "secret = \"no end\n").expect("a file");
        let problem = Store::open_in(folder.path()).err().expect("invalid TOML").to_string();
        assert!(!problem.contains("no end"), "{problem}");
    }

    #[test]
    fn a_profile_in_the_keyring_leaves_no_key_in_the_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = Store::open_in(folder.path()).expect("a missing file is empty");
        store.set("bot", ["k", "s", "m"]).expect("a profile");
        store.set_keyring("bot").expect("a profile");
        assert_eq!(store.document.to_string(), "[bot]\nkeyring = true\n");
        assert!(store.profiles().all(|profile| profile.complete && profile.keyring));
        store.set("bot", ["k", "s", "m"]).expect("a profile");
        assert!(!store.is_in_keyring("bot"));
    }

    #[test]
    fn a_short_key_is_masked_completely() {
        assert_eq!(masked("0123456789abcdef"), "0123…");
        assert_eq!(masked("short"), "…");
    }
}
