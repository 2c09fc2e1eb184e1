//! Signatures: HMAC-SHA256 over `timestamp#memo#body`, in hexadecimal digits.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

#[cfg(test)]
use crate::keys::ApiKey;

/// The state of HMAC-SHA256 after it has read a secret. A key computes it once, because reading the secret takes half
/// as long as a signature.
pub(super) type KeyedHash = Hmac<Sha256>;

/// The state after a secret; `None` never occurs, because a secret may have any length.
pub(super) fn keyed_hash(secret: &[u8]) -> Option<KeyedHash> {
    KeyedHash::new_from_slice(secret).ok()
}

/// Whether a signature is that of a timestamp, memo and body.
pub(super) fn verify(
    keyed: &KeyedHash,
    memo: &str,
    timestamp: &str,
    body: &[u8],
    sign: &str,
) -> bool {
    let Some(given) = from_hex(sign) else { return false };
    let parts = [timestamp.as_bytes(), b"#", memo.as_bytes(), b"#", body];
    with_parts(keyed.clone(), &parts).verify_slice(&given).is_ok()
}

fn with_parts(mut mac: KeyedHash, parts: &[&[u8]]) -> KeyedHash {
    for part in parts {
        mac.update(part);
    }
    mac
}

/// The signature of a message that is given in parts.
pub(super) fn mac_of(secret: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    Some(with_parts(keyed_hash(secret)?, parts).finalize().into_bytes().into())
}

/// Signs like a client, for tests.
#[cfg(test)]
pub(crate) fn sign(key: &ApiKey, timestamp: &str, body: &[u8]) -> String {
    let parts = [timestamp.as_bytes(), b"#", key.memo.as_bytes(), b"#", body];
    hex(&mac_of(key.secret.as_bytes(), &parts).expect("any secret signs"))
}

#[cfg(test)]
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Decodes 64 lower-case hexadecimal digits, the documented form of a signature.
pub(super) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = digit(text[2 * at])? << 4 | digit(text[2 * at + 1])?;
    }
    Some(bytes)
}
