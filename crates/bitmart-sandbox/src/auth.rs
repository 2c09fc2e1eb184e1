//! API keys, signatures and timestamps. This implementation of BitMart's signatures is independent of the client
//! crates, so that it can detect their mistakes.

mod body_variants;
mod diagnosis;
mod recv_window;
mod signature;

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use bitmart_sim::{AccountId, Exchange};
use serde::{Deserialize, Serialize};

pub(crate) use self::recv_window::check_recv_window;
#[cfg(test)]
pub(crate) use self::signature::sign;
use self::{
    diagnosis::Location,
    signature::{KeyedHash, keyed_hash, verify},
};
use crate::{
    clock::Clock,
    keys::{ApiKey, Permission},
    wire::{
        error::{WireError, error},
        parse_number,
    },
};

/// Maximum distance of a timestamp from the clock of the exchange.
const WINDOW_MS: u64 = 60_000;
/// The text that a WebSocket login signs in place of a body.
const LOGIN_BODY: &[u8] = b"bitmart.WebSocket";

/// The account and key that sent a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    pub(crate) key: Arc<ApiKey>,
}

/// The authentication headers of a request, and its source address.
#[derive(Clone, Copy, Default)]
pub(crate) struct AuthHeaders<'a> {
    pub(crate) key: Option<&'a str>,
    pub(crate) sign: Option<&'a str>,
    pub(crate) timestamp: Option<&'a str>,
    /// The IP address of the client.
    pub(crate) peer: Option<IpAddr>,
}

/// The reason for which a WebSocket login failed.
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

/// A rejected WebSocket login, with an explanation for the developer of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LoginRejection {
    pub(crate) error: LoginError,
    pub(crate) reason: Option<String>,
}

impl From<LoginError> for LoginRejection {
    fn from(error: LoginError) -> Self {
        Self { error, reason: None }
    }
}

impl LoginError {
    fn with_reason(self, reason: String) -> LoginRejection {
        LoginRejection { error: self, reason: Some(reason) }
    }
}

/// A key that was created at run time and derived from the seed. Its key and secret are not stored, because they
/// can be derived again from the seed and the number of the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DerivedKey {
    account: u32,
    main: Option<u32>,
    permissions: Vec<Permission>,
    frozen: bool,
}

impl DerivedKey {
    fn key(&self, seed: u64, number: usize) -> ApiKey {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        ApiKey {
            permissions: self.permissions.clone(),
            account: self.account,
            main: self.main,
            frozen: self.frozen,
            ..ApiKey::derive(seed, number)
        }
    }
}

/// The keys that are derived from the seed, in order of creation.
fn keys_of(seed: u64, derived: &[DerivedKey]) -> impl Iterator<Item = ApiKey> {
    derived.iter().enumerate().map(move |(at, row)| row.key(seed, at + 1))
}

/// The keys before a change.
#[derive(Debug)]
pub(crate) struct FormerKeys(Keys);

/// All API keys of the sandbox.
#[derive(Debug)]
pub(crate) struct KeyRing {
    seed: u64,
    keys: RwLock<Keys>,
}

struct Keys {
    /// All keys by their name, the `X-BM-KEY` of requests.
    known: HashMap<String, KnownKey>,
    /// In order of creation; the first has number 1.
    derived: Vec<DerivedKey>,
    /// Keys with given secrets that were added at run time.
    added: Vec<ApiKey>,
}

// With a name alone balances can be read, so that names are not shown either.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("known", &self.known.len()).finish_non_exhaustive()
    }
}

/// A key, and the state of HMAC after its secret, from which its signatures are computed.
#[derive(Clone)]
struct KnownKey {
    key: Arc<ApiKey>,
    keyed_hash: Option<KeyedHash>,
}

impl KnownKey {
    fn new(key: ApiKey) -> Self {
        Self { keyed_hash: keyed_hash(key.secret.as_bytes()), key: Arc::new(key) }
    }

    /// Whether a signature is that of a timestamp and body.
    fn has_signed(&self, timestamp: &str, body: &[u8], sign: &str) -> bool {
        let keyed_hash = self.keyed_hash.as_ref();
        keyed_hash.is_some_and(|hash| verify(hash, &self.key.memo, timestamp, body, sign))
    }

