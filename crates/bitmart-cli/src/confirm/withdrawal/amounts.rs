//! The amounts of a withdrawal: fee, minimum, quota, and what is available.

use std::cmp::Ordering;

use bitmart::Decimal;
use bitmart::rest::{Client, Error, account};

use super::coin_of;

/// Fee and limits of a withdrawal.
pub(super) struct Limits {
    fee: Option<Decimal>,
    minimum: Option<Decimal>,
    decimals: Option<u32>,
    multiple_of: Option<u64>,
}

impl Limits {
    pub(super) fn new(
        network: Option<&account::FundingCurrency>,
        quota: Option<&account::WithdrawQuota>,
    ) -> Self {
        let listed_fee = network.and_then(|row| row.withdraw_fee.or(row.withdraw_min_fee));
        let listed_minimum = network.and_then(|row| row.withdraw_min_size);
        Self {
            fee: quota.and_then(|quota| quota.fee).or(listed_fee),
            minimum: quota.and_then(|quota| quota.min_size).or(listed_minimum),
            decimals: quota.and_then(|quota| quota.decimals),
            multiple_of: quota.and_then(|quota| quota.multiple_of),
        }
    }

    pub(super) fn lines(&self, code: &str, amount: Decimal) -> Vec<(&'static str, String)> {
        let coin = coin_of(code);
        let mut lines = Vec::new();
        match self.fee {
            Some(fee) => {
                lines.push(("fee", format!("{} {coin}", fee.normalize())));
                let Some(net) = amount.checked_sub(fee).map(|net| net.normalize()) else {
                    return lines;
                };
                let short = match net.cmp(&Decimal::ZERO) {
                    Ordering::Less => ": the fee exceeds the amount",
                    Ordering::Equal => ": the fee is the whole amount",
                    Ordering::Greater => "",
                };
                lines.push(("arrives", format!("{net} {coin}{short}")));
            }
            None => lines.push(("fee", "unknown".to_owned())),
        }
        if let Some(minimum) = self.minimum {
            let below = if amount < minimum { ": amount is below the minimum" } else { "" };
            lines.push(("minimum", format!("{} {coin}{below}", minimum.normalize())));
        }
        let is_too_fine = |decimals: &u32| amount.normalize().scale() > *decimals;
        if let Some(decimals) = self.decimals.filter(is_too_fine) {
            lines.push(("decimals", format!("amount has more than {decimals} decimals")));
        }
        let is_no_multiple = |step: &Decimal| {
            !step.is_zero() && !amount.checked_rem(*step).is_some_and(|rest| rest.is_zero())
        };
        if let Some(step) = self.multiple_of.map(Decimal::from).filter(is_no_multiple) {
            lines.push(("amount", format!("must be a multiple of {step}")));
        }
        lines
    }
}

/// Today's remaining quota and the share of this withdrawal.
pub(super) fn quota_text(remaining_btc: Decimal, amount_btc: Option<Decimal>) -> String {
    let remaining = format!("{} BTC left today", remaining_btc.normalize());
    match amount_btc {
        Some(amount_btc) => {
            let exceeded = if amount_btc > remaining_btc { ": OVER TODAY'S QUOTA" } else { "" };
            format!("{remaining}, this is about {} BTC{exceeded}", amount_btc.round_dp(4))
        }
        None => format!("{remaining}, the value of this in BTC is unknown"),
    }
}

/// The available amounts, and what is left after the withdrawal.
pub(super) async fn available(
    client: &Client,
    code: &str,
    amount: Decimal,
    source: &str,
) -> Result<String, Error> {
    let coin = coin_of(code);
    let wallet =
        client.account().wallet(account::QueryWallet::new().currency(coin)).await?.balances;
    if !wallet.is_complete() {
        return Ok("unknown: some balances cannot be read".to_owned());
    }
    let row = wallet.iter().find(|row| row.currency.as_str() == coin);
    Ok(available_text(row, coin, amount, source))
}

