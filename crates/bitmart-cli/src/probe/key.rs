//! Whether the key may do more than read.

use bitmart::rest::{Client, account};

use crate::failure::{Exit, Failure, chain};

const ADVICE: &str = "make a key for it that may only read, or say --any-key: no request of `probe` has an \
                      effect";

/// Only a key that is told to read and no more passes. What it may do is told by a call that BitMart does
/// not document, so that a refusal of it says nothing.
pub(super) async fn refuse_unless_read_only(client: &Client) -> Result<(), Failure> {
    let no = |text: String| Err(Failure::new(Exit::Access, text).with_advice(ADVICE));
    let permissions = match client.send(account::QueryAccountInfo::new()).await {
        Ok(info) => {
            let keys = info.value().and_then(|info| info.api_keys.clone()).unwrap_or_default();
            let current = keys.into_iter().find(|key| key.is_current == Some(true));
            current.and_then(|key| key.permissions).unwrap_or_default()
        }
        Err(error) => {
            return no(format!(
                "the exchange does not tell what the key may do: {}",
                chain(&error)
            ));
        }
    };
    if permissions.is_empty() {
        return no("the exchange does not tell what the key may do".to_owned());
    }
    let more: Vec<_> = permissions.iter().filter(|word| !only_reads(word)).cloned().collect();
    if more.is_empty() {
        Ok(())
    } else {
        no(format!("the key may do more than read: {}", more.join(", ")))
    }
}

/// `Read-only` in any spelling.
fn only_reads(word: &str) -> bool {
    let letters: String = word.chars().filter(char::is_ascii_alphabetic).collect();
    ["read", "readonly", "reading"].contains(&letters.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::only_reads;

    #[test]
    fn only_words_for_reading_pass() {
        for word in ["Read-only", "READ_ONLY", "read only", "Read"] {
            assert!(only_reads(word), "{word}");
        }
        for word in ["Spot-Trade", "Withdraw", "Read-Write", "Readonly-Trade", ""] {
            assert!(!only_reads(word), "{word}");
        }
    }
}
