//! The account and the API keys behind a key.

use bitmart_types::{Rows, UserId, wire};
use serde::{Deserialize, Serialize};

use crate::api::account::{ApiAccountType, ApiKeyStatus};

/// The account behind the API key, as a third party describes it: nothing of it is confirmed, so
/// every field may be absent. No source gives a unit for the times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AccountInfo {
    /// The user.
    #[serde(rename = "cid", with = "wire::text_opt")]
    pub uid: Option<UserId>,
    /// Main account or sub-account.
    #[serde(with = "wire::text_opt")]
    pub account_type: Option<ApiAccountType>,
    /// The main account of a sub-account.
    #[serde(rename = "parent_cid", with = "wire::text_opt")]
    pub parent_user_id: Option<UserId>,
    /// State of the account.
    #[serde(with = "wire::text_opt")]
    pub account_status: Option<ApiKeyStatus>,
    /// How far the user is verified; the values are not stated.
    #[serde(with = "wire::text_opt")]
    pub kyc_level: Option<String>,
    /// When the account was opened; the unit is not stated.
    #[serde(with = "wire::number_opt")]
    pub register_time: Option<i64>,
    /// The broker that the account belongs to.
    #[serde(with = "wire::text_opt")]
    pub broker_id: Option<String>,
    /// The keys of the account.
    #[serde(with = "wire::object_opt")]
    pub api_keys: Option<Rows<ApiKeyInfo>>,
}

/// An API key of the account, without its secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ApiKeyInfo {
    /// The key with most of it hidden.
    #[serde(with = "wire::text_opt")]
    pub access_key_masked: Option<String>,
    /// Whether it is the key of this request.
    #[serde(with = "wire::boolean_opt")]
    pub is_current: Option<bool>,
    /// Permissions; their values are not documented.
    pub permissions: Option<Vec<String>>,
    /// The addresses that may use it.
    pub ip_whitelist: Option<Vec<String>>,
    /// The user's name for it.
    #[serde(rename = "api_key_label", with = "wire::text_opt")]
    pub label: Option<String>,
    /// When it was made; the unit is not stated.
    #[serde(rename = "api_key_created_time", with = "wire::number_opt")]
    pub created_time: Option<i64>,
    /// When it expires; the unit is not stated.
    #[serde(rename = "api_key_expire_time", with = "wire::number_opt")]
    pub expire_time: Option<i64>,
    /// State of the key.
    #[serde(rename = "api_key_status", with = "wire::text_opt")]
    pub status: Option<ApiKeyStatus>,
}
