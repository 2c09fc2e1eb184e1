//! Values for required parameters, from what came before.

use std::collections::BTreeMap;

use bitmart::Timestamp;
use bitmart::rest::Auth;
use bitmart::rest::catalog::{EndpointEntry, Form, Parameter, Presence};
use std::time::Duration;

use crate::output::json::Json;

/// How far back histories are asked for.
const SPAN: Duration = Duration::from_secs(518_400);
/// Values that are remembered of a kind.
const KEPT: usize = 8;
/// Rows that are asked for, where a number has to be said.
const ROWS: &str = "20";

/// What a value is for.
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
    /// What a member or parameter of this name holds, at this endpoint.
    fn of(entry: &EndpointEntry, name: &str) -> Option<Self> {
        let id = entry.metadata.id;
        let is_futures = entry.metadata.path.starts_with("/contract/");
        let is_algo = id.contains("algo");
        let by_side = |spot, algo, futures| match (is_futures, is_algo) {
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
            "orderId" | "order_id" => by_side(Self::SpotOrder, Self::AlgoOrder, Self::FuturesOrder),
            "clientOrderId" | "client_order_id" => {
                by_side(Self::SpotClientOrder, Self::AlgoClientOrder, Self::FuturesClientOrder)
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

/// What came in answers, the account's own before what everybody is told.
#[derive(Default)]
pub(super) struct Values(BTreeMap<Kind, Vec<String>>);

impl Values {
    /// Remembers the values in the answer's data that other endpoints may want.
    pub(super) fn learn(&mut self, entry: &EndpointEntry, answer: &Json) {
        // What everybody is told says nothing about the account.
        if entry.metadata.auth != Auth::None {
            self.collect(entry, "", answer);
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
                if let Some(kind) = Kind::of(entry, name).filter(|_| is_value(text)) {
                    let known = self.0.entry(kind).or_default();
                    if known.len() < KEPT && !known.contains(text) {
                        known.push(text.clone());
                    }
                }
            }
            Json::Null | Json::Bool(_) => {}
        }
    }

    /// Pairs, contracts and currencies of the account, or those that everybody has.
    pub(super) fn pair(&self) -> &str {
        self.first(Kind::Pair).unwrap_or("BTC_USDT")
    }
    pub(super) fn contract(&self) -> &str {
        self.first(Kind::Contract).unwrap_or("BTCUSDT")
    }
    pub(super) fn currency(&self) -> &str {
        self.first(Kind::Currency).unwrap_or("USDT")
    }

    fn first(&self, kind: Kind) -> Option<&str> {
        self.0.get(&kind)?.first().map(String::as_str)
    }

    /// The parameters of a request with these presences, or the name of the one without a value.
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
        if let Some(kind) = Kind::of(entry, name) {
            let known = match kind {
                Kind::Pair => Some(self.pair()),
                Kind::Contract => Some(self.contract()),
                Kind::Currency => Some(self.currency()),
                kind => self.first(kind),
            };
            return known.map(|known| Json::Text(known.to_owned()));
        }
        // An optional number or word is left to the exchange.
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

/// Not a spelling of nothing.
fn is_value(text: &str) -> bool {
    !bitmart::types::wire::is_no_value(text) && text != "0"
}

/// The begin or the end of the span that is asked for.
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
