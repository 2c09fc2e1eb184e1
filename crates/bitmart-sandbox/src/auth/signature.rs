//! Signatures: HMAC-SHA256 over `timestamp#memo#body`, in hexadecimal digits.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::keys::ApiKey;

pub(super) fn verify(key: &ApiKey, timestamp: &str, body: &[u8], sign: &str) -> bool {
    from_hex(sign)
        .zip(mac(key, timestamp, body))
        .is_some_and(|(given, mac)| mac.verify_slice(&given).is_ok())
}

fn mac(key: &ApiKey, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    keyed_hash(
        key.secret.as_bytes(),
        &[timestamp.as_bytes(), b"#", key.memo.as_bytes(), b"#", body],
    )
}

fn keyed_hash(secret: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

/// The signature of a message that is given in parts.
pub(super) fn mac_of(secret: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    Some(keyed_hash(secret, parts)?.finalize().into_bytes().into())
}

/// Signs like a client, for tests.
#[cfg(test)]
pub(crate) fn sign(key: &ApiKey, timestamp: &str, body: &[u8]) -> String {
    hex(&mac(key, timestamp, body).expect("any secret signs").finalize().into_bytes())
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
