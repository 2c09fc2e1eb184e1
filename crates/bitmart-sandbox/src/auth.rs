//! Keys, signatures and clocks: the second implementation of BitMart's signing, on purpose not
//! shared with the client crates.

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{
    clock::Clock,
    exchange::{
        AccountId,
        refusal::{Refusal, refuse},
    },
    keys::{ApiKey, Permission},
};

/// How far a timestamp may be from the clock of the exchange.
const WINDOW_MS: u64 = 60_000;
const RECV_WINDOW_DEFAULT_MS: i64 = 5_000;
const RECV_WINDOW_MAX_MS: i64 = 60_000;
/// How far a timestamp may be ahead when a recvWindow applies.
const AHEAD_MS: u64 = 1_000;
/// What a WebSocket login signs in place of a body.
const LOGIN_BODY: &[u8] = b"bitmart.WebSocket";

/// Whose request it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    pub(crate) key: String,
    pub(crate) permissions: Vec<Permission>,
}

/// The headers that prove who asks.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Proof<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) sign: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    /// Where the request comes from.
    pub(crate) peer: Option<IpAddr>,
}

/// Why a WebSocket login failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LoginError {
    EmptyKey,
    UnknownKey,
    FrozenKey,
    ExpiredKey,
    EmptySign,
    WrongSign,
    EmptyTimestamp,
    StaleTimestamp,
    InvalidTimestamp,
}

/// A key that was made at run time. Key and secret are no part of it: they follow from the seed and
/// its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MadeKey {
    account: u32,
    main: Option<u32>,
    permissions: Vec<Permission>,
    frozen: bool,
}

impl MadeKey {
    fn key(&self, seed: u64, number: usize) -> ApiKey {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        ApiKey {
            permissions: self.permissions.clone(),
            account: self.account,
            main: self.main,
            frozen: self.frozen,
            ..ApiKey::numbered(seed, number)
        }
    }
}

/// Every key the sandbox knows.
#[derive(Debug)]
pub(crate) struct KeyRing {
    seed: u64,
    keys: RwLock<Keys>,
}

#[derive(Debug)]
struct Keys {
    known: HashMap<String, Arc<ApiKey>>,
    /// In the order in which they were made; the first has number 1.
    made: Vec<MadeKey>,
    /// Those with a secret of their own that were added at run time.
    added: Vec<ApiKey>,
}

impl KeyRing {
    /// A ring with the configured keys, and those that were made at run time before a restore.
    pub(crate) fn new(seed: u64, keys: &[ApiKey], made: Vec<MadeKey>) -> Self {
        let again = made.iter().enumerate().map(|(at, row)| row.key(seed, at + 1));
        let known = again.chain(keys.iter().cloned());
        let known = known.map(|key| (key.key.clone(), Arc::new(key))).collect();
        Self { seed, keys: RwLock::new(Keys { known, made, added: Vec::new() }) }
    }

    /// Makes a key for an account.
    pub(crate) fn make(
        &self,
        account: u32,
        main: Option<u32>,
        permissions: Vec<Permission>,
    ) -> ApiKey {
        let mut keys = self.write();
        let made = MadeKey { account, main, permissions, frozen: false };
        let key = made.key(self.seed, keys.made.len() + 1);
        keys.made.push(made);
        keys.known.insert(key.key.clone(), Arc::new(key.clone()));
        key
    }

