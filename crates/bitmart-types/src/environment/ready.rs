//! Environments from text: the ready line of a sandbox, and the variable `BITMART_ENVIRONMENT`.

use std::str::FromStr;
use std::{env, fmt};

use serde::Deserialize;

use super::{Environment, Service};
use crate::Roots;

/// Maximum length of a ready line, in bytes.
const MAX_LENGTH: usize = 64 * 1024;

/// The line that a sandbox prints when it is ready: its addresses, its API key and its root
/// certificate.
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
/// `Debug` shows neither key nor secret nor token.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct ReadyLine {
    spot: Host,
    futures: Host,
    credentials: ReadyKey,
    root_certificate: Option<String>,
    admin: Option<String>,
    admin_token: Option<String>,
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
    /// When it is longer than 64 KiB, not JSON, incomplete, or has an invalid address. The error does
    /// not quote the line, which contains a secret.
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

    /// The environment of the sandbox. It trusts only the root certificate of the line.
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
    /// The key of the sandbox's first account.
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
    /// The line has a root certificate, but this build cannot read PEM.
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

/// The error for a text that is not an environment. It does not quote the text, which may contain a
/// secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvironmentError {
    /// The variable `BITMART_ENVIRONMENT` is not set, or not text.
    NotSet,
    /// The text has none of the documented forms.
    Unknown,
    /// The address of a service in a list lacks its scheme or its host.
    Address(Service),
    /// The text begins like a ready line, but is not a valid one.
    ReadyLine(ReadyLineError),
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSet => {
                write!(f, "the environment variable {} is not set", Environment::VARIABLE)
            }
            Self::Unknown => f.write_str(
                "not an environment: it is live, futures-demo, the ready line of a sandbox with or \
                 without sandbox: in front, or a list such as spot_rest=https://...,futures_rest=https://...",
            ),
            Self::Address(service) => write!(
                f,
                "the address of the {service} service must begin with its scheme, such as https:// or \
                 wss://, and a host"
            ),
            Self::ReadyLine(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for EnvironmentError {}

impl From<ReadyLineError> for EnvironmentError {
    fn from(error: ReadyLineError) -> Self {
        Self::ReadyLine(error)
    }
}

impl Environment {
    /// Name of the environment variable that [`from_env`](Self::from_env) reads.
    pub const VARIABLE: &'static str = "BITMART_ENVIRONMENT";

    /// The environment of a sandbox, from the line that it prints when it is ready. [`ReadyLine`] has
    /// its key as well.
    ///
    /// # Errors
    /// As [`ReadyLine::parse`] and [`ReadyLine::environment`].
    pub fn from_ready_line(line: &str) -> Result<Self, ReadyLineError> {
        ReadyLine::parse(line)?.environment()
    }

    /// The environment in the variable `BITMART_ENVIRONMENT`, in one of the forms that
    /// [`from_str`](Self::from_str) reads. In a shell:
    /// `export BITMART_ENVIRONMENT="$(cat ~/.bitmart/sandbox/ready.json)"` after `bitmart sandbox up`.
    ///
    /// An unset variable is an error rather than the live exchange, so that a forgotten variable does
    /// not lead to trades with real money.
    ///
    /// # Errors
    /// When the variable is not set or its text is not an environment.
    pub fn from_env() -> Result<Self, EnvironmentError> {
        env::var(Self::VARIABLE).map_err(|_| EnvironmentError::NotSet)?.parse()
    }
}

/// Parses an environment:
///
/// | text | environment |
/// |---|---|
/// | `live` | [`live`](Self::live) |
/// | `demo`, `futures-demo` | [`futures_demo`](Self::futures_demo) |
/// | `{"spot":…}` or `sandbox:{"spot":…}` | the sandbox that printed this line |
/// | `spot_rest=https://…,futures_rest=https://…` | these addresses |
///
/// In a list of addresses the names are those of the fields of [`Environment`]: `spot_rest`,
/// `futures_rest`, `spot_ws_public`, `spot_ws_private`, `futures_ws_public` and `futures_ws_private`.
/// A service that is not listed does not exist. The environment's name is `custom`, and it trusts the
/// bundled roots.
///
/// ```
/// use bitmart_types::{Environment, Service};
///
/// assert_eq!("live".parse::<Environment>()?, Environment::live());
///
/// let gateway: Environment = "spot_rest=https://gateway.example/bitmart".parse()?;
/// assert_eq!(gateway.address(Service::SpotRest)?, "https://gateway.example/bitmart");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl FromStr for Environment {
    type Err = EnvironmentError;

    fn from_str(text: &str) -> Result<Self, EnvironmentError> {
        let text = text.trim();
        let line = text.strip_prefix("sandbox:").unwrap_or(text).trim_start();
        match text {
            "live" => Ok(Self::live()),
            "demo" | "futures-demo" => Ok(Self::futures_demo()),
            _ if line.starts_with('{') => Ok(Self::from_ready_line(line)?),
            _ if text.contains('=') => addresses(text),
            _ => Err(EnvironmentError::Unknown),
        }
    }
}

