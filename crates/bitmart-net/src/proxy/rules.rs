//! Which proxy is for which host.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

use super::{Proxy, Unfit};
use crate::Target;

/// Proxies for hosts with and without TLS, and the hosts that are reached without one.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    plain: Option<Arc<Proxy>>,
    tls: Option<Arc<Proxy>>,
    except: Option<Arc<Matcher>>,
    /// Hosts of this machine are reached through a proxy as well.
    pub(crate) loopback: bool,
}

impl Rules {
    /// The same proxy for every host.
    pub(crate) fn all(proxy: Arc<Proxy>, except: &str) -> Self {
        Self { plain: Some(Arc::clone(&proxy)), tls: Some(proxy), ..Self::default() }.except(except)
    }

    /// As the variables say that `get` reads, in the order of curl: the lower-case name first, an
    /// empty value is none, and `HTTP_PROXY` does not count, for a web server sets it from a header of
    /// whoever asks.
    pub(crate) fn read(
        get: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, (&'static str, Unfit)> {
        let first = |names: &[&'static str]| {
            let mut found = names.iter().filter_map(|&name| {
                get(name).filter(|value| !value.trim().is_empty()).map(|value| (name, value))
            });
            found.next()
        };
        let proxy = |names: &[&'static str]| match first(names) {
            Some((name, value)) => {
                Proxy::parse(&value, name).map(Some).map_err(|unfit| (name, unfit))
            }
            None => Ok(None),
        };
        let all = ["all_proxy", "ALL_PROXY"];
        let plain = match proxy(&["http_proxy"])? {
            Some(found) => Some(found),
            None => proxy(&all)?,
        };
        let tls = match proxy(&["https_proxy", "HTTPS_PROXY"])? {
            Some(found) => Some(found),
            None => proxy(&all)?,
        };
        let except = first(&["no_proxy", "NO_PROXY"]).map(|(_, list)| list).unwrap_or_default();
        Ok(Self { plain, tls, ..Self::default() }.except(&except))
    }

    /// Without the proxies for these hosts. curl takes blanks between patterns as well, and a star for
    /// every host, which hyper-util takes for every name.
    fn except(self, patterns: &str) -> Self {
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
        Self { except: Some(Arc::new(matcher)), ..self }
    }

    /// The proxy for `target`, if there is to be one.
    pub(crate) fn proxy_for(&self, target: &Target) -> Option<&Arc<Proxy>> {
        let proxy = if target.is_tls() { &self.tls } else { &self.plain }.as_ref()?;
        let host = target.host().trim_end_matches('.');
        if !self.loopback && is_loopback(host) {
            return None;
        }
        let Some(except) = &self.except else { return Some(proxy) };
        let uri: Uri = Target::new(host, target.port(), true).to_string().parse().ok()?;
        let uri = Uri::builder().scheme("https").authority(uri.authority()?.as_str());
        let uri = uri.path_and_query("/").build().ok()?;
        except.intercept(&uri).map(|_| proxy)
    }

    /// Every proxy that may be used.
    pub(crate) fn proxies(&self) -> impl Iterator<Item = &Arc<Proxy>> {
        self.plain.iter().chain(&self.tls)
    }
}

/// A host of this machine: `localhost`, a name below it, or an address of the loopback.
pub(crate) fn is_loopback(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules")
            .field("plain", &self.plain)
            .field("tls", &self.tls)
            .field("has_exceptions", &self.except.is_some())
            .field("loopback", &self.loopback)
            .finish()
    }
}

#[cfg(test)]
mod tests;
