//! The checks of a request, in the order of the exchange.

use std::net::IpAddr;

use hyper::{HeaderMap, header, http::request::Parts};
use serde_json::{Map, Value};

use super::duplicates;
use crate::{
    auth::{AuthHeaders, Caller, check_recv_window},
    generated::{Auth, Codes, Group, Method, Route, Scope},
    keys::Permission,
    long_numbers,
    rate_limits::{Client, Usage},
    shared::Shared,
    wire::{
        error::{WireError, error},
        params::{Params, RECV_WINDOW},
        parse_number,
    },
};

/// Checks the rate limit of the address, key and signature, the rate limit of the key, permission, recvWindow and
/// parameters. `usage` is set as soon as the request is counted.
pub(super) fn check(
    shared: &Shared,
    route: &'static Route,
    peer: IpAddr,
    head: &Parts,
    body: &[u8],
    usage: &mut Option<Usage>,
) -> Result<(Option<Caller>, Params), WireError> {
    let clock = shared.clock();
    let now_ms = clock.now_ms();
    let limit = route.limit;
    // Counts the request of a client; the error if it is over a limit.
    let mut count = |client: &Client| {
        let limit = limit?;
        let mut limits = shared.limits();
        let counted = limits.count(route.id, client, limit, now_ms);
        *usage = Some(counted);
        let code = match (limits.is_banned(client, now_ms), counted.is_exceeded()) {
            (true, _) => 30017,
            (false, true) => 30013,
            (false, false) => return None,
        };
        shared.config.rate_limits.then(|| error(code))
    };
    if limit.is_some_and(|limit| limit.scope == Scope::Ip) {
        count(&Client::Address(peer)).map_or(Ok(()), Err)?;
    }
    let auth_headers = auth_headers(&head.headers, peer);
    let caller = match route.auth {
        Auth::None => None,
        Auth::Keyed => Some(shared.keys.check_key(auth_headers, now_ms)?),
        Auth::Signed => {
            let signed = shared.keys.check_signature(auth_headers, body, clock);
            Some(signed.map_err(|error| clock_error(error, route, auth_headers, now_ms))?)
        }
    };
    if let (Some(caller), Some(limit)) = (&caller, limit) {
        let client = match limit.scope {
            Scope::Ip => None,
            Scope::Key => Some(Client::Key(caller.key.key.clone())),
            Scope::Uid => Some(Client::Account(caller.account.0)),
        };
        client.and_then(|client| count(&client)).map_or(Ok(()), Err)?;
    }
    check_permission(route, caller.as_ref())?;
    let params = params(route, head, body)?;
    if route.params.iter().any(|param| param.name == RECV_WINDOW) {
        check_recv_window(params.raw(RECV_WINDOW), auth_headers.timestamp, clock)?;
    }
    if !shared.config.lenient {
        params.reject_unknown(route.params, route.undocumented)?;
        let duplicate = match route.method {
            Method::Get => duplicates::in_query(head.uri.query().unwrap_or_default()),
            Method::Post => duplicates::in_json(&long_numbers::quoted(body), params.values()),
        };
        if let Some(name) = duplicate {
            return Err(params.duplicate(&name));
        }
        params.reject_malformed(route.params)?;
    }
    Ok((caller, params))
}

/// The error for a timestamp that is off. Futures have separate codes, as clients report, but no source states when
/// each is sent. Here 40039 is for a timestamp that is behind, 40013 for one that is ahead.
fn clock_error(
    rejection: WireError,
    route: &Route,
    auth_headers: AuthHeaders<'_>,
    now_ms: u64,
) -> WireError {
    if rejection.code != 30007 || route.codes != Codes::Futures {
        return rejection;
    }
    let sent = auth_headers.timestamp.and_then(parse_number::unsigned).unwrap_or(0);
    WireError { reason: rejection.reason, ..error(if sent < now_ms { 40039 } else { 40013 }) }
}

fn auth_headers(headers: &HeaderMap, peer: IpAddr) -> AuthHeaders<'_> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    AuthHeaders {
        key: text("x-bm-key"),
        sign: text("x-bm-sign"),
        timestamp: text("x-bm-timestamp"),
        peer: Some(peer),
    }
}

fn check_permission(route: &Route, caller: Option<&Caller>) -> Result<(), WireError> {
    let Some(caller) = caller else { return Ok(()) };
    let permissions = &caller.key.permissions;
    let allowed = match route.permission.and_then(Permission::named) {
        Some(needed) => permissions.contains(&needed),
        None => !route.changes || may_change(route.group, permissions),
    };
    allowed.then_some(()).ok_or_else(|| error(30012))
}

/// Whether a key may call an endpoint that changes something and is in no published table of permissions. This is
/// invented, so that a key that is read-only changes nothing: orders, positions and settings of a market need the
/// permission to trade there, everything else any permission but that to read.
fn may_change(group: Group, permissions: &[Permission]) -> bool {
    match group {
        Group::SpotTrading | Group::SpotAlgo => permissions.contains(&Permission::SpotTrade),
        Group::FuturesTrading | Group::FuturesPlan | Group::FuturesAccount => {
            permissions.contains(&Permission::FutureTrade)
        }
        _ => permissions.iter().any(|permission| *permission != Permission::ReadOnly),
    }
}

/// Reads the parameters from the query or from the body.
pub(super) fn params(route: &Route, head: &Parts, body: &[u8]) -> Result<Params, WireError> {
    if route.method == Method::Get {
        return Ok(Params::from_query(head.uri.query().unwrap_or_default(), route.codes));
    }
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    if content_type
        .is_some_and(|text| !text.trim_start().to_ascii_lowercase().starts_with("application/json"))
    {
        return Err(error(if route.codes == Codes::Account { 60031 } else { 58001 }));
    }
    let body = long_numbers::quoted(body);
    let values: Map<String, Value> = serde_json::from_slice(&body).map_err(|_| error(30018))?;
    Ok(Params::new(values, route.codes))
}