/// Parses `spot_rest=https://…,futures_rest=https://…`.
fn addresses(text: &str) -> Result<Environment, EnvironmentError> {
    text.split(',').try_fold(Environment::custom("custom"), |environment, entry| {
        let (name, address) = entry.split_once('=').ok_or(EnvironmentError::Unknown)?;
        let service = match name.trim() {
            "spot_rest" => Service::SpotRest,
            "futures_rest" => Service::FuturesRest,
            "spot_ws_public" => Service::SpotWsPublic,
            "spot_ws_private" => Service::SpotWsPrivate,
            "futures_ws_public" => Service::FuturesWsPublic,
            "futures_ws_private" => Service::FuturesWsPrivate,
            _ => return Err(EnvironmentError::Unknown),
        };
        let address = address.trim();
        if !has_scheme_and_host(service, address) {
            return Err(EnvironmentError::Address(service));
        }
        Ok(environment.with(service, address))
    })
}

fn has_scheme_and_host(service: Service, address: &str) -> bool {
    let schemes = match service {
        Service::SpotRest | Service::FuturesRest => ["http://", "https://"],
        _ => ["ws://", "wss://"],
    };
    let rest = schemes.iter().find_map(|scheme| address.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "CANARY-secret";

    fn line(rest: &str, certificate: &str) -> String {
        let host = |port: u16, rest: &str| {
            format!(
                r#"{{"rest":"{rest}","ws_public":"ws://127.0.0.1:{port}/api?protocol=1.1","ws_private":"ws://127.0.0.1:{port}/user?protocol=1.1"}}"#
            )
        };
        format!(
            r#"{{"admin":"http://127.0.0.1:3","admin_token":"CANARY-token","credentials":{{"key":"CANARY-key","memo":"m","secret":"{SECRET}"}},"futures":{},"root_certificate":{certificate},"spot":{},"later":1}}"#,
            host(2, "http://127.0.0.1:2"),
            host(1, rest),
        )
    }

    fn valid_line() -> String {
        line("http://127.0.0.1:1", "null")
    }

    #[test]
    fn a_ready_line_gives_addresses_key_and_roots() {
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

    #[test]
    fn parses_an_environment_from_a_name_or_a_ready_line() {
        let read = |text: &str| text.parse::<Environment>();
        assert_eq!(read("live"), Ok(Environment::live()));
        assert_eq!(read(" demo\n"), Ok(Environment::futures_demo()));
        assert_eq!(read("futures-demo"), Ok(Environment::futures_demo()));
        let sandbox = Environment::from_ready_line(&valid_line()).unwrap();
        assert_eq!(read(&valid_line()).as_ref(), Ok(&sandbox));
        assert_eq!(read(&format!("sandbox:{}", valid_line())), Ok(sandbox));
        for text in ["", "Live", "sandbox", "sandbox:", "http://127.0.0.1:1", "rest=http://a"] {
            assert_eq!(read(text), Err(EnvironmentError::Unknown), "{text}");
        }
        let broken = read("sandbox:{}").unwrap_err();
        assert_eq!(broken, EnvironmentError::ReadyLine(ReadyLineError::Malformed));
    }

    #[test]
    fn parses_an_environment_from_a_list_of_addresses() {
        let text = "spot_rest=https://a/b/, futures_ws_public=wss://c/api?protocol=1.1";
        let read: Environment = text.parse().unwrap();
        let expected = Environment::custom("custom")
            .with(Service::SpotRest, "https://a/b")
            .with(Service::FuturesWsPublic, "wss://c/api?protocol=1.1");
        assert_eq!(read, expected);
        for text in ["spot_rest=a", "spot_rest=wss://a", "spot_rest=https:///a", "spot_rest="] {
            let error = text.parse::<Environment>().unwrap_err();
            assert_eq!(error, EnvironmentError::Address(Service::SpotRest), "{text}");
        }
    }
}
