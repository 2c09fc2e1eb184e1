//! Values for parameters, from earlier responses.

use std::collections::BTreeMap;

use bitmart::Timestamp;
use bitmart::rest::catalog::{EndpointEntry, Form, Parameter, Presence};
use bitmart::rest::endpoint::Auth;
use std::time::Duration;

use crate::output::json::Json;

/// Requested time span of histories.
const SPAN: Duration = Duration::from_secs(518_400);
/// Maximum number of values per kind.
const MAX_VALUES: usize = 8;
/// Requested number of rows.
const ROWS: &str = "20";

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Pair,
    Contract,
    Currency,
    SpotOrder,
    AlgoOrder,
    FuturesOrder,
    SpotClientOrder,
    AlgoClientOrder,
    FuturesClientOrder,
    FundingRecord,
    User,
    SubAccount,
    EarnProduct,
}

impl Kind {
    /// The kind of the member or parameter with this name at this endpoint.
    fn from_name(entry: &EndpointEntry, name: &str) -> Option<Self> {
        let id = entry.metadata.id;
        let is_futures = entry.metadata.path.starts_with("/contract/");
        let is_algo = id.contains("algo");
        let order_kind = |spot, algo, futures| match (is_futures, is_algo) {
            (true, _) => futures,
            (false, true) => algo,
            (false, false) => spot,
        };
        Some(match name {
            "symbol" if is_futures => Self::Contract,
            "symbol" => Self::Pair,
            "currency" | "currencies" | "coinName" | "coin_code" | "from_coin_code" => {
                Self::Currency
            }
            "orderId" | "order_id" => {
                order_kind(Self::SpotOrder, Self::AlgoOrder, Self::FuturesOrder)
            }
            "clientOrderId" | "client_order_id" => {
                order_kind(Self::SpotClientOrder, Self::AlgoClientOrder, Self::FuturesClientOrder)
            }
            "deposit_id" | "withdraw_id" => Self::FundingRecord,
            "id" if id == "account_funding_record" => Self::FundingRecord,
            "cid" | "userId" | "user_id" => Self::User,
            "subAccount" | "accountName" => Self::SubAccount,
            "productId" => Self::EarnProduct,
            _ => return None,
        })
    }
}

/// Values from responses to signed requests.
#[derive(Default)]
pub(super) struct Values(BTreeMap<Kind, Vec<String>>);

impl Values {
    /// Collects the values of a response that other endpoints may need.
    pub(super) fn learn(&mut self, entry: &EndpointEntry, response: &Json) {
        // Public data contains no values of the account.
        if entry.metadata.auth != Auth::None {
            self.collect(entry, "", response);
        }
    }

    fn collect(&mut self, entry: &EndpointEntry, name: &str, value: &Json) {
        match value {
            Json::Object(members) => {
                for (name, value) in members {
                    self.collect(entry, name, value);
                }
            }
            Json::List(items) => {
                for item in items {
                    self.collect(entry, name, item);
                }
            }
            Json::Text(text) | Json::Number(text) => {
                if let Some(kind) = Kind::from_name(entry, name).filter(|_| is_value(text)) {
                    let known = self.0.entry(kind).or_default();
                    if known.len() < MAX_VALUES && !known.contains(text) {
                        known.push(text.clone());
                    }
                }
            }
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// A pair of the account, or a common one.
    pub(super) fn pair(&self) -> &str {
        self.first(Kind::Pair).unwrap_or("BTC_USDT")
    }

    /// A contract of the account, or a common one.
    pub(super) fn contract(&self) -> &str {
        self.first(Kind::Contract).unwrap_or("BTCUSDT")
    }

    /// A currency of the account, or a common one.
    pub(super) fn currency(&self) -> &str {
        self.first(Kind::Currency).unwrap_or("USDT")
    }

    fn first(&self, kind: Kind) -> Option<&str> {
        self.0.get(&kind)?.first().map(String::as_str)
    }

    /// The parameters of a request with these presences. Fails with the name of a required parameter without a
    /// value.
    pub(super) fn parameters(
        &self,
        entry: &EndpointEntry,
        wanted: &[Presence],
        now: Timestamp,
    ) -> Result<Vec<(String, Json)>, &'static str> {
        let mut all = Vec::new();
        for parameter in entry.parameters {
            if !wanted.contains(&parameter.presence) {
                continue;
            }
            match self.value(entry, parameter, now) {
                Some(value) => all.push((parameter.name.to_owned(), value)),
                None if parameter.presence == Presence::Required => return Err(parameter.name),
                None => {}
            }
        }
        Ok(all)
    }

    fn value(&self, entry: &EndpointEntry, parameter: &Parameter, now: Timestamp) -> Option<Json> {
        let name = parameter.name;
        if let Some(kind) = Kind::from_name(entry, name) {
            let known = match kind {
                Kind::Pair => Some(self.pair()),
                Kind::Contract => Some(self.contract()),
                Kind::Currency => Some(self.currency()),
                kind => self.first(kind),
            };
            return known.map(|known| Json::Text(known.to_owned()));
        }
        // Other optional parameters are omitted.
        let is_needed = parameter.presence != Presence::Optional;
        if let Some(first) = parameter.values.first().filter(|_| is_needed) {
            return Some(match parameter.form {
                Form::Integer => Json::Number((*first).to_owned()),
                _ => Json::Text((*first).to_owned()),
            });
        }
        if let Some(time) = time(name, now).filter(|_| is_needed) {
            let at = if parameter.unit == "s" { time.as_secs() } else { time.as_millis() };
            return Some(Json::Number(at.to_string()));
        }
        match (parameter.form, name) {
            (Form::Integer, "currentPage" | "page") if is_needed => Some(Json::Number("1".into())),
            (Form::Integer, "step") if is_needed => Some(Json::Number("60".into())),
            (Form::Integer, _) if is_needed => Some(Json::Number(ROWS.into())),
            _ => None,
        }
    }
}

/// Whether a text is a value and not a spelling of an absent one.
fn is_value(text: &str) -> bool {
    !bitmart::types::codec::is_no_value(text) && text != "0"
}

/// The start or end of the requested time span, by the name of the parameter.
fn time(name: &str, now: Timestamp) -> Option<Timestamp> {
    match name {
        "start_time"
        | "startTime"
        | "time_start"
        | "after"
        | "rebate_start_time"
        | "register_start_time" => Some(now - SPAN),
        "end_time" | "endTime" | "time_end" | "before" | "rebate_end_time"
        | "register_end_time" => Some(now),
        _ => None,
    }
}
