//! Sends one or two requests to every endpoint that only reads.

use bitmart::rest::bytes::Bytes;
use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry, Presence};
use bitmart::rest::code::Category;
use bitmart::rest::endpoint::{Auth, Effect, Host, Payload};
use bitmart::rest::http::StatusCode;
use bitmart::rest::recording::Recording;
use bitmart::rest::{Client, ErrorKind};
use bitmart::types::Service;

use super::result_folder::ResultFolder;
use super::values::Values;
use crate::failure::{Failure, chain};
use crate::output::json::Json;
use crate::target::Target;

/// Number of rounds. In each, endpoints run whose parameters are known from earlier responses.
const ROUNDS: usize = 4;

/// Queries all endpoints, those without parameters first.
pub(super) async fn all(
    target: &Target,
    client: &Client,
    results: &mut ResultFolder,
) -> Result<Values, Failure> {
    let mut values = Values::default();
    let mut pending: Vec<&'static EndpointEntry> = Vec::new();
    for entry in ENDPOINTS.iter().filter(|entry| entry.metadata.effect == Effect::Read) {
        match unavailable(target, entry) {
            Some(reason) => results.skip(entry.metadata.id, reason),
            None => pending.push(entry),
        }
    }
    // Endpoints that need values come after those that may provide them.
    pending.sort_by_key(|entry| {
        entry.parameters.iter().filter(|one| one.presence == Presence::Required).count()
    });
    for round in 0..ROUNDS {
        let mut waiting = Vec::new();
        for entry in std::mem::take(&mut pending) {
            match endpoint(client, entry, &mut values, results).await? {
                None => {}
                Some(name) if round + 1 == ROUNDS => {
                    let reason = format!("no earlier response contained a value for `{name}`");
                    results.skip(entry.metadata.id, &reason);
                }
                Some(_) => waiting.push(entry),
            }
        }
        pending = waiting;
    }
    Ok(values)
}

fn unavailable(target: &Target, entry: &EndpointEntry) -> Option<&'static str> {
    let host = match entry.metadata.host {
        Host::Futures => Service::FuturesRest,
        _ => Service::SpotRest,
    };
    if target.environment.address(host).is_err() {
        return Some("this environment has no such host");
    }
    (entry.metadata.auth != Auth::None && target.credentials.is_none()).then_some("there is no key")
}

/// Queries an endpoint. Returns the name of a required parameter without a known value.
async fn endpoint(
    client: &Client,
    entry: &'static EndpointEntry,
    values: &mut Values,
    results: &mut ResultFolder,
) -> Result<Option<&'static str>, Failure> {
    use Presence::{Conditional, Optional, Required};

    let now = client.now();
    let mut requests: Vec<(Json, Payload)> = Vec::new();
    let mut invalid = None;
    // A request with the required parameters only, and one with further known parameters.
    for wanted in [&[Required][..], &[Required, Conditional], &[Required, Optional]] {
        let parameters = match values.parameters(entry, wanted, now) {
            Ok(parameters) => Json::Object(parameters),
            Err(name) => return Ok(Some(name)),
        };
        if requests.len() == 2 || requests.iter().any(|(known, _)| *known == parameters) {
            continue;
        }
        match entry.encode_request(&parameters.to_string()) {
            Ok(payload) => requests.push((parameters, payload)),
            Err(error) => invalid = Some(chain(&error)),
        }
    }
    if requests.is_empty() {
        match invalid {
            Some(error) => results.skip_after_error(entry.metadata.id, &error),
            None => results.skip(entry.metadata.id, "its parameters are not known"),
        }
    }
    for (parameters, payload) in requests {
        let (status, body) = match client.send_raw(&entry.metadata, payload).await {
            Ok(response) => (response.status, response.raw),
            // Further requests would prolong the ban.
            Err(error) if error.category() == Some(Category::Banned) => return Err(error.into()),
            Err(error) => {
                let response = error.status().zip(error.body().map(Bytes::copy_from_slice));
                if matches!(error.kind(), ErrorKind::Unexpected(_)) || response.is_none() {
                    // The text of these errors does not contain the body.
                    results.add_difference(entry.metadata.id, &chain(&error));
                }
                let Some(response) = response else { continue };
                response
            }
        };
        store(entry, parameters, status, &body, values, results)?;
    }
    Ok(None)
}

fn store(
    entry: &'static EndpointEntry,
    parameters: Json,
    status: StatusCode,
    body: &Bytes,
    values: &mut Values,
    results: &mut ResultFolder,
) -> Result<(), Failure> {
    let Some(response) = std::str::from_utf8(body).ok().and_then(|text| Json::parse(text).ok())
    else {
        results.add_difference(entry.metadata.id, "a response that is not JSON is not stored");
        return Ok(());
    };
    values.learn(entry, &response);
    let recording = Recording::new("bitmart probe", entry, parameters, status.as_u16(), response);
    results.add_call(entry, recording)
}
