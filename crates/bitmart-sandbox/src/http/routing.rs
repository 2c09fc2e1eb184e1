//! Which route a request is for.

use hyper::Method as HttpMethod;

use crate::{
    exchange::refusal::{Refusal, refuse},
    generated::{Codes, Host, Method, Route, routes},
    hints, retired,
};

/// The route of a path and method on a host.
pub(super) fn find(host: Host, path: &str, method: &HttpMethod) -> Result<&'static Route, Refusal> {
    let fits = |route: &Route| match route.method {
        Method::Get => method == HttpMethod::GET,
        Method::Post => method == HttpMethod::POST,
    };
    let here = |route: &&Route| route.path == path && (route.host == host || route.other_host);
    let error = match routes().find(here) {
        Some(route) if fits(route) => return Ok(route),
        Some(Route { codes: Codes::Account, .. }) => refuse(60030),
        Some(_) => refuse(57001),
        None => refuse(unknown(host, path)),
    };
    Err(match hints::path(host, path, method) {
        Some(why) => error.because(why),
        None => error,
    })
}

/// The code for a path that does not exist, or no longer.
fn unknown(host: Host, path: &str) -> u32 {
    match host {
        Host::Spot if retired::is_of_futures(path) => 30030,
        Host::Spot if retired::is_removed(path) => 30031,
        _ => 30000,
    }
}
