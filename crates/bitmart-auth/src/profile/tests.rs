//! Profiles from files with the right and with the wrong content, size and permissions.

use std::{fs, path::PathBuf};

use bitmart_testkit::canary;
use tempfile::TempDir;

use super::SIZE_LIMIT;
use crate::{CredentialField, Credentials, CredentialsError, CredentialsErrorKind as Kind};

const TWO_PROFILES: &str = r#"
[default]
key = "CANARYkey"
secret = "CANARYsecret"
memo = "CANARYmemo"
color = "blue"

[reader]
key = "CANARYreader"
secret = "CANARYsecret"
"#;

/// Writes a file that only its owner can read. Dropping the first value deletes it.
fn file(text: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    fs::write(&path, text).unwrap();
    set_mode(&path, 0o600);
    (folder, path)
}

#[cfg(unix)]
fn set_mode(path: &PathBuf, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &PathBuf, _: u32) {}

/// Loads a profile, checks that the error contains no secret, and returns it.
fn error(text: impl AsRef<[u8]>, profile: &str) -> CredentialsError {
    let (_folder, path) = file(text);
    let error = Credentials::from_profile_file(path, profile).unwrap_err();
    canary::assert_hidden(&error.to_string(), &[]);
    canary::assert_debug_hides(&error, &[]);
    error
}

#[test]
fn loads_credentials_from_a_profile() {
    let (_folder, path) = file(TWO_PROFILES);
    let credentials = Credentials::from_profile_file(path, "default").unwrap();
    let direct = Credentials::new("CANARYkey", "CANARYsecret", "CANARYmemo").unwrap();
    assert_eq!(credentials.key(), direct.key());
    assert_eq!(credentials.sign_request(1, b"{}").as_str(), direct.sign_request(1, b"{}").as_str());
}

#[test]
fn a_missing_value_is_named_in_the_error() {
    let error = error(TWO_PROFILES, "reader");
    assert!(matches!(
        error.kind(),
        Kind::MissingField { profile, field: CredentialField::Memo, .. } if profile == "reader"
    ));
    assert!(error.to_string().contains("not your account id"));
}

#[test]
fn an_unknown_profile_lists_the_known_ones() {
    let error = error(TWO_PROFILES, "prod");
    assert!(error.to_string().ends_with("it has: default, reader"));
}

#[test]
fn a_malformed_file_is_reported_with_its_line_but_not_its_content() {
    let line = |text| match error(text, "default").kind() {
        Kind::Malformed { line, .. } => *line,
        other => panic!("{other:?}"),
    };
    assert_eq!(line("[default]\nkey = CANARY"), Some(2));
    assert_eq!(line("[default]\nkey = \"CANARY"), Some(2));
    assert_eq!(line("\n[default]\n\nsecret = 17\n"), Some(4));
    assert_eq!(line("key = \"CANARY\""), Some(1));
}

#[test]
fn values_from_a_profile_are_validated() {
    let error = error("[default]\nkey = \"\"\nsecret = \"CANARY\"\nmemo = \"CANARY\"", "default");
    assert_eq!(*error.kind(), Kind::Empty { field: CredentialField::Key });
    let text = error.to_string();
    assert!(text.starts_with("profile [default] in "), "{text}");
    assert!(text.ends_with("config.toml: the API key is empty"), "{text}");
}

#[test]
fn rejects_a_file_over_the_size_limit() {
    let filler = usize::try_from(SIZE_LIMIT).unwrap();
    // The limit is within the character `é`.
    for text in [format!("#{}", "x".repeat(filler)), format!("{}é", "#".repeat(filler))] {
        let error = error(text, "default");
        assert!(matches!(error.kind(), Kind::TooLarge { limit, .. } if *limit == SIZE_LIMIT));
    }
}

#[test]
fn a_file_that_is_not_utf_8_is_malformed() {
    let error = error(b"[default]\nkey = \"CANARY\xff\"\n", "default");
    assert!(matches!(error.kind(), Kind::Malformed { line: Some(2), .. }), "{error:?}");
}

