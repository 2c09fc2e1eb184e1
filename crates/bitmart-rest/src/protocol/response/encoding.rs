//! Inflates compressed bodies, whether compression was requested or not.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use crate::transport::{TransportError, too_large};

/// Maximum length of an encoding's name in an error, in characters.
const NAME_KEPT: usize = 64;

/// The encoding of a body according to its headers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    None,
    /// `gzip` or `deflate`, applied once. Servers confuse the two, so the bytes decide which it is.
    Deflated,
    /// Anything else, by name.
    Other(String),
}

impl Encoding {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut names: Vec<String> = Vec::new();
        for value in headers.get_all(CONTENT_ENCODING) {
            let text = String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase();
            let parts = text.split(',').map(str::trim);
            names.extend(parts.filter(|name| !matches!(*name, "" | "identity")).map(String::from));
        }
        match names.as_slice() {
            [] => Self::None,
            [name] if matches!(name.as_str(), "gzip" | "x-gzip" | "deflate") => Self::Deflated,
            names => Self::Other(names.join(", ").chars().take(NAME_KEPT).collect()),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Deflated => f.write_str("declared as gzip or deflate, but it does not inflate"),
            Self::Other(name) => write!(f, "{name:?}"),
        }
    }
}

/// Inflates the body to `limit` bytes at most. A body that is not compressed, or has an unsupported
/// encoding, is returned unchanged.
///
/// # Errors
/// The inflated body is larger than `limit`.
#[cfg(feature = "client")]
pub(crate) fn inflated(
    headers: &HeaderMap,
    body: &Bytes,
    limit: usize,
) -> Result<Bytes, TransportError> {
    let is_deflated = match Encoding::of(headers) {
        Encoding::Deflated => true,
        // No JSON text begins like this.
        Encoding::None => inflate::is_gzip(body),
        Encoding::Other(_) => false,
    };
    if !is_deflated {
        return Ok(body.clone());
    }
    match inflate::inflate(body, limit) {
        Ok(inflated) => Ok(inflated.into()),
        Err(inflate::Stop::TooLarge) => Err(too_large(limit)),
        // Such as a plain body with a wrong header.
        Err(inflate::Stop::Corrupt) => Ok(body.clone()),
    }
}

/// Without the client feature nothing is inflated; the error of such a body names its encoding.
#[cfg(not(feature = "client"))]
pub(crate) fn inflated(_: &HeaderMap, body: &Bytes, limit: usize) -> Result<Bytes, TransportError> {
    if body.len() > limit { Err(too_large(limit)) } else { Ok(body.clone()) }
}

#[cfg(feature = "client")]
mod inflate {
    use std::io::{ErrorKind, Read};

    use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

    use super::super::envelope::without_padding;

    pub(super) enum Stop {
        /// More than the limit.
        TooLarge,
        /// Not what it should be.
        Corrupt,
    }

    pub(super) fn is_gzip(body: &[u8]) -> bool {
        body.starts_with(&[0x1f, 0x8b])
    }

    /// The first two bytes of a zlib stream: the method, and a checksum over both.
    fn is_zlib(body: &[u8]) -> bool {
        matches!(body, [method, flags, ..]
            if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
    }

    /// Bounds the time of a body of empty members: each costs a decoder, and adds nothing to the size.
    const MAX_MEMBERS: usize = 64;

    /// `deflate` means the zlib format; some servers send raw deflate.
    pub(super) fn inflate(body: &[u8], limit: usize) -> Result<Vec<u8>, Stop> {
        let mut out = Vec::new();
        let mut rest = body;
        if is_gzip(rest) {
            // Concatenated members are one body; anything after them is padding.
            for _ in 0..MAX_MEMBERS {
                read(GzDecoder::new(&mut rest), &mut out, limit)?;
                if !is_gzip(rest) {
                    return Ok(out);
                }
            }
            return Err(Stop::Corrupt);
        }
        if is_zlib(rest) {
            match read(ZlibDecoder::new(&mut rest), &mut out, limit) {
                Err(Stop::Corrupt) => out.clear(),
                ended => return ended.map(|_| out),
            }
        }
        // Raw deflate has no header, and plain text can look like it. It is accepted only if the
        // stream ends exactly where the body ends.
        rest = body;
        match read(DeflateDecoder::new(&mut rest), &mut out, limit)? {
            Ended::Complete if without_padding(rest).is_empty() => Ok(out),
            _ => Err(Stop::Corrupt),
        }
    }

    enum Ended {
        Complete,
        /// The JSON parser decides whether the text is complete.
        Truncated,
    }

    fn read(from: impl Read, out: &mut Vec<u8>, limit: usize) -> Result<Ended, Stop> {
        let before = out.len();
        // Reads one more byte to detect that the limit is exceeded.
        let capacity = limit.saturating_add(1) - before;
        let ended = from.take(capacity as u64).read_to_end(out);
        if out.len() > limit {
            return Err(Stop::TooLarge);
        }
        match ended {
            Ok(_) => Ok(Ended::Complete),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof && out.len() > before => {
                Ok(Ended::Truncated)
            }
            Err(_) => Err(Stop::Corrupt),
        }
    }
}

#[cfg(all(test, feature = "client"))]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;
    use crate::transport::TransportErrorKind;

