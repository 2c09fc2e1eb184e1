//! The signature of a request and of a WebSocket login.

use std::fmt;

use ring::hmac;

use crate::Credentials;

/// What a WebSocket login signs in the place of a body.
const WEBSOCKET_LOGIN: &[u8] = b"bitmart.WebSocket";

/// Length of HMAC-SHA256 in hexadecimal digits.
const HEX: usize = 64;

/// Longest message that is put together on the stack: an order with its timestamp and memo fits.
const ON_STACK: usize = 256;

/// Longest timestamp: the digits of the smallest `i64` with its sign.
const DIGITS: usize = 20;

impl Credentials {
    /// Signs a request: HMAC-SHA256 over `timestamp#memo#body`, keyed with the secret.
    ///
    /// `timestamp_ms` is the time of the request in milliseconds; the exchange accepts a minute of
    /// difference to its own clock. `body` must be the very bytes that are sent. A POST without
    /// parameters sends and signs `{}`. No GET of the API needs a signature; where one is wanted,
    /// the body is empty.
    ///
    /// Allocates nothing.
    pub fn sign_request(&self, timestamp_ms: i64, body: &[u8]) -> Signature {
        let mut digits = [0; DIGITS];
        let start = write_decimal(&mut digits, timestamp_ms);

        let parts = [&digits[start..], self.framed_memo(), body];
        // What fits on the stack goes through the hash in one pass, which is faster.
        let mut stack = [0; ON_STACK];
        let tag = match join(parts, &mut stack) {
            Some(message) => hmac::sign(self.signing(), message),
            None => sign_parts(self.signing(), parts),
        };

        let mut hex = [0; HEX];
        hex::encode_to_slice(tag, &mut hex).expect("HMAC-SHA256 has 32 bytes");
        Signature { hex, digits, start }
    }

    /// Signs the login of a WebSocket connection. Spot and futures share the recipe, and the
    /// exchange accepts the timestamp for a minute.
    pub fn sign_websocket_login(&self, timestamp_ms: i64) -> Signature {
        self.sign_request(timestamp_ms, WEBSOCKET_LOGIN)
    }
}

/// The parts in one piece, if there is room for them.
fn join<'a>(parts: [&[u8]; 3], room: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut end = 0;
    for part in parts {
        room.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    room.get(..end)
}

fn sign_parts(key: &hmac::Key, parts: [&[u8]; 3]) -> hmac::Tag {
    let mut mac = hmac::Context::with_key(key);
    for part in parts {
        mac.update(part);
    }
    mac.sign()
}

/// A signature with the timestamp that it covers, both ready for the wire.
///
/// `Debug` shows neither: within its minute a signature is as good as a password for this request.
#[derive(Clone)]
pub struct Signature {
    hex: [u8; HEX],
    digits: [u8; DIGITS],
    start: usize,
}

impl Signature {
    /// 64 hexadecimal digits in lower case, for `X-BM-SIGN`. Mark the header as sensitive.
    pub fn as_str(&self) -> &str {
        // Hexadecimal digits are ASCII.
        std::str::from_utf8(&self.hex).unwrap_or_default()
    }
    /// The timestamp in decimal digits, for `X-BM-TIMESTAMP`: exactly the text that was signed.
    pub fn timestamp(&self) -> &str {
        // Decimal digits are ASCII.
        std::str::from_utf8(&self.digits[self.start..]).unwrap_or_default()
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

/// Writes `number` to the end of `buffer` and says where it starts.
fn write_decimal(buffer: &mut [u8; DIGITS], number: i64) -> usize {
    let mut rest = number.unsigned_abs();
    let mut start = buffer.len();
    loop {
        start -= 1;
        // The remainder is a single digit.
        buffer[start] = b'0' + u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    start
}

#[cfg(test)]
mod tests;
