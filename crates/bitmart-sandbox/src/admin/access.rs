//! Access control of the admin API: the bearer token, and the headers `Host` and `Origin`.

use std::net::{IpAddr, SocketAddr};

use hyper::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, HOST, ORIGIN},
    http::{request::Parts, uri::Authority},
};
use sha2::{Digest, Sha256};

use super::problem::Problem;

/// Length of a token in bytes, before it is written in hexadecimal digits.
const BYTES: usize = 32;

/// The bearer token of the admin API. It is random and not derived from the seed, which is public in tests. It
/// has no `Debug`, because it is a secret.
#[derive(Clone)]
pub(crate) struct Token(String);

impl Token {
    /// A token of 64 hexadecimal digits, made of random bytes of the operating system.
    pub(crate) fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; BYTES];
        getrandom::getrandom(&mut bytes)?;
        let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self(digits.concat()))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Compares hashes, so that the duration of the comparison does not reveal the token.
    pub(crate) fn is(&self, given: &str) -> bool {
        Sha256::digest(given) == Sha256::digest(&self.0)
    }
}

/// Whether an address is only reachable from this machine.
pub(crate) fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

/// The checks that a request has to pass before it is dispatched.
#[derive(Clone)]
pub(super) struct Access {
    pub(super) token: Token,
    /// Whether requests of other machines are allowed.
    pub(super) exposed: bool,
}

impl Access {
    /// Rejects requests of web pages and of other machines.
    pub(super) fn check_source(&self, head: &Parts) -> Result<(), Problem> {
        self.check_host(head)?;
        // A browser sends the origin of the page. No page may use the admin API.
        if head.headers.contains_key(ORIGIN) {
            let text = "the admin API is not for web pages";
            return Err(Problem::new(StatusCode::FORBIDDEN, text));
        }
        Ok(())
    }

    /// Checks the source and the token of a request.
    pub(super) fn check(&self, head: &Parts) -> Result<(), Problem> {
        self.check_source(head)?;
        if bearer(&head.headers).is_some_and(|given| self.token.is(given)) {
            return Ok(());
        }
        let text = "every call needs the header `Authorization: Bearer TOKEN` with the admin_token of the \
                    ready line; only GET /help, which describes the calls, does not";
        Err(Problem::new(StatusCode::UNAUTHORIZED, text))
    }

    /// Rejects foreign host names. With DNS rebinding a web page resolves its own name to this machine, and the
    /// browser then sends that name as `Host`.
    pub(super) fn check_host(&self, head: &Parts) -> Result<(), Problem> {
        let mut named = head.headers.get_all(HOST).iter();
        let (Some(host), None) = (named.next(), named.next()) else {
            return Err(Problem::bad("a call needs one Host header"));
        };
        let host = host.to_str().ok().and_then(|text| text.parse::<Authority>().ok());
        let fits = |authority: &Authority| self.is_allowed_host(authority);
        // The request line may contain the host as well.
        if host.as_ref().is_some_and(fits) && head.uri.authority().is_none_or(fits) {
            return Ok(());
        }
        let text = if self.exposed {
            "the Host header must be localhost or an IP address"
        } else {
            "the Host header must be localhost or a loopback address"
        };
        Err(Problem::new(StatusCode::FORBIDDEN, text))
    }

    fn is_allowed_host(&self, authority: &Authority) -> bool {
        if authority.as_str().contains('@') {
            return false;
        }
        let name = authority.host();
        if name.eq_ignore_ascii_case("localhost") {
            return true;
        }
        let bare = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
        let address = bare.parse::<IpAddr>();
        address.is_ok_and(|ip| self.exposed || ip.to_canonical().is_loopback())
    }
}

/// The token of the only `Authorization` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else { return None };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn access(exposed: bool) -> Access {
        Access { token: Token("secret".to_owned()), exposed }
    }

    fn status(access: &Access, uri: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = Request::get(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        access.check(&head).map_or_else(|problem| problem.status.as_u16(), |()| 200)
    }

    #[test]
    fn tokens_are_random_and_have_64_digits() {
        let [one, other] = [0; 2].map(|_| Token::generate().expect("random bytes"));
        assert_ne!(one.text(), other.text());
        assert_eq!(one.text().len(), 2 * BYTES);
    }

    #[test]
    fn requests_without_the_exact_token_are_rejected() {
        let access = access(false);
        let with = |given: &[&str]| {
            let mut headers = vec![("host", "localhost:8803")];
            headers.extend(given.iter().map(|value| ("authorization", *value)));
            status(&access, "/ledger", &headers)
        };
        assert_eq!(with(&["Bearer secret"]), 200);
        assert_eq!(with(&["bearer secret"]), 200);
        for given in [
            &[][..],
            &["secret"],
            &["Bearer"],
            &["Bearer "],
            &["Bearer secre"],
            &["Bearer secrets"],
            &["Bearer Secret"],
            &["Basic secret"],
            &["Bearer secret", "Bearer secret"],
        ] {
            assert_eq!(with(given), 401, "{given:?}");
        }
    }

    #[test]
    fn requests_with_a_foreign_host_name_are_rejected() {
        let call = |exposed, uri: &str, hosts: &[&str]| {
            let mut headers = vec![("authorization", "Bearer secret")];
            headers.extend(hosts.iter().map(|host| ("host", *host)));
            status(&access(exposed), uri, &headers)
        };
        for host in ["localhost", "LOCALHOST:8803", "127.0.0.1:8803", "127.8.9.1", "[::1]:8803"] {
            assert_eq!(call(false, "/", &[host]), 200, "{host}");
        }
        for host in [
            "evil.example:8803",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "a@localhost",
            "10.0.0.7:8803",
            "[fe80::1]",
            "",
        ] {
            assert_ne!(call(false, "/", &[host]), 200, "{host}");
        }
        assert_eq!(call(true, "/", &["10.0.0.7:8803"]), 200);
        assert_eq!(call(true, "/", &["evil.example:8803"]), 403);
        assert_eq!(call(false, "/", &[]), 400);
        assert_eq!(call(false, "/", &["localhost", "localhost"]), 400);
        assert_eq!(call(false, "http://evil.example/", &["localhost"]), 403);
        assert_eq!(call(false, "http://localhost:1/", &["localhost"]), 200);
    }

    #[test]
    fn only_loopback_addresses_are_local() {
        for (address, local) in [
            ("127.0.0.1:1", true),
            ("127.9.9.9:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("0.0.0.0:1", false),
            ("[::]:1", false),
            ("192.168.0.1:1", false),
        ] {
            assert_eq!(is_local(address.parse().expect("an address")), local, "{address}");
        }
    }
}
