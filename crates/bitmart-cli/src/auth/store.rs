//! The file with the profiles. Other settings in it are preserved, and so are comments, except those of removed
//! entries.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::{DocumentMut, Item, Table, TableLike, value};

use crate::dry_run::shell_word;
use crate::failure::Failure;
use crate::secure_fs;

/// The settings of a profile that the library reads.
const CREDENTIAL_FIELDS: [&str; 3] = ["key", "secret", "memo"];
/// Marks a profile whose key is in the keyring of the operating system.
const KEYRING: &str = "keyring";
/// All settings that this program writes.
const FIELDS: [&str; 4] = ["key", "secret", "memo", KEYRING];

/// The parsed configuration file. Without `Debug`: it holds secrets.
pub(crate) struct Store {
    path: PathBuf,
    document: DocumentMut,
    /// Held while the file is changed.
    lock: Option<File>,
}

/// A profile without its secrets.
pub(crate) struct Profile {
    pub(crate) name: String,
    /// The key, masked; `None` if it is not in the file.
    pub(super) masked_key: Option<String>,
    /// Whether key, secret and memo are in the file, or marked as being in the keyring, which is not checked.
    pub(super) complete: bool,
    /// Whether the profile is marked as being in the keyring of the operating system.
    pub(super) keyring: bool,
}

impl Store {
    /// Reads `~/.bitmart/config.toml`; a missing file counts as empty.
    pub(crate) fn open() -> Result<Self, Failure> {
        let folder = secure_fs::config_dir()
            .ok_or_else(|| Failure::usage("there is no home folder; set HOME"))?;
        Self::open_in(&folder)
    }

    /// Locks and reads the file again, so that a change by another program in the meantime is not lost.
    /// Waits while another program changes it.
    pub(super) fn lock(&mut self) -> Result<(), Failure> {
        // The file itself is replaced when it is saved, so a lock of it would not last.
        let path = self.path.with_extension("lock");
        let failed = |error: io::Error| file_failure(&path, &error);
        let folder = path.parent().unwrap_or(Path::new(""));
        secure_fs::create_dir(folder).map_err(failed)?;
        let file = secure_fs::options().create(true).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        *self = Self { lock: Some(file), ..Self::open_in(folder)? };
        Ok(())
    }

    pub(super) fn open_in(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join("config.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(file_failure(&path, &error)),
        };
        // The parser's message is dropped: it quotes the line, which may contain a secret.
        let document = text.parse().map_err(|_| {
            Failure::usage(format!("{} is not valid TOML", path.display()))
                .with_advice("repair it by hand; nothing was changed")
        })?;
        Ok(Self { path, document, lock: None })
    }

    /// The names of all profiles.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> {
        self.profiles().map(|profile| profile.name)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a profile with this name. Other settings and tables are not profiles.
    pub(crate) fn has(&self, name: &str) -> bool {
        let table = self.document.get(name).and_then(Item::as_table_like);
        table.is_some_and(|table| FIELDS.iter().any(|field| table.contains_key(field)))
    }