    fn headers(values: &[&'static str]) -> HeaderMap {
        values.iter().map(|v| (CONTENT_ENCODING, HeaderValue::from_static(v))).collect()
    }

    /// As gzip, in zlib's wrapping, and without any.
    fn packed(text: &[u8]) -> [Bytes; 3] {
        const IN_MEMORY: &str = "memory takes it";
        let level = Compression::default();
        let mut gzip = GzEncoder::new(Vec::new(), level);
        let mut zlib = ZlibEncoder::new(Vec::new(), level);
        let mut raw = DeflateEncoder::new(Vec::new(), level);
        gzip.write_all(text).expect(IN_MEMORY);
        zlib.write_all(text).expect(IN_MEMORY);
        raw.write_all(text).expect(IN_MEMORY);
        [gzip.finish(), zlib.finish(), raw.finish()].map(|packed| packed.expect(IN_MEMORY).into())
    }

    #[test]
    fn either_name_is_read_with_each_wrapping() {
        for text in [&b"{\"code\":1000}"[..], &b"x".repeat(50_000), b""] {
            for body in packed(text) {
                for name in ["gzip", "x-gzip", "deflate", " GZIP ", "identity, deflate"] {
                    let plain = inflated(&headers(&[name]), &body, 50_000).unwrap();
                    assert_eq!(plain, text, "{name}");
                }
            }
        }
    }

    #[test]
    fn a_limit_counts_what_is_inflated() {
        for body in packed(&b" ".repeat(100_000)) {
            let headers = headers(&["deflate"]);
            assert_eq!(inflated(&headers, &body, 100_000).unwrap().len(), 100_000);
            let error = inflated(&headers, &body, 99_999).unwrap_err();
            assert_eq!(error.kind(), TransportErrorKind::BodyTooLarge);
            assert!(error.may_have_been_sent());
        }
    }

    #[test]
    fn gzip_members_are_concatenated_and_padding_is_ignored() {
        let [one, ..] = packed(b"one ");
        let [two, ..] = packed(b"two");
        let body = [&one[..], &two[..], b"\0\0\0"].concat();
        assert_eq!(inflated(&headers(&["gzip"]), &body.into(), 100).unwrap(), "one two");
    }

    #[test]
    fn a_body_of_more_than_64_gzip_members_is_not_inflated() {
        let ([empty, ..], [text, ..]) = (packed(b""), packed(b"text"));
        let body = |members: usize| {
            let mut body = empty.repeat(members - 1);
            body.extend_from_slice(&text);
            Bytes::from(body)
        };
        assert_eq!(inflated(&headers(&["gzip"]), &body(64), 100).unwrap(), "text");
        assert_eq!(inflated(&headers(&["gzip"]), &body(65), 100).unwrap(), body(65));
    }

    #[test]
    fn gzip_without_a_header_is_inflated() {
        let [gzip, zlib, _] = packed(b"text");
        assert_eq!(inflated(&headers(&[]), &gzip, 100).unwrap(), "text");
        assert_eq!(inflated(&headers(&[]), &zlib, 100).unwrap(), zlib);
    }

    #[test]
    fn a_plain_body_with_a_wrong_header_is_unchanged() {
        let body = Bytes::from_static(b"{\"code\":1000,\"data\":[1,2,3]}");
        for name in ["gzip", "deflate", "br"] {
            assert_eq!(inflated(&headers(&[name]), &body, 100).unwrap(), body, "{name}");
        }
    }

    #[test]
    fn a_body_with_a_wrong_checksum_is_not_inflated() {
        let [gzip, ..] = packed(b"{\"code\":1000}");
        let mut body = gzip.to_vec();
        let place = body.len() - 6;
        body[place] ^= 1;
        let body = Bytes::from(body);
        assert_eq!(inflated(&headers(&["gzip"]), &body, 100).unwrap(), body);
    }

    #[test]
    fn other_encodings_are_named() {
        let other = |values: &[&'static str]| Encoding::of(&headers(values)).to_string();
        assert_eq!(other(&["br"]), r#""br""#);
        assert_eq!(other(&["gzip, zstd"]), r#""gzip, zstd""#);
        assert_eq!(other(&["gzip", "gzip"]), r#""gzip, gzip""#);
        assert_eq!(Encoding::of(&headers(&["identity", ""])), Encoding::None);
    }
}
