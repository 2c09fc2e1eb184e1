//! Selection of the proxy for a host.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::{Proxy, ProxyParseError};
use crate::Target;

/// Proxies for hosts with and without TLS, and the hosts that are reached without one.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    without_tls: Option<Arc<Proxy>>,
    with_tls: Option<Arc<Proxy>>,
    exceptions: Option<Arc<Matcher>>,
    /// Loopback hosts are reached through the proxy as well.
    pub(crate) proxy_loopback: bool,
}

impl Rules {
    /// The same proxy for all hosts.
    pub(crate) fn all(proxy: Arc<Proxy>, exceptions: &str) -> Self {
        Self { without_tls: Some(Arc::clone(&proxy)), with_tls: Some(proxy), ..Self::default() }
            .with_exceptions(exceptions)
    }

    /// Reads the proxy variables with the precedence of curl: the lower-case name first, an empty value
    /// counts as not set. `HTTP_PROXY` is ignored because CGI servers set it from a request header.
    pub(crate) fn from_variables(
        get: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, (&'static str, ProxyParseError)> {
        let first_set = |names: &[&'static str]| {
            let mut set = names.iter().filter_map(|&name| {
                get(name).filter(|value| !value.trim().is_empty()).map(|value| (name, value))
            });
            set.next()
        };
        let proxy = |names: &[&'static str]| match first_set(names) {
            Some((name, value)) => {
                Proxy::parse(&value, name).map(Some).map_err(|error| (name, error))
            }
            None => Ok(None),
        };
        let all = ["all_proxy", "ALL_PROXY"];
        let without_tls = match proxy(&["http_proxy"])? {
            Some(proxy) => Some(proxy),
            None => proxy(&all)?,
        };
        let with_tls = match proxy(&["https_proxy", "HTTPS_PROXY"])? {
            Some(proxy) => Some(proxy),
            None => proxy(&all)?,
        };
        let exceptions =
            first_set(&["no_proxy", "NO_PROXY"]).map(|(_, list)| list).unwrap_or_default();
        Ok(Self { without_tls, with_tls, ..Self::default() }.with_exceptions(&exceptions))
    }

    /// Excludes hosts. As with curl, patterns may be separated by whitespace, and `*` excludes all
    /// hosts; hyper-util would not apply it to IP addresses.
    fn with_exceptions(self, patterns: &str) -> Self {
        let patterns = patterns.split([',', ' ', '\t', '\n', '\r']);
        let patterns: Vec<_> = patterns
            .filter(|part| !part.is_empty())
            .map(|part| part.trim_end_matches('.'))
            .collect();
        if patterns.contains(&"*") {
            return Self::default();
        }
        if patterns.is_empty() {
            return self;
        }
        let matcher = Matcher::builder().all("http://proxy").no(patterns.join(",")).build();
        Self { exceptions: Some(Arc::new(matcher)), ..self }
    }

    /// Returns the proxy for `target`, if any.
    pub(crate) fn proxy_for(&self, target: &Target) -> Option<&Arc<Proxy>> {
        let proxy = if target.is_tls() { &self.with_tls } else { &self.without_tls }.as_ref()?;
        let host = target.host().trim_end_matches('.');
        if !self.proxy_loopback && is_loopback(host) {
            return None;
        }
        let Some(exceptions) = &self.exceptions else { return Some(proxy) };
        let uri: Uri = Target::tls(host, target.port()).to_string().parse().ok()?;
        let uri = Uri::builder().scheme("https").authority(uri.authority()?.as_str());
        let uri = uri.path_and_query("/").build().ok()?;
        exceptions.intercept(&uri).map(|_| proxy)
    }

    /// Returns all configured proxies.
    pub(crate) fn proxies(&self) -> impl Iterator<Item = &Arc<Proxy>> {
        self.without_tls.iter().chain(&self.with_tls)
    }
}

/// Whether the host is `localhost`, a subdomain of it, or a loopback address.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("without_tls", &self.without_tls)
            .field("with_tls", &self.with_tls)
            .field("has_exceptions", &self.exceptions.is_some())
            .field("proxy_loopback", &self.proxy_loopback)
            .finish()
    }
}

#[cfg(test)]
mod tests;
