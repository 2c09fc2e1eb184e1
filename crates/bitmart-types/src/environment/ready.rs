//! The ready line of a sandbox, and the environment that it describes.

use std::fmt;

use serde::Deserialize;

use super::text::has_scheme_and_host;
use super::{Environment, Service};
use crate::Roots;

/// Maximum length of a ready line, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// The line that a sandbox prints when it accepts connections: its addresses, an API key, its root certificate if it
/// uses TLS, and address and token of its admin API if it has one.
///
/// ```
/// use bitmart_types::{ReadyLine, Service};
///
/// # let line = r#"{"spot":{"rest":"http://127.0.0.1:8801","ws_public":"ws://127.0.0.1:8801/api",
/// #   "ws_private":"ws://127.0.0.1:8801/user"},"futures":{"rest":"http://127.0.0.1:8802",
/// #   "ws_public":"ws://127.0.0.1:8802/api","ws_private":"ws://127.0.0.1:8802/user"},
/// #   "credentials":{"key":"k","secret":"s","memo":"m"},"root_certificate":null}"#;
/// let ready = ReadyLine::parse(line)?;
/// assert_eq!(ready.environment()?.address(Service::SpotRest)?, "http://127.0.0.1:8801");
/// // Credentials::new(ready.key(), ready.secret(), ready.memo())
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// `Debug` shows only the addresses of the REST hosts: no key, secret or token.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct ReadyLine {
    spot: Host,
    futures: Host,
    credentials: ReadyKey,
    root_certificate: Option<String>,
    admin: Option<String>,
    admin_token: Option<String>,
    /// Whether its public channels play a recording.
    #[serde(default)]
    replay: bool,
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
struct Host {
    rest: String,
    ws_public: String,
    ws_private: String,
}

#[derive(Clone, PartialEq, Eq, Deserialize)]
struct ReadyKey {
    key: String,
    secret: String,
    memo: String,
}

impl ReadyLine {
    /// Parses a ready line: one JSON object, possibly with blanks before and after it.
    ///
    /// # Errors
    /// When it is longer than 64 KiB, not JSON, incomplete, or has an invalid address of a service. The address of the
    /// admin API is not checked. The error does not quote the line, which contains a secret.
    pub fn parse(line: &str) -> Result<Self, ReadyLineError> {
        if line.len() > MAX_LENGTH {
            return Err(ReadyLineError::TooLong);
        }
        // The parser's message could quote the secret.
        let ready: Self =
            serde_json::from_str(line.trim()).map_err(|_| ReadyLineError::Malformed)?;
        for (service, address) in ready.addresses() {
            if !has_scheme_and_host(service, address) {
                return Err(ReadyLineError::Address(service));
            }
        }
        Ok(ready)
    }

    fn addresses(&self) -> [(Service, &str); 6] {
        [
            (Service::SpotRest, &self.spot.rest),
            (Service::SpotWsPublic, &self.spot.ws_public),
            (Service::SpotWsPrivate, &self.spot.ws_private),
            (Service::FuturesRest, &self.futures.rest),
            (Service::FuturesWsPublic, &self.futures.ws_public),
            (Service::FuturesWsPrivate, &self.futures.ws_private),
        ]
    }

    /// The environment of the sandbox: named `sandbox`, or `replay` if it plays a recording. It trusts only the root
    /// certificate of the line, and none if the line has none.
    ///
    /// # Errors
    /// When the root certificate is invalid, or the feature `pem` is disabled and there is one.
    pub fn environment(&self) -> Result<Environment, ReadyLineError> {
        let name = if self.replay { "replay" } else { "sandbox" };
        let mut environment = Environment::custom(name).with_roots(self.roots()?);
        for (service, address) in self.addresses() {
            environment = environment.with(service, address);
        }
        Ok(environment)
    }

    #[cfg(feature = "pem")]
    fn roots(&self) -> Result<Roots, ReadyLineError> {
        match &self.root_certificate {
            Some(pem) => Roots::none().with_pem(pem).map_err(|_| ReadyLineError::Certificate),
            None => Ok(Roots::none()),
        }
    }

    #[cfg(not(feature = "pem"))]
    fn roots(&self) -> Result<Roots, ReadyLineError> {
        match &self.root_certificate {
            Some(_) => Err(ReadyLineError::NoTls),
            None => Ok(Roots::none()),
        }
    }

    /// Base address of its spot REST host.
    pub fn spot_rest(&self) -> &str {
        &self.spot.rest
    }
    /// Base address of its futures REST host.
    pub fn futures_rest(&self) -> &str {
        &self.futures.rest
    }
    /// The API key in the line: the sandbox's first one.
    pub fn key(&self) -> &str {
        &self.credentials.key
    }
    /// The secret of that key. It is valid only at this sandbox.
    pub fn secret(&self) -> &str {
        &self.credentials.secret
    }
    /// The memo of that key.
    pub fn memo(&self) -> &str {
        &self.credentials.memo
    }
    /// The root certificate that clients must trust, in PEM; `None` without TLS.
    pub fn root_certificate(&self) -> Option<&str> {
        self.root_certificate.as_deref()
    }
    /// Address of its admin API, if it has one.
    pub fn admin(&self) -> Option<&str> {
        self.admin.as_deref()
    }
    /// The token of its admin API, sent as `Authorization: Bearer TOKEN`. Whoever has it controls the
    /// sandbox.
    pub fn admin_token(&self) -> Option<&str> {
        self.admin_token.as_deref()
    }
}

impl fmt::Debug for ReadyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadyLine")
            .field("spot", &self.spot.rest)
            .field("futures", &self.futures.rest)
            .finish_non_exhaustive()
    }
}

