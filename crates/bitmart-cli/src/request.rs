//! A request that is named by method and path, whether the catalogue knows it or not.

use bitmart::rest::catalog::{self, EndpointEntry};
use bitmart::rest::{Auth, Effect, Envelope, Host, Metadata, Method, Payload};
use clap::{Arg, ArgAction, ArgMatches};
use serde_json::value::RawValue;

use crate::endpoint::parameters;
use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::timezone::Zone;

/// Method, path and parameters, for the commands that take any request.
pub(crate) fn arguments() -> [Arg; 4] {
    [
        Arg::new("method").required(true).value_name("METHOD").help("GET or POST"),
        Arg::new("path")
            .required(true)
            .value_name("PATH")
            .help("As in /spot/quotation/v3/ticker, with or without ?NAME=VALUE&…"),
        Arg::new("parameters")
            .num_args(0..)
            .value_name("NAME=VALUE")
            .help("Parameters: of the query of a GET, of the body of a POST; NAME:=JSON for other than texts"),
        Arg::new("futures")
            .long("futures")
            .action(ArgAction::SetTrue)
            .help("A path of the futures host that no document names [default: those below /contract]"),
    ]
}

/// A request by method and path.
pub(crate) struct Request {
    /// What the catalogue knows of it.
    pub(crate) entry: Option<&'static EndpointEntry>,
    pub(crate) metadata: &'static Metadata,
    /// What stands behind the question mark of its path.
    query: Vec<(String, String)>,
}

impl Request {
    /// The request that is named. One that no document names is signed if there is a key.
    pub(crate) fn read(matches: &ArgMatches, has_key: bool) -> Result<Self, Failure> {
        let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
        let method = match text("method").to_ascii_uppercase().as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => return Err(Failure::usage("the exchange takes GET and POST")),
        };
        let (path, query) = text("path").split_once('?').unwrap_or((text("path"), ""));
        if !path.starts_with('/') {
            return Err(Failure::usage(format!("{path:?}: a path begins with /"))
                .with_advice("the host is that of --env"));
        }
        let query = pairs(query)?;
        if let Some(entry) = catalog::find_route(method, path) {
            return Ok(Self { entry: Some(entry), metadata: &entry.metadata, query });
        }
        // Lives as long as the program, which sends one request.
        let path: &'static str = Box::leak(path.to_owned().into_boxed_str());
        let futures = matches.get_flag("futures") || path.starts_with("/contract/");
        let host = if futures { Host::Futures } else { Host::Spot };
        let effect = if method == Method::Get { Effect::Read } else { Effect::Account };
        let metadata = Metadata::new(path, method, host, path)
            .auth(if has_key { Auth::Signed } else { Auth::None })
            .effect(effect)
            .envelope(Envelope::None);
        Ok(Self { entry: None, metadata: Box::leak(Box::new(metadata)), query })
    }

    /// The parameters that were given. Days begin where the zone is.
    pub(crate) fn parameters(
        &self,
        matches: &ArgMatches,
        zone: &Zone,
    ) -> Result<Vec<(String, Json)>, Failure> {
        let given = matches.get_many::<String>("parameters").unwrap_or_default();
        given.map(|word| self.parameter(word, zone)).collect()
    }

    fn parameter(&self, word: &str, zone: &Zone) -> Result<(String, Json), Failure> {
        let (name, value) = word
            .split_once('=')
            .filter(|(name, _)| !name.trim_end_matches(':').is_empty())
            .ok_or_else(|| Failure::usage(format!("{word:?}: parameters are NAME=VALUE")))?;
        if let Some(name) = name.strip_suffix(':') {
            let value = Json::read(value)
                .map_err(|_| Failure::usage(format!("{name}: what follows := is no JSON")))?;
            return Ok((name.to_owned(), value));
        }
        let known = self.entry.and_then(|entry| {
            entry.parameters.iter().find(|one| one.name.eq_ignore_ascii_case(name))
        });
        match known {
            Some(known) => Ok((known.name.to_owned(), parameters::value_in(zone, known, value)?)),
            None => Ok((name.to_owned(), Json::Text(value.to_owned()))),
        }
    }

    /// The parameters as the wire wants them, unchecked.
    pub(crate) fn payload(&self, parameters: &[(String, Json)]) -> Result<Payload, Failure> {
        let mut payload = Payload::new();
        for (name, value) in &self.query {
            payload.query(name, value);
        }
        if self.metadata.method == Method::Get {
            for (name, value) in parameters {
                payload.query(name, value.cell());
            }
        } else if !parameters.is_empty() {
            set_body(&mut payload, Json::Object(parameters.to_vec()).to_string())?;
        }
        Ok(payload)
    }
}

/// Puts a text of JSON into the body, as it stands.
pub(crate) fn set_body(payload: &mut Payload, text: String) -> Result<(), Failure> {
    // The error quotes nothing of it.
    let body = RawValue::from_string(text).map_err(|_| Failure::usage("the body is no JSON"))?;
    payload.json(&body).map_err(|error| Failure::usage(chain(&error)))
}

/// The pairs of a query, with what is escaped in them.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Failure> {
    let broken = || Failure::usage(format!("{query:?} is no query: NAME=VALUE&NAME=VALUE"));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').ok_or_else(broken)?;
            Ok((unescaped(name).ok_or_else(broken)?, unescaped(value).ok_or_else(broken)?))
        })
        .collect()
}

/// A text without its `%` escapes; `None` where they are none, or no text comes of them.
fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::{pairs, unescaped};

    #[test]
    fn a_query_is_read_as_it_is_written() {
        let mut payload = bitmart::rest::Payload::new();
        for (name, value) in [("symbol", "BTC_USDT"), ("note", "a b&c=d%é")] {
            payload.query(name, value);
        }
        let read = pairs(payload.query_text()).expect("a query");
        let read: Vec<_> =
            read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("symbol", "BTC_USDT"), ("note", "a b&c=d%é")]);
        assert!(pairs("").is_ok_and(|pairs| pairs.is_empty()));
        assert!(pairs("symbol").is_err());
        for broken in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(unescaped(broken), None, "{broken}");
        }
    }
}
