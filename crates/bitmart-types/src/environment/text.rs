//! Environments from text: a name, a list of addresses, or a ready line, also in the variable
//! `BITMART_ENVIRONMENT`.

use std::str::FromStr;
use std::{env, fmt};

use super::ready::ReadyLineError;
use super::{Environment, Service};

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

pub(super) fn has_scheme_and_host(service: Service, address: &str) -> bool {
    let schemes = match service {
        Service::SpotRest | Service::FuturesRest => ["http://", "https://"],
        _ => ["ws://", "wss://"],
    };
    let rest = schemes.iter().find_map(|scheme| address.strip_prefix(scheme));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::super::ready::tests::valid_line;
    use super::*;

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
