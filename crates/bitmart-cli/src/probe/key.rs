//! Checks that the key is read-only.

use bitmart::rest::{Client, account};

use crate::failure::{Exit, Failure, chain};

const ADVICE: &str =
    "create a read-only key for it, or add --any-key: no request of `probe` has an effect";

/// Accepts only a key with the single permission to read. The endpoint that lists permissions is not documented,
/// so a key without a list is rejected as well.
pub(super) async fn require_read_only(client: &Client) -> Result<(), Failure> {
    let reject = |text: String| Err(Failure::new(Exit::Access, text).with_advice(ADVICE));
    let permissions = match client.send(account::QueryAccountInfo::new()).await {
        Ok(info) => {
            let keys = info.value().and_then(|info| info.api_keys.clone()).unwrap_or_default();
            let current = keys.into_iter().find(|key| key.is_current == Some(true));
            current.and_then(|key| key.permissions).unwrap_or_default()
        }
        Err(error) => {
            return reject(format!(
                "the exchange does not send the permissions of the key: {}",
                chain(&error)
            ));
        }
    };
    if permissions.is_empty() {
        return reject("the exchange does not send the permissions of the key".to_owned());
    }
    let more: Vec<_> =
        permissions.iter().filter(|permission| !is_read_only(permission)).cloned().collect();
    if more.is_empty() {
        Ok(())
    } else {
        reject(format!("the key may do more than read: {}", more.join(", ")))
    }
}

/// Whether a permission is `Read-only` in any spelling.
fn is_read_only(permission: &str) -> bool {
    let letters: String = permission.chars().filter(char::is_ascii_alphabetic).collect();
    ["read", "readonly", "reading"].contains(&letters.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::is_read_only;

    #[test]
    fn accepts_only_read_permissions() {
        for word in ["Read-only", "READ_ONLY", "read only", "Read"] {
            assert!(is_read_only(word), "{word}");
        }
        for word in ["Spot-Trade", "Withdraw", "Read-Write", "Readonly-Trade", ""] {
            assert!(!is_read_only(word), "{word}");
        }
    }
}