    /// Adds a key; false when there is one of that name.
    #[must_use]
    pub(crate) fn add(&self, key: ApiKey) -> bool {
        let Keys { known, added, .. } = &mut *self.write();
        match known.entry(key.key.clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                added.push(key.clone());
                place.insert(Arc::new(key));
                true
            }
        }
    }

    /// The keys with a secret of their own that were added at run time.
    pub(crate) fn added(&self) -> Vec<ApiKey> {
        self.read().added.clone()
    }

    /// The keys that were made at run time.
    pub(crate) fn made(&self) -> Vec<MadeKey> {
        self.read().made.clone()
    }

    // A panic elsewhere must not take the sandbox down: the keys are used as they stand.
    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of an account, by name.
    pub(crate) fn of(&self, account: AccountId) -> Vec<Arc<ApiKey>> {
        let keys = self.read();
        let mut keys: Vec<_> =
            keys.known.values().filter(|key| key.account == account.0).cloned().collect();
        keys.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        keys
    }

    fn named(&self, key: &str) -> Option<Arc<ApiKey>> {
        self.read().known.get(key).cloned()
    }

    fn find(&self, proof: Proof<'_>, now_ms: u64) -> Result<Arc<ApiKey>, Refusal> {
        let key = proof.key.filter(|key| !key.is_empty()).ok_or_else(|| refuse(30001))?;
        let found = self.named(key).ok_or_else(|| refuse(30002))?;
        if found.frozen {
            return Err(refuse(30003));
        }
        if found.is_expired(now_ms) {
            return Err(refuse(30011));
        }
        let is_welcome = |peer: IpAddr| found.addresses.contains(&peer);
        if !found.addresses.is_empty() && !proof.peer.is_some_and(is_welcome) {
            return Err(refuse(30010));
        }
        Ok(found)
    }

    /// Checks a request that only names its key.
    pub(crate) fn keyed(&self, proof: Proof<'_>, now_ms: u64) -> Result<Caller, Refusal> {
        self.find(proof, now_ms).map(|key| caller(&key))
    }

    /// Checks a signed request: key, timestamp, then the signature over `timestamp#memo#body`.
    pub(crate) fn signed(
        &self,
        proof: Proof<'_>,
        body: &[u8],
        clock: Clock,
    ) -> Result<Caller, Refusal> {
        let key = self.find(proof, clock.now_ms())?;
        let sign = proof.sign.filter(|sign| !sign.is_empty()).ok_or_else(|| refuse(30004))?;
        let text = proof.timestamp.filter(|text| !text.is_empty()).ok_or_else(|| refuse(30006))?;
        let sent: u64 = text
            .parse()
            .map_err(|_| refuse(30006).saying("Header X-BM-TIMESTAMP must be long type"))?;
        if sent.abs_diff(clock.facing(sent)) > WINDOW_MS {
            return Err(refuse(30007));
        }
        if !verify(&key, text, body, sign) {
            return Err(refuse(30005));
        }
        Ok(caller(&key))
    }

    /// Checks a WebSocket login.
    pub(crate) fn login(
        &self,
        key: &str,
        timestamp: &str,
        sign: &str,
        clock: Clock,
    ) -> Result<Caller, LoginError> {
        if key.is_empty() {
            return Err(LoginError::EmptyKey);
        }
        let key = self.named(key).ok_or(LoginError::UnknownKey)?;
        if key.frozen {
            return Err(LoginError::FrozenKey);
        }
        if key.is_expired(clock.now_ms()) {
            return Err(LoginError::ExpiredKey);
        }
        if timestamp.is_empty() {
            return Err(LoginError::EmptyTimestamp);
        }
        let sent: u64 = timestamp.parse().map_err(|_| LoginError::InvalidTimestamp)?;
        if sent.abs_diff(clock.facing(sent)) > WINDOW_MS {
            return Err(LoginError::StaleTimestamp);
        }
        if sign.is_empty() {
            return Err(LoginError::EmptySign);
        }
        if verify(&key, timestamp, LOGIN_BODY, sign) {
            Ok(caller(&key))
        } else {
            Err(LoginError::WrongSign)
        }
    }
}

/// The narrower window of endpoints that take `recvWindow`.
pub(crate) fn check_recv_window(
    asked: Option<&serde_json::Value>,
    timestamp: Option<&str>,
    clock: Clock,
) -> Result<(), Refusal> {
    let window = match asked {
        None | Some(serde_json::Value::Null) => RECV_WINDOW_DEFAULT_MS,
        Some(value) => value
            .as_i64()
            .ok_or_else(|| refuse(30007).saying("Param recvWindow must be long type"))?,
    };
    if window <= 0 || window > RECV_WINDOW_MAX_MS {
        return Err(
            refuse(30007).saying("Param recvWindow must be less than 60000 and greater than 0")
        );
    }
    let sent: u64 = timestamp.and_then(|text| text.parse().ok()).unwrap_or(0);
    let now_ms = clock.facing(sent);
    let late = now_ms.saturating_sub(sent) > window.unsigned_abs();
    if late || sent >= now_ms + AHEAD_MS {
        return Err(refuse(30007).saying(
            "Header X-BM-TIMESTAMP range. Timestamp for this request is outside of the recvWindow.",
        ));
    }
    Ok(())
}

fn caller(key: &ApiKey) -> Caller {
    Caller {
        account: AccountId(key.account),
        key: key.key.clone(),
        permissions: key.permissions.clone(),
    }
}

fn verify(key: &ApiKey, timestamp: &str, body: &[u8], sign: &str) -> bool {
    from_hex(sign)
        .zip(mac(key, timestamp, body))
        .is_some_and(|(given, mac)| mac.verify_slice(&given).is_ok())
}