/// The error for a text that is not the ready line of a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadyLineError {
    /// Longer than 64 KiB.
    TooLong,
    /// Not JSON, or a member is missing.
    Malformed,
    /// The address of a service is invalid.
    Address(Service),
    /// The root certificate is not PEM.
    Certificate,
    /// The line has a root certificate, and the feature `pem` is disabled, without which it cannot be read.
    NoTls,
}

impl fmt::Display for ReadyLineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("the ready line is longer than 64 KiB"),
            Self::Malformed => f.write_str(
                "not the ready line of a sandbox: expected the JSON object with spot, futures and \
                 credentials that bitmart-sandbox prints",
            ),
            Self::Address(service) => {
                write!(f, "the ready line has no valid address of the {service} service")
            }
            Self::Certificate => f.write_str("the ready line's root_certificate is not PEM"),
            Self::NoTls => f.write_str(
                "the ready line has a root_certificate, but the feature `pem` is disabled",
            ),
        }
    }
}

impl std::error::Error for ReadyLineError {}

impl Environment {
    /// The environment of a sandbox, from the line that it prints when it is ready. [`ReadyLine`] has
    /// its key as well.
    ///
    /// # Errors
    /// As [`ReadyLine::parse`] and [`ReadyLine::environment`].
    pub fn from_ready_line(line: &str) -> Result<Self, ReadyLineError> {
        ReadyLine::parse(line)?.environment()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const SECRET: &str = "CANARY-secret";

    /// A ready line with this spot REST address, this JSON as `root_certificate`, and a member of a later version.
    fn line(spot_rest: &str, certificate: &str) -> String {
        let host = |port: u16, rest: &str| {
            format!(
                r#"{{"rest":"{rest}","ws_public":"ws://127.0.0.1:{port}/api?protocol=1.1","ws_private":"ws://127.0.0.1:{port}/user?protocol=1.1"}}"#
            )
        };
        format!(
            r#"{{"admin":"http://127.0.0.1:3","admin_token":"CANARY-token","credentials":{{"key":"CANARY-key","memo":"m","secret":"{SECRET}"}},"futures":{},"root_certificate":{certificate},"spot":{},"later":1}}"#,
            host(2, "http://127.0.0.1:2"),
            host(1, spot_rest),
        )
    }

    pub(in super::super) fn valid_line() -> String {
        line("http://127.0.0.1:1", "null")
    }

    #[test]
    fn a_ready_line_gives_name_addresses_key_and_no_roots_without_tls() {
        let environment = Environment::from_ready_line(&format!(" {}\n", valid_line())).unwrap();
        assert_eq!(environment.name, "sandbox");
        assert_eq!(environment.roots, Roots::none());
        for (service, address) in [
            (Service::SpotRest, "http://127.0.0.1:1"),
            (Service::SpotWsPublic, "ws://127.0.0.1:1/api?protocol=1.1"),
            (Service::SpotWsPrivate, "ws://127.0.0.1:1/user?protocol=1.1"),
            (Service::FuturesRest, "http://127.0.0.1:2"),
            (Service::FuturesWsPublic, "ws://127.0.0.1:2/api?protocol=1.1"),
            (Service::FuturesWsPrivate, "ws://127.0.0.1:2/user?protocol=1.1"),
        ] {
            assert_eq!(environment.address(service).unwrap(), address);
        }
        let ready = ReadyLine::parse(&valid_line()).unwrap();
        assert_eq!((ready.key(), ready.secret(), ready.memo()), ("CANARY-key", SECRET, "m"));
        assert_eq!((ready.admin(), ready.root_certificate()), (Some("http://127.0.0.1:3"), None));
        assert_eq!(ready.admin_token(), Some("CANARY-token"));
        assert!(!format!("{ready:?}").contains("CANARY"), "{ready:?}");
        let replay = valid_line().replace("\"later\":1", "\"replay\":true");
        assert_eq!(Environment::from_ready_line(&replay).unwrap().name, "replay");
    }

    #[test]
    fn errors_do_not_quote_the_ready_line() {
        let cut = valid_line()[..200].to_owned();
        for (text, error) in [
            (cut, ReadyLineError::Malformed),
            (valid_line().replace("\"spot\"", "\"sport\""), ReadyLineError::Malformed),
            (valid_line().replace(&format!("\"{SECRET}\""), "5"), ReadyLineError::Malformed),
            (line("127.0.0.1:1", "null"), ReadyLineError::Address(Service::SpotRest)),
            (line("ws://127.0.0.1:1", "null"), ReadyLineError::Address(Service::SpotRest)),
            (line("http:///", "null"), ReadyLineError::Address(Service::SpotRest)),
            (format!("{}{}", valid_line(), " ".repeat(MAX_LENGTH)), ReadyLineError::TooLong),
        ] {
            let found = Environment::from_ready_line(&text).unwrap_err();
            assert_eq!(found, error);
            assert!(!found.to_string().contains("CANARY"));
        }
    }

    #[cfg(feature = "pem")]
    #[test]
    fn the_root_certificate_of_the_ready_line_is_trusted() {
        let key = rcgen::KeyPair::generate().unwrap();
        let pem = rcgen::CertificateParams::default().self_signed(&key).unwrap().pem();
        let quoted = serde_json::to_string(&pem).unwrap();
        let environment =
            Environment::from_ready_line(&line("https://127.0.0.1:1", &quoted)).unwrap();
        assert_eq!(environment.roots, Roots::none().with_pem(&pem).unwrap());
        let broken = line("https://127.0.0.1:1", "\"no PEM\"");
        assert_eq!(Environment::from_ready_line(&broken), Err(ReadyLineError::Certificate));
    }
}
