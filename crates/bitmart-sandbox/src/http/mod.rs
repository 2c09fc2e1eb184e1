//! The REST side: connections, checks, and one handler per endpoint.

#[allow(clippy::unnecessary_wraps, reason = "all handlers have one type")]
mod account;
mod affiliate;
mod answer;
mod api_key;
mod body;
mod cors;
mod earn;
mod engine;
mod family;
mod funding;
mod futures;
mod futures_account;
mod futures_fields;
mod futures_funds;
mod futures_market;
mod futures_plan;
mod futures_position;
mod futures_rows;
mod futures_settings;
mod futures_tp_sl;
mod handshake;
mod limits;
mod margin;
mod params;
mod repeated;
mod server;
mod service;
mod spot_algo;
mod spot_history;
#[allow(clippy::unnecessary_wraps, reason = "all handlers have one type")]
mod spot_market;
mod spot_trading;
mod sub_account;
#[allow(clippy::unnecessary_wraps, reason = "all handlers have one type")]
mod system;
mod transfer;
mod window;
mod wire;

use serde_json::Value;

use self::{engine::Engine, params::Params};
pub(crate) use self::{
    limits::Limits,
    server::{serve, serve_stream},
    wire::Watched,
};
use crate::{
    auth::{Caller, KeyRing},
    exchange::{
        AccountId,
        account::Account,
        refusal::{Refusal, refuse},
    },
};

/// What a handler works with.
pub(crate) struct Call<'a> {
    pub(crate) exchange: Engine<'a>,
    pub(crate) caller: Option<&'a Caller>,
    pub(crate) keys: &'a KeyRing,
    pub(crate) params: Params,
    pub(crate) now_ms: u64,
    pub(crate) lenient: bool,
}

/// The `data` of a good answer, or why not.
pub(crate) type Answer = Result<Value, Refusal>;

type Handler = fn(&mut Call<'_>) -> Answer;

impl Call<'_> {
    /// The account that asks; endpoints without a key have none.
    fn account(&self) -> Result<AccountId, Refusal> {
        self.caller.map(|caller| caller.account).ok_or_else(|| refuse(30001))
    }

    /// The state of that account.
    fn owner(&self) -> Result<&Account, Refusal> {
        let owner = self.exchange.account(self.account()?);
        // A key names an account that was opened.
        owner.ok_or_else(|| refuse(30002))
    }
}

/// The handler of a path; every described one has one.
fn handler(path: &str) -> Option<Handler> {
    Some(match path {
        "/system/time" => system::time,
        "/system/service" => system::service,
        "/spot/quotation/v3/tickers" => spot_market::tickers,
        "/spot/quotation/v3/ticker" => spot_market::ticker,
        "/spot/quotation/v3/klines" | "/spot/quotation/v3/lite-klines" => spot_market::klines,
        "/spot/quotation/v3/books" => spot_market::books,
        "/spot/quotation/v3/trades" => spot_market::trades,
        "/spot/v1/symbols" => spot_market::symbols,
        "/spot/v1/symbols/details" => spot_market::symbol_details,
        "/spot/v1/currencies" => spot_market::currencies,
        "/spot/v2/submit_order" => spot_trading::submit_order,
        "/spot/v4/batch_orders" => spot_trading::batch_orders,
        "/spot/v3/cancel_order" => spot_trading::cancel_order,
        "/spot/v4/cancel_orders" => spot_trading::cancel_orders,
        "/spot/v4/cancel_all" => spot_trading::cancel_all,
        "/spot/v4/query/open-orders" => spot_history::open_orders,
        "/spot/v4/query/history-orders" => spot_history::finished_orders,
        "/spot/v4/query/trades" => spot_history::trades,
        "/spot/v4/query/order" => spot_trading::order,
        "/spot/v4/query/client-order" => spot_trading::client_order,
        "/spot/v4/query/order-trades" => spot_trading::order_trades,
        "/contract/public/details" => futures::details,
        "/contract/public/depth" => futures_market::depth,
        "/contract/public/market-trade" => futures_market::trades,
        "/contract/public/open-interest" => futures_market::open_interest,
        "/contract/public/funding-rate-history" => futures_market::funding_history,
        "/contract/public/funding-rate" => futures_market::funding_rate,
        "/contract/public/funding-rate-v2" => futures_market::funding_rates,
        "/contract/public/kline" => futures_market::klines,
        "/contract/public/markprice-kline" => futures_market::mark_klines,
        "/contract/private/trade-fee-rate" => futures_market::fee_rate,
        "/contract/private/get-position-mode" => futures_settings::position_mode,
        "/contract/private/set-position-mode" => futures_settings::set_position_mode,
        "/contract/private/submit-order" => futures::submit_order,
        "/contract/private/cancel-order" => futures::cancel_order,
        "/contract/private/cancel-orders" => futures_account::cancel_orders,
        "/contract/private/order" => futures::order,
        "/contract/private/get-open-orders" => futures_account::open_orders,
        "/contract/private/order-history" => futures_account::order_history,
        "/contract/private/trades" => futures_account::trades,
        "/contract/public/leverage-bracket" => futures_settings::brackets,
        "/contract/private/submit-leverage" => futures_settings::submit_leverage,
        "/contract/private/cancel-all-after" => futures_settings::cancel_all_after,
        "/contract/private/modify-limit-order" => futures::modify_order,
        "/contract/private/transaction-history" => futures_account::transactions,
        "/contract/private/position" => futures_position::positions_v1,
        "/contract/private/position-v2" => futures_position::positions,
        "/contract/private/position-risk" => futures_position::risks,
        "/contract/private/assets-detail" => futures_position::assets,
        "/contract/private/close-all-position" => futures_position::close_all,
        _ => return trigger_handler(path).or_else(|| money_handler(path)),
    })
}