    /// All tables of the file with at least one setting of a profile.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = Profile> {
        self.document.iter().filter_map(|(name, item)| {
            let table = item.as_table_like()?;
            let text = |field: &str| table.get(field).and_then(Item::as_str);
            let given = CREDENTIAL_FIELDS.iter().filter(|field| text(field).is_some()).count();
            let keyring = self.is_in_keyring(name);
            (keyring || given > 0).then(|| Profile {
                name: name.to_owned(),
                masked_key: text("key").map(masked),
                complete: keyring || given == CREDENTIAL_FIELDS.len(),
                keyring,
            })
        })
    }

    /// Whether the key of a profile is in the keyring of the operating system.
    pub(crate) fn is_in_keyring(&self, name: &str) -> bool {
        let profile = self.document.get(name).and_then(Item::as_table_like);
        profile.and_then(|table| table.get(KEYRING)?.as_bool()).unwrap_or(false)
    }

    /// Stores key, secret and memo in a profile. Its other settings are preserved, and so are the comments.
    pub(super) fn set(&mut self, name: &str, values: [&str; 3]) -> Result<(), Failure> {
        let table = self.profile(name)?;
        table.remove(KEYRING);
        for (field, text) in CREDENTIAL_FIELDS.into_iter().zip(values) {
            match table.get_mut(field) {
                Some(Item::Value(old)) => {
                    // `insert` would drop the comments of the entry.
                    let decor = old.decor().clone();
                    *old = text.into();
                    *old.decor_mut() = decor;
                }
                _ => drop(table.insert(field, value(text))),
            }
        }
        Ok(())
    }

    /// Marks a profile whose key is in the keyring of the operating system. Deletes key, secret and memo from
    /// the file.
    pub(super) fn set_keyring(&mut self, name: &str) -> Result<(), Failure> {
        let table = self.profile(name)?;
        for field in CREDENTIAL_FIELDS {
            table.remove(field);
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

    /// Removes key, secret, memo and the keyring marker of a profile, and its table if nothing else is in it.
    /// Comments of what is removed are removed with it.
    pub(super) fn remove(&mut self, name: &str) {
        let Some(table) = self.document.get_mut(name).and_then(Item::as_table_like_mut) else {
            return;
        };
        for field in FIELDS {
            table.remove(field);
        }
        if table.is_empty() {
            self.document.remove(name);
        }
    }

    /// Writes the file so that only the user can read it.
    pub(super) fn save(&self) -> Result<(), Failure> {
        debug_assert!(self.lock.is_some(), "a change without the lock may lose another one");
        secure_fs::write(&self.path, self.document.to_string().as_bytes())
            .map_err(|error| file_failure(&self.path, &error))
    }

    /// The problem if other users have access to the file.
    pub(super) fn permission_problem(&self) -> Option<String> {
        let mode = secure_fs::mode(&self.path)?;
        (mode & 0o077 != 0).then(|| {
            let path = self.path.display().to_string();
            let quoted = shell_word(&path);
            format!(
                "{path} is accessible to other users (mode {mode:03o}), so commands reject it; run `chmod 600 {quoted}`"
            )
        })
    }
}

fn file_failure(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("{}: {error}", path.display()))
}

