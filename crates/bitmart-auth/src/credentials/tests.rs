//! Which values are accepted, and what errors and debug output say about the others.

use std::env::VarError;

use bitmart_testkit::canary;

use crate::{CredentialField, Credentials, CredentialsErrorKind as Kind, StrayCharacters};

fn kind(key: &str, secret: &str, memo: &str) -> Kind {
    let error = Credentials::new(key, secret, memo).unwrap_err();
    canary::assert_hidden(&error.to_string(), &[]);
    canary::assert_debug_hides(&error, &[]);
    error.kind().clone()
}

#[test]
fn an_empty_value_is_named_in_the_error() {
    let (key, secret, memo) = (canary::KEY, canary::SECRET, canary::MEMO);
    let empty = |field| Kind::Empty { field };
    assert_eq!(kind("", secret, memo), empty(CredentialField::Key));
    assert_eq!(kind(key, "", memo), empty(CredentialField::Secret));
    assert_eq!(kind(key, secret, ""), empty(CredentialField::Memo));
}

#[test]
fn the_error_for_an_empty_memo_explains_the_memo() {
    let error = Credentials::new("key", "secret", "").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the API memo is empty: the memo is the free text that you chose when you created the \
         key, not your account id"
    );
}

#[test]
fn invalid_characters_are_reported_with_their_position() {
    let (key, secret, memo) = (canary::KEY, canary::SECRET, canary::MEMO);
    let invalid = |field, position| Kind::InvalidCharacter { field, position };
    let cases = [
        (format!("{key}\r\nX-Evil: 1"), CredentialField::Key, key.len()),
        (format!("{}é", &key[..6]), CredentialField::Key, 6),
    ];
    for (value, field, position) in cases {
        assert_eq!(kind(&value, secret, memo), invalid(field, position));
    }
    assert_eq!(
        kind(key, "CANARY secret", memo),
        invalid(CredentialField::Secret, 6),
        "a space in the secret"
    );
    assert_eq!(kind(key, secret, "CANARY\tmemo"), invalid(CredentialField::Memo, 6));
}

#[test]
fn stray_characters_are_rejected_in_each_value() {
    let values = [canary::KEY, canary::SECRET, canary::MEMO];
    for (index, field) in [CredentialField::Key, CredentialField::Secret, CredentialField::Memo]
        .into_iter()
        .enumerate()
    {
        let value = values[index];
        for (input, found) in [
            (format!("\"{value}\""), StrayCharacters::Quotes),
            (format!("'{value}'"), StrayCharacters::Quotes),
            (format!("\u{201c}{value}\u{201d}"), StrayCharacters::Quotes),
            (format!(" {value}"), StrayCharacters::LeadingWhitespace),
            (format!("{value} "), StrayCharacters::TrailingWhitespace),
            (format!("{value}\t"), StrayCharacters::TrailingWhitespace),
            (format!("{value}\u{a0}"), StrayCharacters::TrailingWhitespace),
            (format!("{value}\n"), StrayCharacters::LineBreak),
            (format!("\u{feff}{value}"), StrayCharacters::ByteOrderMark),
        ] {
            let mut all = values.map(str::to_owned);
            all[index] = input;
            assert_eq!(kind(&all[0], &all[1], &all[2]), Kind::HasStrayCharacters { field, found });
        }
    }
    let error = Credentials::new("key", "secret", "memo ").unwrap_err().to_string();
    assert!(error.starts_with("the API memo ends with whitespace"), "{error}");
}

#[test]
fn the_memo_is_free_text() {
    for memo in ["my bot", "бот", "№ 1 #2", "it's", "\"", "say \"hi\""] {
        assert!(Credentials::new("key", "secret", memo).is_ok(), "{memo}");
    }
}

#[test]
fn from_lookup_reads_the_documented_variables() {
    let credentials = Credentials::from_lookup(|name| match name {
        "BITMART_API_KEY" => Some("key".to_owned()),
        "BITMART_API_SECRET" => Some("secret".to_owned()),
        "BITMART_API_MEMO" => Some("memo".to_owned()),
        other => panic!("unexpected variable {other}"),
    })
    .unwrap();
    let direct = Credentials::new("key", "secret", "memo").unwrap();
    assert_eq!(credentials.key(), "key");
    assert_eq!(credentials.sign_request(1, b"{}").as_str(), direct.sign_request(1, b"{}").as_str());
}

#[test]
fn a_variable_with_an_invalid_value_is_named_in_the_error() {
    let text = |secret: &str| {
        let error = Credentials::from_lookup(|name| {
            Some(
                if name == CredentialField::Secret.env_var() { secret } else { canary::KEY }
                    .to_owned(),
            )
        })
        .unwrap_err();
        canary::assert_hidden(&error.to_string(), &[]);
        error.to_string()
    };
    assert_eq!(text(""), "BITMART_API_SECRET: the API secret is empty");
    assert!(
        text("CANARY\n")
            .starts_with("BITMART_API_SECRET: the API secret starts or ends with a line break")
    );
}

#[test]
fn a_missing_variable_is_named_in_the_error() {
    for field in [CredentialField::Key, CredentialField::Secret, CredentialField::Memo] {
        let error = Credentials::from_lookup(|name| {
            (name != field.env_var()).then(|| canary::KEY.to_owned())
        })
        .unwrap_err();
        assert_eq!(*error.kind(), Kind::VariableNotSet { field });
        assert!(error.to_string().contains(field.env_var()));
        canary::assert_debug_hides(&error, &[]);
    }
}

#[test]
fn a_variable_that_is_not_unicode_is_not_reported_as_missing() {
    let secret = CredentialField::Secret;
    let error = Credentials::from_variables(|name| {
        if name == secret.env_var() {
            Err(VarError::NotUnicode(canary::SECRET.into()))
        } else {
            Ok(canary::KEY.to_owned())
        }
    })
    .unwrap_err();
    assert_eq!(*error.kind(), Kind::VariableNotUnicode { field: secret });
    assert_eq!(
        error.to_string(),
        "the environment variable BITMART_API_SECRET is not valid Unicode"
    );
    canary::assert_debug_hides(&error, &[]);
}

#[test]
fn debug_output_contains_no_secret() {
    let credentials = Credentials::new(canary::KEY, canary::SECRET, canary::MEMO).unwrap();
    let signature = credentials.sign_request(1_692_245_338_123, b"{}");
    let secrets = [signature.as_str(), signature.timestamp()];
    canary::assert_debug_hides(&credentials, &secrets);
    canary::assert_debug_hides(&signature, &secrets);
    canary::assert_debug_hides(&Some((credentials.clone(), signature.clone())), &secrets);
}

#[test]
fn public_types_are_send_and_sync() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<Credentials>();
    check::<crate::Signature>();
    check::<crate::CredentialsError>();
    check::<Kind>();
    check::<CredentialField>();
}