fn mac(key: &ApiKey, timestamp: &str, body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.secret.as_bytes()).ok()?;
    for part in [timestamp.as_bytes(), b"#", key.memo.as_bytes(), b"#", body] {
        mac.update(part);
    }
    Some(mac)
}

/// What a client sends as its signature, for tests.
#[cfg(test)]
pub(crate) fn sign(key: &ApiKey, timestamp: &str, body: &[u8]) -> String {
    let bytes = mac(key, timestamp, body).expect("any secret signs").finalize().into_bytes();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// Lower case hex of 32 bytes, as documented; anything else is no signature.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let text: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = digit(text[2 * at])? << 4 | digit(text[2 * at + 1])?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "80618e45710812162b04892c7ee5ead4a3cc3e56";
    const SECRET: &str = "6c6c98544461bbe71db2bca4c6d7fd0021e0ba9efc215f9c6ad41852df9d9df9";

    fn at(now_ms: u64) -> Clock {
        Clock::Stepped { now_ms }
    }

    fn ring() -> KeyRing {
        let keys = [ApiKey::new(KEY, SECRET, "test001"), ApiKey::new("ice", "s", "m").frozen()];
        KeyRing::new(1, &keys, Vec::new())
    }

    /// The worked examples of BitMart's documents.
    #[test]
    fn documented_signatures_are_accepted() {
        let proof = Proof {
            key: Some(KEY),
            sign: Some("c31dc326bf87f38bfb49a3f8494961abfa291bd549d0d98d9578e87516cee46d"),
            timestamp: Some("1589793796145"),
            peer: None,
        };
        let body = br#"{"symbol":"BTC_USDT","price":"8600","count":"100"}"#;
        assert!(ring().signed(proof, body, at(1_589_793_796_145)).is_ok());
        assert_eq!(ring().signed(proof, b"{}", at(1_589_793_796_145)), Err(refuse(30005)));
        assert_eq!(ring().signed(proof, body, at(1_589_793_796_145 + 60_001)), Err(refuse(30007)));
        let sign = "3ceeb7e1b8cb165a975e28a2e2dfaca4d30b358873c0351c1a071d8c83314556";
        assert!(ring().login(KEY, "1589267764859", sign, at(1_589_267_764_859)).is_ok());
    }

    #[test]
    fn keys_made_at_run_time_are_made_again_from_what_is_remembered() {
        let ring = KeyRing::new(7, &[ApiKey::from_seed(7)], Vec::new());
        let (first, second) =
            (ring.make(1, None, vec![Permission::ReadOnly]), ring.make(2, Some(1), Vec::new()));
        assert!(first.key != second.key && first.key != ApiKey::from_seed(7).key);
        let again = KeyRing::new(7, &[ApiKey::from_seed(7)], ring.made());
        for key in [&first, &second] {
            assert_eq!(again.named(&key.key).as_deref(), Some(key));
        }
        assert_eq!(again.make(1, None, Vec::new()), ring.make(1, None, Vec::new()));
        assert!(!ring.add(first));
    }

    #[test]
    fn missing_headers_have_their_own_codes() {
        let code = |key, sign, timestamp| {
            let proof = Proof { key, sign, timestamp, peer: None };
            ring().signed(proof, b"{}", at(0)).map_err(|refusal| refusal.code)
        };
        assert_eq!(code(None, None, None), Err(30001));
        assert_eq!(code(Some("nobody"), None, None), Err(30002));
        assert_eq!(code(Some("ice"), None, None), Err(30003));
        assert_eq!(code(Some(KEY), Some(""), None), Err(30004));
        assert_eq!(code(Some(KEY), Some("x"), None), Err(30006));
        assert_eq!(code(Some(KEY), Some("x"), Some("noon")), Err(30006));
        assert_eq!(code(Some(KEY), Some("x"), Some("0")), Err(30005));
    }

    #[test]
    fn recv_window_has_its_four_texts() {
        let text = |asked: serde_json::Value, sent: &str| {
            check_recv_window(Some(&asked), Some(sent), at(100_000))
                .map_err(|refusal| refusal.message.into_owned())
        };
        assert_eq!(text(json!(5000), "95000"), Ok(()));
        assert!(
            text(json!(5000), "94999")
                .is_err_and(|text| text.contains("outside of the recvWindow"))
        );
        assert!(
            text(json!(5000), "101000")
                .is_err_and(|text| text.contains("outside of the recvWindow"))
        );
        assert!(text(json!("5000"), "100000").is_err_and(|text| text.contains("long type")));
        assert!(text(json!(0), "100000").is_err_and(|text| text.contains("greater than 0")));
        assert!(text(json!(60001), "100000").is_err_and(|text| text.contains("less than 60000")));
    }
}
