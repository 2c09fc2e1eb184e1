//! The account of a key and its other keys.

use serde_json::{Value, json};

use super::{Call, HandlerResult};
use crate::{keys::ApiKey, wire::error::error};

/// Fields and values are only known from a third-party type. Creation times are not stored and sent as 0, and so is
/// the expiry of a key that does not expire. The label is empty: BitMart also calls it memo, and the memo is part of
/// the signature.
pub(crate) fn info(call: &mut Call<'_>) -> HandlerResult {
    let caller = call.caller.ok_or_else(|| error(30001))?;
    let owner = call.exchange.account(caller.account).ok_or_else(|| error(30002))?;
    let frozen = call.exchange.operator_settings().is_frozen(caller.account);
    let row = |key: &ApiKey| {
        json!({
            "access_key_masked": masked(&key.key),
            "is_current": key.key == caller.key.key,
            "permissions": key.permissions,
            "ip_whitelist": key.addresses,
            "api_key_label": "",
            "api_key_created_time": 0,
            "api_key_expire_time": key.expires_ms.unwrap_or(0),
            "api_key_status": match (key.frozen, key.is_expired(call.now_ms)) {
                (true, _) => "frozen",
                (false, true) => "expired",
                (false, false) => "active",
            },
        })
    };
    Ok(json!({
        "cid": caller.account.0.to_string(),
        "account_type": if owner.main.is_some() { "sub" } else { "main" },
        "parent_cid": owner.main.map(|main| main.0.to_string()),
        "account_status": if frozen { "frozen" } else { "active" },
        "kyc_level": "1",
        "register_time": 0,
        "broker_id": "",
        "api_keys": call.keys.keys_of_account(caller.account).iter().map(|key| row(key)).collect::<Value>(),
    }))
}

/// The first and last characters of a key: at most four of each, and at most half of the key in total.
fn masked(key: &str) -> String {
    let letters: Vec<char> = key.chars().collect();
    let shown = (letters.len() / 4).min(4);
    let (start, end) = (&letters[..shown], &letters[letters.len() - shown..]);
    format!("{}****{}", String::from_iter(start), String::from_iter(end))
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn a_masked_key_shows_at_most_half_of_the_key() {
        assert_eq!(masked("80618e45710812162b04892c7ee5ead4a3cc3e56"), "8061****3e56");
        assert_eq!(masked("main"), "m****n");
        assert_eq!(masked("éa"), "****");
        assert_eq!(masked(""), "****");
    }
}
