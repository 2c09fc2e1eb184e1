//! Finds the route of a request.

use std::{collections::HashMap, sync::LazyLock};

use hyper::Method as HttpMethod;

use crate::{
    generated::{Codes, Host, Method, Route, routes},
    hints, retired,
    wire::error::{WireError, error},
};

/// The routes of each path, in the order of the description.
static BY_PATH: LazyLock<HashMap<&str, Vec<&Route>>> = LazyLock::new(|| {
    let mut by_path = HashMap::<_, Vec<_>>::new();
    for route in routes() {
        by_path.entry(route.path).or_default().push(route);
    }
    by_path
});

/// The route of a path and method on a host.
pub(super) fn find(
    host: Host,
    path: &str,
    method: &HttpMethod,
) -> Result<&'static Route, WireError> {
    let fits = |route: &Route| match route.method {
        // Every server has to support HEAD where it supports GET (RFC 9110, section 9.1). Hyper leaves out the body.
        Method::Get => [HttpMethod::GET, HttpMethod::HEAD].contains(method),
        Method::Post => method == HttpMethod::POST,
    };
    let mut routes_of_path = BY_PATH.get(path).into_iter().flatten().copied();
    let error = match routes_of_path.find(|route| route.host == host || route.other_host) {
        Some(route) if fits(route) => return Ok(route),
        Some(Route { codes: Codes::Account, .. }) => error(60030),
        Some(_) => error(57001),
        None => error(unknown(host, path)),
    };
    Err(match hints::path(host, path, method) {
        Some(reason) => error.with_reason(reason),
        None => error,
    })
}

/// The error code of a path that does not exist, or no longer exists.
fn unknown(host: Host, path: &str) -> u32 {
    match host {
        Host::Spot if retired::is_futures_path(path) => 30030,
        Host::Spot if retired::is_removed(path) => 30031,
        _ => 30000,
    }
}