/// Without a row the account has nothing of the coin. An amount that a row lacks is not known.
fn available_text(
    row: Option<&account::WalletBalance>,
    coin: &str,
    amount: Decimal,
    source: &str,
) -> String {
    let spot = row.map_or(Some(Decimal::ZERO), |row| row.available);
    let funding = row.map_or(Some(Decimal::ZERO), |row| row.fund_available);
    let text = |amount: Option<Decimal>| {
        amount.map_or("unknown".to_owned(), |amount| amount.normalize().to_string())
    };
    let there = format!("{} {coin} on spot, {} in funding", text(spot), text(funding));
    // Without a source the exchange draws on both.
    let parts = match source {
        "SPOT" => vec![(spot, "on spot")],
        "FUND" => vec![(funding, "in funding")],
        _ => vec![(spot, "on spot"), (funding, "in funding")],
    };
    if let Some((_, place)) = parts.iter().find(|(part, _)| part.is_none()) {
        return format!("unknown: the exchange does not send the amount {place}; {there}");
    }
    let mut free = parts.into_iter().filter_map(|(part, _)| part);
    let free = free.try_fold(Decimal::ZERO, Decimal::checked_add);
    let Some(after) = free.and_then(|free| free.checked_sub(amount)).map(|left| left.normalize())
    else {
        return "unknown: an amount is too large".to_owned();
    };
    let short = if after < Decimal::ZERO { ": NOT ENOUGH" } else { "" };
    format!("{there} -> {after} left{short}")
}

/// The approximate value of an amount in BTC at the last prices; `None` if the exchange sends no price.
pub(super) async fn in_btc(
    client: &Client,
    coin: &str,
    amount: Decimal,
) -> Result<Option<Decimal>, Error> {
    if coin == "BTC" {
        return Ok(Some(amount));
    }
    let price = async |coin: &str| -> Result<Option<Decimal>, Error> {
        Ok(client.spot().ticker(format!("{coin}_USDT").as_str()).await?.last_price)
    };
    let coin_price = if coin == "USDT" { Some(Decimal::ONE) } else { price(coin).await? };
    let btc_price = price("BTC").await?;
    Ok(coin_price
        .and_then(|price| amount.checked_mul(price))
        .zip(btc_price)
        .and_then(|(usdt, price)| usdt.checked_div(price)))
}

#[cfg(test)]
mod tests {
    use bitmart::dec;
    use bitmart::rest::account::WalletBalance;

    use super::{available_text, quota_text};

    #[test]
    fn an_amount_that_the_exchange_does_not_send_is_unknown() {
        let text = |row: &str, source: &str| {
            let row: Option<WalletBalance> = serde_json::from_str(row).expect("a row");
            available_text(row.as_ref(), "BTC", dec!(2), source)
        };
        let without_funding = r#"{"currency":"BTC","available":"3"}"#;
        let unknown = "unknown: the exchange does not send the amount in funding; 3 BTC on spot, unknown in funding";
        assert_eq!(text(without_funding, "FUND"), unknown);
        assert_eq!(text(without_funding, ""), unknown);
        let left = "3 BTC on spot, unknown in funding -> 1 left";
        assert_eq!(text(without_funding, "SPOT"), left);
        let without_spot = r#"{"currency":"BTC","fundAvailable":"3"}"#;
        assert!(text(without_spot, "SPOT").starts_with("unknown: "), "the amount on spot");
        let left = "unknown BTC on spot, 3 in funding -> 1 left";
        assert_eq!(text(without_spot, "FUND"), left);
        let both = r#"{"currency":"BTC","available":"0.5","fundAvailable":"1"}"#;
        assert_eq!(text(both, ""), "0.5 BTC on spot, 1 in funding -> -0.5 left: NOT ENOUGH");
        let nothing = "0 BTC on spot, 0 in funding -> -2 left: NOT ENOUGH";
        assert_eq!(text("null", "FUND"), nothing);
    }

    #[test]
    fn the_quota_is_compared_unrounded() {
        let text = quota_text(dec!(1), Some(dec!(1.00001)));
        assert_eq!(text, "1 BTC left today, this is about 1.0000 BTC: OVER TODAY'S QUOTA");
        assert!(!quota_text(dec!(1), Some(dec!(0.99999))).contains("OVER"), "below the quota");
        assert!(quota_text(dec!(1), None).ends_with("the value of this in BTC is unknown"));
    }
}