    fn caller(&self) -> Caller {
        Caller { account: AccountId(self.key.account), key: Arc::clone(&self.key) }
    }
}

impl KeyRing {
    /// Creates a key ring with the configured keys and the derived keys of a snapshot.
    pub(crate) fn new(seed: u64, keys: &[ApiKey], derived: Vec<DerivedKey>) -> Self {
        let known = keys_of(seed, &derived).chain(keys.iter().cloned());
        let known = known.map(|key| (key.key.clone(), KnownKey::new(key))).collect();
        Self { seed, keys: RwLock::new(Keys { known, derived, added: Vec::new() }) }
    }

    /// Derives a new key for an account.
    pub(crate) fn derive(
        &self,
        account: u32,
        main: Option<u32>,
        permissions: Vec<Permission>,
    ) -> ApiKey {
        let mut keys = self.write();
        let derived = DerivedKey { account, main, permissions, frozen: false };
        let key = derived.key(self.seed, keys.derived.len() + 1);
        keys.derived.push(derived);
        keys.known.insert(key.key.clone(), KnownKey::new(key.clone()));
        key
    }

    /// Adds a given key. Returns false if a key with the same name exists.
    #[must_use]
    pub(crate) fn add(&self, key: ApiKey) -> bool {
        let Keys { known, added, .. } = &mut *self.write();
        match known.entry(key.key.clone()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                added.push(key.clone());
                entry.insert(KnownKey::new(key));
                true
            }
        }
    }

    /// Goes back to the keys of a state. `derived` are the derived keys that it had; added keys stay, unless their
    /// account does not exist in it. Returns the former keys.
    pub(crate) fn go_back(&self, derived: Vec<DerivedKey>, exchange: &Exchange) -> FormerKeys {
        let mut keys = self.write();
        let exists = |key: &ApiKey| exchange.account(AccountId(key.account)).is_some();
        let mut known = keys.known.clone();
        let unavailable = keys.added.iter().filter(|key| !exists(key)).cloned();
        // A configured key with the same name as a derived one is another key, and stays.
        for key in keys_of(self.seed, &keys.derived).chain(unavailable) {
            if known.get(&key.key).is_some_and(|known| *known.key == key) {
                known.remove(&key.key);
            }
        }
        for key in keys_of(self.seed, &derived) {
            known.entry(key.key.clone()).or_insert_with(|| KnownKey::new(key));
        }
        let added = keys.added.iter().filter(|key| exists(key)).cloned().collect();
        FormerKeys(std::mem::replace(&mut *keys, Keys { known, derived, added }))
    }

    /// Undoes [`go_back`](Self::go_back).
    pub(crate) fn undo_go_back(&self, former: FormerKeys) {
        *self.write() = former.0;
    }

    /// The keys with given secrets that were added at run time.
    pub(crate) fn added(&self) -> Vec<ApiKey> {
        self.read().added.clone()
    }

    /// The keys that were derived at run time.
    pub(crate) fn derived(&self) -> Vec<DerivedKey> {
        self.read().derived.clone()
    }

    // A poisoned lock is not an error here: keys only change while the state is locked as well, and a panic during
    // that ends the sandbox.
    fn read(&self) -> RwLockReadGuard<'_, Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Keys> {
        self.keys.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The keys of an account, sorted by name.
    pub(crate) fn keys_of_account(&self, account: AccountId) -> Vec<Arc<ApiKey>> {
        let keys = self.read();
        let keys = keys.known.values().map(|known| &known.key);
        let mut keys: Vec<_> = keys.filter(|key| key.account == account.0).cloned().collect();
        keys.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        keys
    }

    fn get(&self, key: &str) -> Option<KnownKey> {
        self.read().known.get(key).cloned()
    }

    /// Explains why a key is unknown.
    fn unknown_key_reason(&self, given: &str) -> String {
        diagnosis::unknown_key(given, &self.all())
    }

    /// All keys, sorted by name.
    fn all(&self) -> Vec<Arc<ApiKey>> {
        let mut keys: Vec<_> =
            self.read().known.values().map(|known| Arc::clone(&known.key)).collect();
        keys.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        keys
    }

    /// Explains why a signature does not match a key, timestamp and body.
    fn wrong_signature_reason(
        &self,
        key: &ApiKey,
        (timestamp, body, sign): (&str, &[u8], &str),
        location: Location,
    ) -> String {
        let others = self.all();
        diagnosis::wrong_signature(&diagnosis::Attempt {
            key,
            others: &others,
            timestamp,
            body,
            sign,
            location,
        })
    }

    /// The key of a request, which may be used now and from its address.
    fn find(&self, auth_headers: AuthHeaders<'_>, now_ms: u64) -> Result<KnownKey, WireError> {
        let key = auth_headers.key.filter(|key| !key.is_empty()).ok_or_else(|| error(30001))?;
        let known =
            self.get(key).ok_or_else(|| error(30002).with_reason(self.unknown_key_reason(key)))?;
        let key = &known.key;
        if key.frozen {
            return Err(error(30003));
        }
        if key.is_expired(now_ms) {
            return Err(error(30011));
        }
        let is_allowed = |peer: IpAddr| key.addresses.contains(&peer);
        if !key.addresses.is_empty() && !auth_headers.peer.is_some_and(is_allowed) {
            return Err(error(30010));
        }
        Ok(known)
    }

    /// Authenticates a request that sends its key without a signature.
    pub(crate) fn check_key(
        &self,
        auth_headers: AuthHeaders<'_>,
        now_ms: u64,
    ) -> Result<Caller, WireError> {
        self.find(auth_headers, now_ms).map(|known| known.caller())
    }

    /// Authenticates a signed request: key, timestamp, then the signature over `timestamp#memo#body`.
    pub(crate) fn check_signature(
        &self,
        auth_headers: AuthHeaders<'_>,
        body: &[u8],
        clock: Clock,
    ) -> Result<Caller, WireError> {
        let known = self.find(auth_headers, clock.now_ms())?;
        let sign = auth_headers.sign.filter(|sign| !sign.is_empty()).ok_or_else(|| error(30004))?;
        let text =
            auth_headers.timestamp.filter(|text| !text.is_empty()).ok_or_else(|| error(30006))?;
        let sent = parse_number::unsigned(text).ok_or_else(|| {
            error(30006)
                .with_message("Header X-BM-TIMESTAMP must be long type")
                .with_reason(diagnosis::no_timestamp(text, Location::Headers))
        })?;
        if sent.abs_diff(clock.nearest_to(sent)) > WINDOW_MS {
            return Err(error(30007).with_reason(diagnosis::stale(sent, clock, Location::Headers)));
        }
        if !known.has_signed(text, body, sign) {
            let reason =
                self.wrong_signature_reason(&known.key, (text, body, sign), Location::Headers);
            return Err(error(30005).with_reason(reason));
        }
        Ok(known.caller())
    }

    /// Authenticates a WebSocket login.
    pub(crate) fn login(
        &self,
        key: &str,
        timestamp: &str,
        sign: &str,
        clock: Clock,
    ) -> Result<Caller, LoginRejection> {
        if key.is_empty() {
            return Err(LoginError::EmptyKey.into());
        }
        let known = self
            .get(key)
            .ok_or_else(|| LoginError::UnknownKey.with_reason(self.unknown_key_reason(key)))?;
        if known.key.frozen {
            return Err(LoginError::FrozenKey.into());
        }
        if known.key.is_expired(clock.now_ms()) {
            return Err(LoginError::ExpiredKey.into());
        }
        if timestamp.is_empty() {
            return Err(LoginError::EmptyTimestamp.into());
        }
        let sent = parse_number::unsigned(timestamp).ok_or_else(|| {
            LoginError::InvalidTimestamp
                .with_reason(diagnosis::no_timestamp(timestamp, Location::Login))
        })?;
        if sent.abs_diff(clock.nearest_to(sent)) > WINDOW_MS {
            return Err(LoginError::StaleTimestamp.with_reason(diagnosis::stale(
                sent,
                clock,
                Location::Login,
            )));
        }
        if sign.is_empty() {
            return Err(LoginError::EmptySign.into());
        }
        if known.has_signed(timestamp, LOGIN_BODY, sign) {
            Ok(known.caller())
        } else {
            let signed = (timestamp, LOGIN_BODY, sign);
            let reason = self.wrong_signature_reason(&known.key, signed, Location::Login);
            Err(LoginError::WrongSign.with_reason(reason))
        }
    }
}

#[cfg(test)]
mod tests;