#[test]
fn credentials_in_the_keyring_are_reported_as_such() {
    let error = error("[bot]\nkeyring = true\n", "bot");
    assert!(
        matches!(error.kind(), Kind::InKeyring { profile, .. } if profile == "bot"),
        "{error:?}"
    );
    assert!(error.to_string().contains("keyring of the operating system"), "{error}");
    for other in ["false", "\"on\"", "17", "[1]"] {
        let error = self::error(format!("[bot]\nkeyring = {other}\n"), "bot");
        assert!(matches!(error.kind(), Kind::MissingField { .. }), "{other}: {error:?}");
    }
    let (_folder, path) = file(TWO_PROFILES.replace("color = \"blue\"", "keyring = true"));
    assert!(Credentials::from_profile_file(path, "default").is_ok(), "the file has the values");
}

#[test]
fn an_empty_home_variable_counts_as_not_set() {
    let find = |home: Option<&'static str>, user_profile: Option<&'static str>| {
        super::home(|name| if name == "HOME" { home } else { user_profile }.map(Into::into))
    };
    assert_eq!(find(Some("/a"), Some("C:/b")), Some("/a".into()));
    assert_eq!(find(Some(""), Some("C:/b")), Some("C:/b".into()));
    assert_eq!(find(None, Some("C:/b")), Some("C:/b".into()));
    assert_eq!(find(Some(""), Some("")), None);
}

#[test]
fn the_error_for_a_missing_file_names_its_path() {
    let (folder, _path) = file("");
    let path = folder.path().join("absent.toml");
    let error = Credentials::from_profile_file(&path, "default").unwrap_err();
    assert_eq!(*error.kind(), Kind::Unreadable { path: path.clone() });
    assert!(error.to_string().contains(&*path.to_string_lossy()));
    assert!(error.to_string().contains("tables such as [default]"), "describes the expected file");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    assert!(!error.to_string().contains(&cause), "a chain prints the cause twice: {error}");
}

#[test]
fn the_error_for_an_unreadable_file_has_a_cause_and_gives_no_advice_about_its_content() {
    let (folder, _path) = file("");
    set_mode(&folder.path().to_owned(), 0o700);
    // A directory can be opened but not read, by root as well.
    let error = Credentials::from_profile_file(folder.path(), "default").unwrap_err();
    assert!(matches!(error.kind(), Kind::Unreadable { .. }), "{error:?}");
    let cause = std::error::Error::source(&error).expect("a cause").to_string();
    let path = folder.path().display();
    assert_eq!(error.to_string(), format!("cannot read {path}"));
    assert!(!cause.is_empty());
}

#[cfg(unix)]
#[test]
fn rejects_a_file_that_other_users_can_access() {
    for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
        let (_folder, path) = file(TWO_PROFILES);
        set_mode(&path, mode);
        let error = Credentials::from_profile_file(&path, "default").unwrap_err();
        assert_eq!(*error.kind(), Kind::InsecurePermissions { path: path.clone(), mode });
        assert!(!error.to_string().contains("can read"), "mode 620 lets others write: {error}");
        let remedy = format!("run `chmod 600 {}`", path.display());
        assert!(error.to_string().ends_with(&remedy));
    }
}

#[cfg(unix)]
#[test]
fn a_path_in_advice_is_quoted_for_the_shell() {
    let (folder, path) = file(TWO_PROFILES);
    let odd = folder.path().join("it's my $HOME");
    std::fs::rename(&path, &odd).unwrap();
    set_mode(&odd, 0o644);
    let text = Credentials::from_profile_file(&odd, "default").unwrap_err().to_string();
    let quoted = odd.display().to_string().replace('\'', r"'\''");
    assert!(text.ends_with(&format!("run `chmod 600 '{quoted}'`")), "{text}");
}

#[cfg(unix)]
#[test]
fn accepts_stricter_permissions() {
    let (_folder, path) = file(TWO_PROFILES);
    set_mode(&path, 0o400);
    assert!(Credentials::from_profile_file(&path, "default").is_ok());
}
