//! Access to the console: one-use codes, sessions, and the origin of a request.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use hyper::{
    HeaderMap, Method,
    header::{COOKIE, HOST, ORIGIN},
    http::request::Parts,
};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::{Flash, PATH};

/// How long a one-use code is valid.
const CODE_LIFETIME: Duration = Duration::from_secs(60);
/// Codes that wait to be used. A further one replaces the oldest.
const MAX_CODES: usize = 8;
/// Sessions. A further one ends the oldest.
const MAX_SESSIONS: usize = 16;

type Hash = [u8; 32];

/// Hashes are compared in place of secrets, since the duration of a comparison may reveal what is compared.
fn hash(secret: &str) -> Hash {
    Sha256::digest(secret).into()
}

fn random_hex() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::getrandom(&mut bytes)?;
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(digits.concat())
}

// A poisoned lock is not an error: no statement that changes the content can panic halfway.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The hashes of one-use codes, each with the time at which it becomes invalid.
#[derive(Debug, Default)]
pub(super) struct OneUseCodes(Mutex<VecDeque<(Hash, Instant)>>);

impl OneUseCodes {
    pub(super) fn issue(&self) -> Result<String, getrandom::Error> {
        let code = random_hex()?;
        let mut codes = lock(&self.0);
        codes.push_back((hash(&code), Instant::now() + CODE_LIFETIME));
        while codes.len() > MAX_CODES {
            codes.pop_front();
        }
        Ok(code)
    }

    /// Uses a code up. Returns whether it was valid.
    pub(super) fn redeem(&self, code: &str) -> bool {
        let (given, now) = (hash(code), Instant::now());
        let mut codes = lock(&self.0);
        codes.retain(|row| row.1 > now);
        let Some(at) = codes.iter().position(|row| row.0 == given) else { return false };
        codes.remove(at);
        true
    }
}

/// The identity of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionId(Hash);

/// The sessions of browsers.
#[derive(Debug)]
pub(super) struct Sessions {
    /// The name of the cookie. All ports of a machine share cookies, so that two sandboxes need different names.
    cookie: String,
    /// Oldest first, with the message for the next page of each.
    sessions: Mutex<VecDeque<(SessionId, Option<Flash>)>>,
}

impl Sessions {
    pub(super) fn new(port: u16) -> Self {
        Self { cookie: format!("bitmart_console_{port}"), sessions: Mutex::default() }
    }

    /// Begins a session and returns its cookie.
    pub(super) fn begin(&self) -> Result<String, getrandom::Error> {
        let secret = random_hex()?;
        let mut sessions = lock(&self.sessions);
        sessions.push_back((SessionId(hash(&secret)), None));
        while sessions.len() > MAX_SESSIONS {
            sessions.pop_front();
        }
        Ok(format!("{}={secret}; Path={PATH}; HttpOnly; SameSite=Strict", self.cookie))
    }

    pub(super) fn end(&self, session: SessionId) {
        lock(&self.sessions).retain(|row| row.0 != session);
    }

    /// The session of a request.
    pub(super) fn of(&self, headers: &HeaderMap) -> Option<SessionId> {
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = cookies.flat_map(|text| text.split(';'));
        let named = pairs.filter_map(|pair| pair.trim().split_once('='));
        let ours = named.filter(|(name, _)| *name == self.cookie);
        // A server at another port may have set a cookie with the same name, and a browser sends that first.
        let mut given = ours.map(|(_, secret)| SessionId(hash(secret)));
        let sessions = lock(&self.sessions);
        given.find(|given| sessions.iter().any(|row| row.0 == *given))
    }

    /// Stores a message for the next page of a session.
    pub(super) fn set_flash(&self, session: SessionId, flash: Flash) {
        if let Some(row) = lock(&self.sessions).iter_mut().find(|row| row.0 == session) {
            row.1 = Some(flash);
        }
    }

    pub(super) fn take_flash(&self, session: SessionId) -> Option<Flash> {
        lock(&self.sessions).iter_mut().find(|row| row.0 == session)?.1.take()
    }
}

/// Rejects requests of pages of another origin. A request that changes something has to name its origin, which every
/// browser sends with a POST. The `Host` was checked before.
pub(super) fn check_origin(head: &Parts) -> Result<(), &'static str> {
    let host = head.headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut origins = head.headers.get_all(ORIGIN).iter();
    let is_own = match (origins.next(), origins.next()) {
        (None, _) => head.method == Method::GET || head.method == Method::HEAD,
        (Some(origin), None) => origin.as_bytes() == format!("http://{host}").as_bytes(),
        _ => false,
    };
    let from = head.headers.get("sec-fetch-site").and_then(|value| value.to_str().ok());
    // A link of another page may lead here: the cookie is not sent then.
    let is_link = head.method == Method::GET
        && head.headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
    if is_own && (is_link || from.is_none_or(|from| from == "same-origin" || from == "none")) {
        return Ok(());
    }
    Err("the console is only for its own pages")
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_code_is_valid_for_a_minute() {
        let codes = OneUseCodes::default();
        let (in_time, too_late) = (codes.issue().expect("random"), codes.issue().expect("random"));
        tokio::time::advance(Duration::from_secs(59)).await;
        assert!(codes.redeem(&in_time));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!codes.redeem(&too_late));
    }

    /// Cookies are shared by all ports of a machine.
    #[test]
    fn a_foreign_cookie_with_the_same_name_does_not_end_a_session() {
        let sessions = Sessions::new(1);
        let cookie = sessions.begin().expect("random");
        let (own, _) = cookie.split_once(';').expect("attributes");
        let foreign = "bitmart_console_1=0123";
        let of = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(COOKIE, HeaderValue::from_str(value).expect("a value"));
            }
            sessions.of(&headers).is_some()
        };
        let (before, after) = (format!("{foreign}; {own}"), format!("{own}; {foreign}"));
        assert!(of(&[own]) && of(&[&before]) && of(&[&after]) && of(&[foreign, own]));
        assert!(!of(&[foreign]) && !of(&[]));
    }
}