/// The handlers of orders that wait for a price.
fn trigger_handler(path: &str) -> Option<Handler> {
    Some(match path {
        "/contract/private/current-plan-order" => futures_plan::waiting,
        "/contract/private/submit-plan-order" => futures_plan::submit,
        "/contract/private/cancel-plan-order" => futures_plan::cancel,
        "/contract/private/modify-plan-order" => futures_plan::modify,
        "/contract/private/submit-trail-order" => futures_plan::submit_trailing,
        "/contract/private/cancel-trail-order" => futures_plan::cancel_trailing,
        "/contract/private/submit-tp-sl-order" => futures_tp_sl::submit,
        "/contract/private/modify-tp-sl-order" => futures_tp_sl::modify,
        "/contract/private/modify-preset-plan-order" => futures_tp_sl::modify_preset,
        "/spot/v4/algo/submit_order" => spot_algo::submit,
        "/spot/v4/algo/cancel_order" => spot_algo::cancel,
        "/spot/v4/algo/cancel_all" => spot_algo::cancel_all,
        "/spot/v4/query/algo/order" => spot_algo::order,
        "/spot/v4/query/algo/client-order" => spot_algo::client_order,
        "/spot/v4/query/algo/open-orders" => spot_algo::open_orders,
        "/spot/v4/query/algo/history-orders" => spot_algo::finished_orders,
        _ => return None,
    })
}

