//! Keys, signatures and clocks: the second implementation of BitMart's signing, on purpose not
//! shared with the client crates.

mod forms;
mod why;

use std::{
    collections::{HashMap, hash_map::Entry},
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bitmart_sim::AccountId;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use self::why::Place;
use crate::{
    clock::Clock,
    keys::{ApiKey, Permission},
    wire::{
        error::{WireError, error},
        number,
    },
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

/// The headers that prove the identity of the caller.
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

/// A WebSocket login that failed, and why, for the developer of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Denied {
    pub(crate) error: LoginError,
    pub(crate) why: Option<String>,
}

impl From<LoginError> for Denied {
    fn from(error: LoginError) -> Self {
        Self { error, why: None }
    }
}

impl LoginError {
    fn because(self, why: String) -> Denied {
        Denied { error: self, why: Some(why) }
    }
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

    // Keys change under the lock of the state only, and a panic under that ends the sandbox.
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

    /// Why no key has this name.
    fn unknown(&self, given: &str) -> String {
        why::unknown_key(given, &self.all())
    }

    /// Every key, by name.
    fn all(&self) -> Vec<Arc<ApiKey>> {
        let mut keys: Vec<_> = self.read().known.values().cloned().collect();
        keys.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        keys
    }

    /// Why a signature is not that of a key over a timestamp and a body.
    fn wrong(
        &self,
        key: &ApiKey,
        (timestamp, body, sign): (&str, &[u8], &str),
        place: Place,
    ) -> String {
        let others = self.all();
        why::wrong_signature(&why::Attempt { key, others: &others, timestamp, body, sign, place })
    }

    fn find(&self, proof: Proof<'_>, now_ms: u64) -> Result<Arc<ApiKey>, WireError> {
        let key = proof.key.filter(|key| !key.is_empty()).ok_or_else(|| error(30001))?;
        let found = self.named(key).ok_or_else(|| error(30002).because(self.unknown(key)))?;
        if found.frozen {
            return Err(error(30003));
        }
        if found.is_expired(now_ms) {
            return Err(error(30011));
        }
        let is_welcome = |peer: IpAddr| found.addresses.contains(&peer);
        if !found.addresses.is_empty() && !proof.peer.is_some_and(is_welcome) {
            return Err(error(30010));
        }
        Ok(found)
    }

    /// Checks a request that only names its key.
    pub(crate) fn keyed(&self, proof: Proof<'_>, now_ms: u64) -> Result<Caller, WireError> {
        self.find(proof, now_ms).map(|key| caller(&key))
    }

    /// Checks a signed request: key, timestamp, then the signature over `timestamp#memo#body`.
    pub(crate) fn signed(
        &self,
        proof: Proof<'_>,
        body: &[u8],
        clock: Clock,
    ) -> Result<Caller, WireError> {
        let key = self.find(proof, clock.now_ms())?;
        let sign = proof.sign.filter(|sign| !sign.is_empty()).ok_or_else(|| error(30004))?;
        let text = proof.timestamp.filter(|text| !text.is_empty()).ok_or_else(|| error(30006))?;
        let sent = number::unsigned(text).ok_or_else(|| {
            error(30006)
                .saying("Header X-BM-TIMESTAMP must be long type")
                .because(why::no_timestamp(text, Place::Headers))
        })?;
        if sent.abs_diff(clock.facing(sent)) > WINDOW_MS {
            return Err(error(30007).because(why::stale(sent, clock, Place::Headers)));
        }
        if !verify(&key, text, body, sign) {
            let why = self.wrong(&key, (text, body, sign), Place::Headers);
            return Err(error(30005).because(why));
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
    ) -> Result<Caller, Denied> {
        if key.is_empty() {
            return Err(LoginError::EmptyKey.into());
        }
        let key =
            self.named(key).ok_or_else(|| LoginError::UnknownKey.because(self.unknown(key)))?;
        if key.frozen {
            return Err(LoginError::FrozenKey.into());
        }
        if key.is_expired(clock.now_ms()) {
            return Err(LoginError::ExpiredKey.into());
        }
        if timestamp.is_empty() {
            return Err(LoginError::EmptyTimestamp.into());
        }
        let sent = number::unsigned(timestamp).ok_or_else(|| {
            LoginError::InvalidTimestamp.because(why::no_timestamp(timestamp, Place::Login))
        })?;
        if sent.abs_diff(clock.facing(sent)) > WINDOW_MS {
            return Err(LoginError::StaleTimestamp.because(why::stale(sent, clock, Place::Login)));
        }
        if sign.is_empty() {
            return Err(LoginError::EmptySign.into());
        }
        if verify(&key, timestamp, LOGIN_BODY, sign) {
            Ok(caller(&key))
        } else {
            let why = self.wrong(&key, (timestamp, LOGIN_BODY, sign), Place::Login);
            Err(LoginError::WrongSign.because(why))
        }
    }
}

/// The narrower window of endpoints that take `recvWindow`.
pub(crate) fn check_recv_window(
    requested: Option<&serde_json::Value>,
    timestamp: Option<&str>,
    clock: Clock,
) -> Result<(), WireError> {
    let window = match requested {
        None | Some(serde_json::Value::Null) => RECV_WINDOW_DEFAULT_MS,
        Some(value) => value
            .as_i64()
            .ok_or_else(|| error(30007).saying("Param recvWindow must be long type"))?,
    };
    if window <= 0 || window > RECV_WINDOW_MAX_MS {
        return Err(
            error(30007).saying("Param recvWindow must be less than 60000 and greater than 0")
        );
    }
    let sent = timestamp.and_then(number::unsigned).unwrap_or(0);
    let now_ms = clock.facing(sent);
    let late = now_ms.saturating_sub(sent) > window.unsigned_abs();
    if late || sent >= now_ms + AHEAD_MS {
        let by = why::length(now_ms.abs_diff(sent));
        let why = if late {
            format!("the request is {by} old, and its recvWindow is {window} ms")
        } else {
            format!(
                "X-BM-TIMESTAMP is {by} ahead of the clock of the sandbox, less than {AHEAD_MS} ms are allowed"
            )
        };
        return Err(error(30007).because(why).saying(
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
    keyed_hash(
        key.secret.as_bytes(),
        &[timestamp.as_bytes(), b"#", key.memo.as_bytes(), b"#", body],
    )
}

fn keyed_hash(secret: &[u8], parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac)
}

/// The signature of parts of a message, for finding out what was signed.
fn mac_of(secret: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    Some(keyed_hash(secret, parts)?.finalize().into_bytes().into())
}

/// What a client sends as its signature, for tests.
#[cfg(test)]
pub(crate) fn sign(key: &ApiKey, timestamp: &str, body: &[u8]) -> String {
    hex(&mac(key, timestamp, body).expect("any secret signs").finalize().into_bytes())
}

#[cfg(test)]
fn hex(bytes: &[u8]) -> String {
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
mod tests;
