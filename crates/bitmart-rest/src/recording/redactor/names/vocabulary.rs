//! The words that the exchange uses for states, sides, types, modes and permissions.

/// In small letters, with underscores between words. Documented or observed values, and other spellings of
/// them. A name that a person chose, such as that of a sub-account, must not be in the list.
const WORDS: &[&str] = &[
    "10080",
    "1440",
    "4320",
    "43200",
    "access",
    "active",
    "all",
    "all_margin",
    "audit",
    "auto_repay",
    "both",
    "buy",
    "cancel",
    "cancel_both",
    "cancel_maker",
    "cancel_taker",
    "canceled",
    "cancelled",
    "close",
    "close_long",
    "close_short",
    "closed",
    "commission_fee",
    "complete",
    "completed",
    "contract",
    "contract_to_fund",
    "contract_to_spot",
    "copy_trading",
    "cross",
    "cross_margin",
    "day",
    "delisted",
    "delivery",
    "deposit",
    "disabled",
    "enabled",
    "expired",
    "fail",
    "failed",
    "fair_price",
    "fee",
    "filled",
    "finished",
    "fok",
    "fund",
    "fund_to_contract",
    "fund_to_spot",
    "funding",
    "funding_fee",
    "future",
    "futures",
    "futures_copy_trading",
    "futures_trade",
    "get",
    "gtc",
    "hedge_mode",
    "history",
    "in",
    "inactive",
    "index_price",
    "interest",
    "ioc",
    "iso_margin",
    "isolated",
    "isolated_margin",
    "last_price",
    "limit",
    "limit_maker",
    "liquidation",
    "login",
    "long",
    "maker",
    "margin",
    "margin_trade",
    "market",
    "master",
    "new",
    "none",
    "normal",
    "off",
    "offline",
    "on",
    "one_way_mode",
    "online",
    "open",
    "open_long",
    "open_short",
    "out",
    "partially_canceled",
    "partially_cancelled",
    "partially_filled",
    "pending",
    "plan",
    "post",
    "post_only",
    "pre_trade",
    "processing",
    "profit_loss",
    "read",
    "read_only",
    "readonly",
    "realized_pnl",
    "redeem",
    "redeemed",
    "reinvest_fixed",
    "reinvest_flexible",
    "rejected",
    "sell",
    "short",
    "snapshot",
    "spot",
    "spot_margin",
    "spot_to_contract",
    "spot_to_fund",
    "spot_to_spot",
    "spot_trade",
    "stop_loss",
    "sub",
    "sub_account",
    "subscribe",
    "subscribed",
    "success",
    "suspended",
    "take_profit",
    "taker",
    "tp/sl",
    "trade",
    "trading",
    "trailing",
    "transaction_completed",
    "transfer",
    "trigger",
    "unsubscribe",
    "unverified",
    "update",
    "verified",
    "wallet",
    "withdraw",
    "withdrawal",
    "withdrawn",
    "working",
];

/// Whether the text is one of the words, in any case, and with spaces or hyphens instead of underscores.
pub(super) fn contains(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase().replace([' ', '-'], "_");
    WORDS.binary_search(&text.as_str()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ENDPOINTS;

    #[test]
    fn the_words_are_sorted() {
        assert!(WORDS.is_sorted(), "the binary search needs this order");
    }

    #[test]
    fn contains_every_documented_value() {
        for entry in ENDPOINTS {
            let of_parameters = entry.parameters.iter().flat_map(|parameter| parameter.values);
            let of_fields = entry.fields.iter().flat_map(|field| field.values);
            for value in of_parameters.copied().chain(of_fields.map(|meaning| meaning.value)) {
                let is_number = value.len() <= 3 && value.bytes().all(|byte| byte.is_ascii_digit());
                assert!(is_number || contains(value), "{}: {value}", entry.metadata.id);
            }
        }
    }
}