/// The handlers of what moves money other than by trading.
fn money_handler(path: &str) -> Option<Handler> {
    Some(match path {
        "/account/v1/wallet" => account::wallet,
        "/spot/v1/wallet" => account::spot_wallet,
        "/spot/v1/user_fee" => account::user_fee,
        "/spot/v1/trade_fee" => account::trade_fee,
        "/uapi-key/v1/account/info" => api_key::account_info,
        "/account/v1/currencies" => funding::currencies,
        "/account/v1/get-deposit-account" => funding::deposit_account,
        "/account/v1/set-deposit-account" => funding::set_deposit_account,
        "/account/v1/withdraw/address/list" => funding::addresses,
        "/account/v1/deposit/address" => funding::address,
        "/account/v1/withdraw/charge" => funding::quota,
        "/account/v1/withdraw/apply" => funding::withdraw,
        "/account/v2/deposit-withdraw/history" => funding::history,
        "/account/v1/deposit-withdraw/detail" => funding::detail,
        "/account/v1/transfer" => transfer::spot_fund,
        "/account/v1/transfer-contract" => transfer::spot_futures,
        "/account/v1/transfer-contract-list" => transfer::list,
        "/contract/private/account/v1/transfer" => transfer::fund_futures,
        "/contract/private/claim" => futures_funds::claim,
        "/contract/private/auto_repayment" => futures_funds::repayments,
        "/contract/private/cross_collateral/interest_log" => futures_funds::interest,
        "/spot/v1/margin/isolated/account" => margin::accounts,
        "/spot/v1/margin/isolated/transfer" => margin::transfer,
        "/spot/v1/margin/isolated/borrow" => margin::borrow,
        "/spot/v1/margin/isolated/repay" => margin::repay,
        "/spot/v1/margin/isolated/borrow_record" => margin::borrow_records,
        "/spot/v1/margin/isolated/repay_record" => margin::repay_records,
        "/spot/v1/margin/isolated/pairs" => margin::pair_list,
        "/spot/v1/margin/submit_order" => margin::submit_order,
        "/account/sub-account/main/v1/sub-to-main" => sub_account::spot_to_main,
        "/account/sub-account/sub/v1/sub-to-main" => sub_account::spot_own_to_main,
        "/account/sub-account/main/v1/main-to-sub" => sub_account::spot_to_sub,
        "/account/sub-account/main/v1/sub-to-sub" => sub_account::sub_to_sub,
        "/account/sub-account/main/v1/transfer-list" => sub_account::spot_transfers,
        "/account/sub-account/v1/transfer-history" => sub_account::spot_own_transfers,
        "/account/sub-account/main/v1/wallet" => sub_account::spot_wallet,
        "/account/sub-account/main/v1/subaccount-list" => sub_account::list,
        "/account/contract/sub-account/main/v1/sub-to-main" => sub_account::futures_to_main,
        "/account/contract/sub-account/main/v1/main-to-sub" => sub_account::futures_to_sub,
        "/account/contract/sub-account/sub/v1/sub-to-main" => sub_account::futures_own_to_main,
        "/account/contract/sub-account/main/v1/wallet" => sub_account::futures_wallet,
        "/account/contract/sub-account/main/v1/transfer-list" => sub_account::futures_transfers,
        "/account/contract/sub-account/v1/transfer-history" => sub_account::futures_own_transfers,
        _ => return earn_handler(path),
    })
}

fn earn_handler(path: &str) -> Option<Handler> {
    Some(match path {
        "/newearn/cloud/v1/earn" => earn::overview,
        "/newearn/cloud/v1/saving/product" => earn::flexible_products,
        "/newearn/cloud/v1/saving/subscribe" => earn::subscribe_flexible,
        "/newearn/cloud/v1/saving/redeem" => earn::redeem_flexible,
        "/newearn/cloud/v1/saving/earn" => earn::flexible_holdings,
        "/newearn/cloud/v1/saving/record" => earn::flexible_records,
        "/newearn/cloud/v1/saving/fixed/product" => earn::fixed_products,
        "/newearn/cloud/v1/saving/fixed/subscribe" => earn::subscribe_fixed,
        "/newearn/cloud/v1/saving/fixed/redeem" => earn::redeem_fixed,
        "/newearn/cloud/v1/saving/fixed/subscribe/operate" => earn::set_renewal,
        "/newearn/cloud/v1/saving/fixed/earn" => earn::fixed_holdings,
        "/newearn/cloud/v1/saving/fixed/record" => earn::fixed_records,
        "/newearn/cloud/v1/saving/subscribe/batch/operate" => earn::set_automatic,
        "/newearn/cloud/v1/saving/subscribe/batch" => earn::automatic,
        "/newearn/cloud/v1/saving/subscribe/operate" => earn::set_automatic_product,
        "/newearn/cloud/v1/saving/subscribe/status" => earn::automatic_product,
        _ => return affiliate_handler(path),
    })
}

fn affiliate_handler(path: &str) -> Option<Handler> {
    Some(match path {
        "/contract/private/affiliate/rebate-list" => affiliate::rebates,
        "/contract/private/affiliate/trade-list" => affiliate::trades,
        "/contract/private/affiliate/rebate-user" => affiliate::user_rebate,
        "/contract/private/affiliate/rebate-api" => affiliate::api_rebate,
        "/contract/private/affiliate/invite-check" => affiliate::invitation,
        "/contract/private/affiliate/rebate-inviteUser" => affiliate::customers,
        "/contract/private/affiliate/deposit-withdrawal-list" => affiliate::customer_funding,
        "/contract/private/affiliate/aff-customer-info" => affiliate::customer_account,
        "/spot/v1/broker/rebate" => affiliate::broker_rebates,
        _ => return None,
    })
}

/// Whether no source says what the answer of a path holds: it is made up then, and marked as such.
fn is_made_up(path: &str) -> bool {
    [
        "/account/v1/get-deposit-account",
        "/account/v1/set-deposit-account",
        "/contract/private/close-all-position",
    ]
    .contains(&path)
}

#[cfg(test)]
mod tests;
