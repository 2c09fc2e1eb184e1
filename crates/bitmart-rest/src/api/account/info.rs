//! The account of an API key, and its keys.

use bitmart_types::{Rows, UserId, codec};
use serde::{Deserialize, Serialize};

use crate::api::account::{ApiAccountType, ApiKeyStatus};

/// The account of the API key, as a third party describes it: unconfirmed, and every field may be
/// absent. No source states the unit of the times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct AccountInfo {
    /// The user.
    #[serde(rename = "cid", with = "codec::text_opt")]
    pub uid: Option<UserId>,
    /// Main account or sub-account.
    #[serde(with = "codec::text_opt")]
    pub account_type: Option<ApiAccountType>,
    /// The main account of a sub-account.
    #[serde(rename = "parent_cid", with = "codec::text_opt")]
    pub parent_uid: Option<UserId>,
    /// State of the account.
    #[serde(with = "codec::text_opt")]
    pub account_status: Option<ApiKeyStatus>,
    /// Level of identity verification; the values are not stated.
    #[serde(with = "codec::text_opt")]
    pub kyc_level: Option<String>,
    /// When the account was opened; the unit is not stated.
    #[serde(with = "codec::number_opt")]
    pub register_time: Option<i64>,
    /// The broker that the account belongs to.
    #[serde(with = "codec::text_opt")]
    pub broker_id: Option<String>,
    /// The keys of the account.
    #[serde(with = "codec::object_opt")]
    pub api_keys: Option<Rows<ApiKeyInfo>>,
}

/// An API key of the account, without its secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ApiKeyInfo {
    /// The key, mostly masked.
    #[serde(with = "codec::text_opt")]
    pub access_key_masked: Option<String>,
    /// Whether it is the key that signed this request.
    #[serde(with = "codec::boolean_opt")]
    pub is_current: Option<bool>,
    /// Permissions; their values are not documented.
    #[serde(with = "codec::object_opt")]
    pub permissions: Option<Vec<String>>,
    /// The IP addresses that may use it.
    #[serde(with = "codec::object_opt")]
    pub ip_whitelist: Option<Vec<String>>,
    /// The user's name for it.
    #[serde(rename = "api_key_label", with = "codec::text_opt")]
    pub label: Option<String>,
    /// When it was created; the unit is not stated.
    #[serde(rename = "api_key_created_time", with = "codec::number_opt")]
    pub created_time: Option<i64>,
    /// When it expires; the unit is not stated.
    #[serde(rename = "api_key_expire_time", with = "codec::number_opt")]
    pub expire_time: Option<i64>,
    /// State of the key.
    #[serde(rename = "api_key_status", with = "codec::text_opt")]
    pub status: Option<ApiKeyStatus>,
}
