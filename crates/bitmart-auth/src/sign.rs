//! Signatures of requests and of WebSocket logins.

use std::fmt;

use ring::hmac;
use zeroize::Zeroize as _;

use crate::Credentials;

/// Signed in place of a body for a WebSocket login.
const WEBSOCKET_LOGIN: &[u8] = b"bitmart.WebSocket";

/// Hexadecimal digits of an HMAC-SHA256.
const HEX_LENGTH: usize = 64;

/// Maximum length of a message that is assembled on the stack. A typical order fits.
const STACK_BUFFER: usize = 256;

/// Maximum length of a timestamp: `i64::MIN` with its sign.
const MAX_DECIMAL: usize = 20;

impl Credentials {
    /// Signs a request: HMAC-SHA256 over `timestamp#memo#body`, keyed with the secret.
    ///
    /// `timestamp_ms` is the time of the request in milliseconds since the Unix epoch; the exchange
    /// accepts a difference of a minute to its own clock. `body` must be exactly the bytes that are
    /// sent. A POST without parameters sends and signs `{}`. No GET endpoint requires a signature; to
    /// sign one anyway, pass an empty body.
    ///
    /// Does not allocate.
    pub fn sign_request(&self, timestamp_ms: i64, body: &[u8]) -> Signature {
        let mut decimal = [0; MAX_DECIMAL];
        let start = write_decimal(&mut decimal, timestamp_ms);

        let parts = [&decimal[start..], self.framed_memo(), body];
        let mut buffer = [0; STACK_BUFFER];
        // Hashing one contiguous message is faster than hashing its parts.
        let tag = match join(parts, &mut buffer) {
            Some(message) => hmac::sign(self.signing(), message),
            None => sign_parts(self.signing(), parts),
        };
        // Only the memo is a secret. Wiping the whole buffer takes as long as hashing a block.
        let [timestamp, memo, _] = parts.map(<[u8]>::len);
        buffer[timestamp..(timestamp + memo).min(STACK_BUFFER)].zeroize();

        Signature { hex: hex(&tag), timestamp: decimal, start }
    }

    /// Signs the login of a WebSocket connection, the same way for spot and futures. The exchange
    /// accepts the timestamp for a minute.
    pub fn sign_websocket_login(&self, timestamp_ms: i64) -> Signature {
        self.sign_request(timestamp_ms, WEBSOCKET_LOGIN)
    }
}

/// Concatenates the parts, or returns `None` if the buffer is too small.
fn join<'a>(parts: [&[u8]; 3], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut end = 0;
    for part in parts {
        buffer.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    buffer.get(..end)
}

/// Returns the lower-case hexadecimal digits of a tag.
///
/// Computed instead of looked up, which the compiler turns into a few instructions for all digits.
fn hex(tag: &hmac::Tag) -> [u8; HEX_LENGTH] {
    let digit = |value: u8| value + if value < 10 { b'0' } else { b'a' - 10 };
    let mut digits = [0; HEX_LENGTH];
    for ([high, low], byte) in digits.as_chunks_mut().0.iter_mut().zip(tag.as_ref()) {
        (*high, *low) = (digit(byte >> 4), digit(byte & 0xf));
    }
    digits
}

fn sign_parts(key: &hmac::Key, parts: [&[u8]; 3]) -> hmac::Tag {
    let mut mac = hmac::Context::with_key(key);
    for part in parts {
        mac.update(part);
    }
    mac.sign()
}

/// A signature and the timestamp that it covers, both in wire format.
///
/// `Debug` shows neither: while the timestamp is accepted, the signature authenticates the request.
#[derive(Clone)]
pub struct Signature {
    hex: [u8; HEX_LENGTH],
    timestamp: [u8; MAX_DECIMAL],
    /// Index of the first character of the timestamp.
    start: usize,
}

impl Signature {
    /// Returns the signature as 64 lower-case hexadecimal digits, for `X-BM-SIGN`. Mark the header as sensitive.
    pub fn as_str(&self) -> &str {
        // A wrong signature must not be sent, so this is no silent default.
        std::str::from_utf8(&self.hex).expect("hexadecimal digits are ASCII")
    }

    /// Returns the timestamp in decimal digits, for `X-BM-TIMESTAMP`, exactly as it was signed.
    pub fn timestamp(&self) -> &str {
        std::str::from_utf8(&self.timestamp[self.start..]).expect("decimal digits are ASCII")
    }
}

impl AsRef<str> for Signature {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature(redacted)")
    }
}

/// Writes `number` to the end of `buffer` and returns the index of its first digit.
fn write_decimal(buffer: &mut [u8; MAX_DECIMAL], number: i64) -> usize {
    let digit = |value: u64| b'0' + u8::try_from(value).expect("a decimal digit");
    let mut remaining = number.unsigned_abs();
    let mut start = buffer.len();
    // Two digits at a time: each division waits for the one before.
    while remaining >= 10 {
        let pair = remaining % 100;
        remaining /= 100;
        start -= 2;
        buffer[start] = digit(pair / 10);
        buffer[start + 1] = digit(pair % 10);
    }
    if remaining > 0 || start == buffer.len() {
        start -= 1;
        buffer[start] = digit(remaining);
    }
    if number < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    start
}

#[cfg(test)]
mod tests;
