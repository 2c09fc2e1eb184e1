//! Client order ids that tell who placed the order.

use bitmart_types::{ClientOrderId, ConfigError};

/// Longest name. The other 22 characters are random, so a fleet can place billions of orders without a repetition.
const MAX_NAME: usize = 8;

/// Ends an id, before the length of the name. [`ClientOrderId::random`] has hexadecimal digits only, so its ids are
/// never mistaken for those of a machine.
const MARK: char = 'z';

/// Length of all ids, the longest that the exchange accepts.
const LENGTH: usize = 32;

/// Makes client order ids that begin with the name of a machine or strategy, so that whoever sees an order of a shared
/// account knows who placed it.
///
/// An id has 32 letters and digits: the name, random hexadecimal digits, `z`, and the length of the name. There is no
/// counter, so ids do not repeat after a restart, and two processes may have the same name.
///
/// ```
/// use bitmart_fleet::ClientOrderIds;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let ids = ClientOrderIds::new("m1")?;
/// let id = ids.create(); // for `NewOrder::with_client_order_id`
/// assert_eq!(ClientOrderIds::machine_of(&id), Some("m1"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOrderIds {
    name: String,
}

impl ClientOrderIds {
    /// Creates ids for this name: 1 to 8 ASCII letters and digits.
    ///
    /// # Errors
    /// The name is another text.
    pub fn new(name: impl Into<String>) -> Result<Self, ConfigError> {
        let name = name.into();
        if is_name(&name) {
            return Ok(Self { name });
        }
        Err(ConfigError::new("name", format!("must be 1 to {MAX_NAME} letters and digits")))
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Creates an id that was never created before.
    ///
    /// # Panics
    /// When the operating system provides no randomness, which does not happen after boot.
    pub fn create(&self) -> ClientOrderId {
        let random = ClientOrderId::random();
        let length = self.name.len();
        let random = &random.as_str()[..LENGTH - 2 - length];
        let text = format!("{}{random}{MARK}{length}", self.name);
        // Letters and digits, and as many as are allowed: see `new`.
        ClientOrderId::new(text).unwrap_or_else(|_| ClientOrderId::random())
    }

    /// Returns the name in an id; `None` for an id that was not created by this type.
    pub fn machine_of(id: &ClientOrderId) -> Option<&str> {
        let text = Some(id.as_str()).filter(|text| text.len() == LENGTH && text.is_ascii())?;
        let (text, length) = text.split_at(LENGTH - 1);
        let (name, random) = text.strip_suffix(MARK)?.split_at_checked(length.parse().ok()?)?;
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        Some(name).filter(|name| is_name(name) && random.bytes().all(is_hex))
    }
}

fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_across_restarts_and_tell_the_machine() {
        let mut seen = HashSet::new();
        for name in ["m", "m1", "1m", "zzzzzzzz", "12345678", "m1"] {
            // As after a restart: nothing is kept from before.
            let ids = ClientOrderIds::new(name).expect("a name");
            for _ in 0..1_000 {
                let id = ids.create();
                assert!(ClientOrderId::new(id.as_str()).is_ok(), "{id}");
                assert_eq!((id.as_str().len(), ClientOrderIds::machine_of(&id)), (32, Some(name)));
                assert!(seen.insert(id.clone()), "{id} twice");
            }
        }
    }

    #[test]
    fn names_that_the_exchange_would_reject_are_errors() {
        for name in ["", "123456789", "a-b", "ü", "a b"] {
            assert!(ClientOrderIds::new(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn foreign_ids_have_no_machine() {
        for _ in 0..1_000 {
            assert_eq!(ClientOrderIds::machine_of(&ClientOrderId::random()), None);
        }
        for text in [
            "a",
            "m1z2",
            "0123456789abcdef0123456789abcdz0",
            "0123456789abcdef0123456789abcdz9",
            "0123456789abcdef0123456789abcdx2",
            "m1ghijklmnopqrstuvwxyzabcdefghz2",
        ] {
            let id = ClientOrderId::new(text).expect("valid");
            assert_eq!(ClientOrderIds::machine_of(&id), None, "{text}");
        }
    }
}