/// The first four characters of a key, `abcd…`. Only `…` for a key of fewer than 16 characters, of which four
/// would be too much.
pub(crate) fn masked(key: &str) -> String {
    let shown = if key.chars().count() >= 16 { 4 } else { 0 };
    key.chars().take(shown).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Store, masked};

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("cannot create a temporary folder")
    }

    fn open(folder: &Path) -> Store {
        Store::open_in(folder).unwrap_or_else(|failure| panic!("cannot open the file: {failure}"))
    }

    /// Saves like a command: a change needs the lock, and the lock needs a fresh copy.
    fn change(folder: &Path, change: impl FnOnce(&mut Store)) -> Store {
        let mut store = open(folder);
        store.lock().expect("the file is not locked");
        change(&mut store);
        store.save().expect("the file is not written");
        store.lock = None;
        store
    }

    /// A store with this file.
    fn store_of(folder: &Path, text: &str) -> Store {
        std::fs::write(folder.join("config.toml"), text).expect("cannot write the file");
        open(folder)
    }

    fn set(store: &mut Store, name: &str) {
        store.set(name, ["k", "s", "m"]).expect("the profile is rejected");
    }

    #[test]
    fn replacing_a_key_preserves_other_settings_and_comments() {
        let folder = folder();
        let before =
            "# mine\n[default]\n# of the bot\nkey = \"old\" # from March\ncolour = \"red\"\n";
        store_of(folder.path(), before);
        let store = change(folder.path(), |store| {
            set(store, "default");
            set(store, "bot \"2\"");
        });
        let text = std::fs::read_to_string(store.path()).expect("cannot read the file");
        let start = "# mine\n[default]\n# of the bot\nkey = \"k\" # from March\ncolour = \"red\"\n";
        assert!(text.starts_with(start), "comments or settings are lost: {text}");

        let store = open(folder.path());
        let complete = store.profiles().filter(|profile| profile.complete).count();
        assert_eq!(complete, 2, "a profile lacks a value: {text}");
        change(folder.path(), |store| store.remove("default"));
        let names: Vec<_> = open(folder.path()).names().collect();
        assert_eq!(names, ["bot \"2\""], "the wrong profile is left");
        let files = std::fs::read_dir(folder.path()).expect("cannot read the folder").count();
        assert_eq!(files, 2, "more is left than the file and its lock");
    }

    #[test]
    fn removing_a_profile_preserves_its_other_settings() {
        let folder = folder();
        let text =
            "[a]\n# warm\ncolour = \"red\"\nkey = \"k\"\nkeyring = true\n\n[b]\nkey = \"k\"\n";
        let mut store = store_of(folder.path(), text);
        store.remove("a");
        store.remove("b");
        assert_eq!(store.document.to_string(), "[a]\n# warm\ncolour = \"red\"\n");
        assert!(!store.has("a"), "a table without a key counts as a profile");
    }

    #[test]
    fn a_setting_is_neither_found_nor_removed_as_a_profile() {
        let folder = folder();
        let mut store = store_of(folder.path(), "colour = \"red\"\n");
        assert!(!store.has("colour"), "a setting counts as a profile");
        store.remove("colour");
        assert_eq!(store.document.to_string(), "colour = \"red\"\n");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_write_is_reported_with_a_quoted_path() {
        use std::os::unix::fs::PermissionsExt as _;

        let place = folder();
        let folder = place.path().join("my home");
        let store = change(&folder, |store| set(store, "default"));
        let mode = std::fs::Permissions::from_mode(0o620);
        std::fs::set_permissions(store.path(), mode).expect("cannot change the permissions");
        let problem = store.permission_problem().expect("the permissions are not reported");
        let path = store.path().display();
        let expected = format!(
            "{path} is accessible to other users (mode 620), so commands reject it; run `chmod 600 '{path}'`"
        );
        assert_eq!(problem, expected);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_user_can_read_folder_and_file() {
        let place = folder();
        let folder = place.path().join(".bitmart");
        let store = change(&folder, |store| set(store, "default"));
        assert_eq!(crate::secure_fs::mode(&folder), Some(0o700));
        assert_eq!(crate::secure_fs::mode(store.path()), Some(0o600));
        assert_eq!(store.permission_problem(), None);
    }

    #[test]
    fn a_change_holds_the_lock_and_starts_from_what_others_have_saved() {
        let folder = folder();
        // Opened before the other change, as by a program that waits for input.
        let mut store = open(folder.path());
        change(folder.path(), |store| set(store, "first"));
        store.lock().expect("the file is not locked");
        let other = std::fs::File::open(folder.path().join("config.lock")).expect("no lock file");
        assert!(other.try_lock().is_err(), "another program can change the file meanwhile");
        set(&mut store, "second");
        store.save().expect("the file is not written");
        let names: Vec<_> = open(folder.path()).names().collect();
        assert_eq!(names, ["first", "second"], "a change is lost");
    }

    #[test]
    fn settings_that_are_not_profiles_are_not_overwritten() {
        let folder = folder();
        let mut store = store_of(folder.path(), "colour = \"red\"\n");
        assert!(store.set("colour", ["k", "s", "m"]).is_err(), "a setting is overwritten");
        assert!(store.set(" ", ["k", "s", "m"]).is_err(), "a blank name is accepted");
    }

    #[test]
    fn an_invalid_file_is_reported_without_its_content() {
        let folder = folder();
        let file = folder.path().join("config.toml");
        std::fs::write(&file, "secret = \"no end\n").expect("cannot write the file");
        let opened = Store::open_in(folder.path());
        let problem = opened.err().expect("invalid TOML is accepted").to_string();
        assert!(!problem.contains("no end"), "the secret is printed: {problem}");
    }

    #[test]
    fn a_profile_in_the_keyring_leaves_no_key_in_the_file() {
        let folder = folder();
        let mut store = open(folder.path());
        set(&mut store, "bot");
        store.set_keyring("bot").expect("the profile is rejected");
        assert_eq!(store.document.to_string(), "[bot]\nkeyring = true\n");
        assert!(store.profiles().all(|profile| profile.complete && profile.keyring));
        set(&mut store, "bot");
        assert!(!store.is_in_keyring("bot"), "the marker is left");
    }

    #[test]
    fn a_short_key_is_masked_completely() {
        assert_eq!(masked("0123456789abcdef"), "0123…");
        assert_eq!(masked("short"), "…");
    }
}
