//! A request by method and path, documented or not.

use bitmart::rest::catalog::{self, EndpointEntry};
use bitmart::rest::endpoint::{Auth, Effect, Envelope, Host, Metadata, Method, Payload};
use clap::{Arg, ArgAction, ArgMatches};
use serde_json::value::RawValue;

use crate::endpoint::parameters;
use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::timezone::Zone;

/// Method, path and parameters, for commands that take any request.
pub(crate) fn arguments() -> [Arg; 4] {
    [
        Arg::new("method").required(true).value_name("METHOD").help("GET or POST"),
        Arg::new("path")
            .required(true)
            .value_name("PATH")
            .help("Such as /spot/quotation/v3/ticker, with or without ?NAME=VALUE&…"),
        Arg::new("parameters")
            .num_args(0..)
            .value_name("NAME=VALUE")
            .help("Parameters, for the query of a GET or the body of a POST; NAME:=JSON for values that are not strings"),
        Arg::new("futures")
            .long("futures")
            .action(ArgAction::SetTrue)
            .help("Send an undocumented path to the futures host [default: paths below /contract]"),
    ]
}

/// A request by method and path.
pub(crate) struct Request {
    /// The catalog entry; `None` for an undocumented path.
    pub(crate) entry: Option<&'static EndpointEntry>,
    pub(crate) metadata: &'static Metadata,
    /// The query of the given path.
    query: Vec<(String, String)>,
}

impl Request {
    /// Reads the arguments. An undocumented request is signed if there is a key.
    pub(crate) fn from_matches(matches: &ArgMatches, has_key: bool) -> Result<Self, Failure> {
        let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
        let method = match text("method").to_ascii_uppercase().as_str() {
            "GET" => Method::Get,
            "POST" => Method::Post,
            _ => return Err(Failure::usage("the method must be GET or POST")),
        };
        let (path, query) = text("path").split_once('?').unwrap_or((text("path"), ""));
        if !path.starts_with('/') {
            return Err(Failure::usage(format!("{path:?}: a path begins with /"))
                .with_advice("the host follows from --env"));
        }
        let query = pairs(query)?;
        if let Some(entry) = catalog::find_route(method, path) {
            return Ok(Self { entry: Some(entry), metadata: &entry.metadata, query });
        }
        // The program sends one request, so the leak is bounded.
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

    /// The given parameters. Days begin in `zone`.
    pub(crate) fn parameters(
        &self,
        matches: &ArgMatches,
        zone: &Zone,
    ) -> Result<Vec<(String, Json)>, Failure> {
        let given = matches.get_many::<String>("parameters").unwrap_or_default();
        given.map(|text| self.parameter(text, zone)).collect()
    }

    fn parameter(&self, text: &str, zone: &Zone) -> Result<(String, Json), Failure> {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.trim_end_matches(':').is_empty())
            .ok_or_else(|| {
                Failure::usage(format!("{text:?}: parameters have the form NAME=VALUE"))
            })?;
        let known = |name: &str| {
            let entry = self.entry?;
            entry.parameters.iter().find(|one| one.name.eq_ignore_ascii_case(name))
        };
        if let Some(name) = name.strip_suffix(':') {
            let value = Json::parse(value)
                .map_err(|_| Failure::usage(format!("{name}: the value after := is not JSON")))?;
            return Ok((known(name).map_or(name, |one| one.name).to_owned(), value));
        }
        match known(name) {
            Some(known) => Ok((known.name.to_owned(), parameters::value_in(zone, known, value)?)),
            None => Ok((name.to_owned(), Json::Text(value.to_owned()))),
        }
    }

    /// Fails if the checks of a withdrawal would not see what the exchange reads: parameters in the query, and names
    /// that are given twice.
    pub(crate) fn check_body_only(&self, parameters: &[(String, Json)]) -> Result<(), Failure> {
        if let Some((name, _)) = self.query.first() {
            return Err(Failure::usage(format!("{name}: a withdrawal has no query"))
                .with_advice("give the parameters after the path"));
        }
        for (index, (name, _)) in parameters.iter().enumerate() {
            if parameters[..index].iter().any(|(other, _)| other == name) {
                return Err(Failure::usage(format!("{name} is given twice")));
            }
        }
        Ok(())
    }

    /// Encodes the parameters for the wire, without validation.
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

/// Sets the body to a JSON text, unchanged.
pub(crate) fn set_body(payload: &mut Payload, text: String) -> Result<(), Failure> {
    // The error is dropped: it could quote the body.
    let body = RawValue::from_string(text).map_err(|_| Failure::usage("the body is not JSON"))?;
    payload.json(&body).map_err(|error| Failure::usage(chain(&error)))
}

/// The decoded pairs of a query.
fn pairs(query: &str) -> Result<Vec<(String, String)>, Failure> {
    let invalid =
        || Failure::usage(format!("{query:?} is not a query of the form NAME=VALUE&NAME=VALUE"));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').ok_or_else(invalid)?;
            Ok((
                percent_decoded(name).ok_or_else(invalid)?,
                percent_decoded(value).ok_or_else(invalid)?,
            ))
        })
        .collect()
}

/// Decodes `%` escapes; `None` if an escape is invalid or the result is not UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
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
    use super::{pairs, percent_decoded};

    #[test]
    fn decodes_what_payload_encodes() {
        let mut payload = bitmart::rest::endpoint::Payload::new();
        for (name, value) in [("symbol", "BTC_USDT"), ("note", "a b&c=d%é")] {
            payload.query(name, value);
        }
        let read = pairs(payload.query_text()).expect("a query");
        let read: Vec<_> =
            read.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(read, [("symbol", "BTC_USDT"), ("note", "a b&c=d%é")]);
        assert!(pairs("").is_ok_and(|pairs| pairs.is_empty()));
        assert!(pairs("symbol").is_err());
        for invalid in ["%", "%4", "%zz", "%ff"] {
            assert_eq!(percent_decoded(invalid), None, "{invalid}");
        }
    }
}
