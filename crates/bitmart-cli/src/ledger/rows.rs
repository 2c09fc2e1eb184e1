//! Converts rows of histories to ledger entries. A row whose coin, amount, state or fee is not known becomes no entry:
//! nothing is guessed.

use bitmart::rest::history::RowKey;
use bitmart::{Decimal, Timestamp};
use serde_json::Value;

use super::{Entry, Kind, Movement, Problems, Wallet};
use crate::export::Archive;
use crate::failure::Failure;

/// A converted row.
pub(super) enum Parsed {
    Entry(Box<Entry>),
    /// The row moved no money.
    Nothing,
    /// The row may have moved money, but cannot be converted.
    Problem(&'static str),
}

const NO_TIME: Parsed = Parsed::Problem("the exchange sent no time");
const NO_AMOUNT: Parsed =
    Parsed::Problem("without a coin, or without an amount that can be held exactly");
const NO_SYMBOL: Parsed = Parsed::Problem("without a pair");
const NO_STATE: Parsed = Parsed::Problem("its state is not known");
const NO_FEE: Parsed = Parsed::Problem("its fee is not known");
const NO_INTEREST: Parsed = Parsed::Problem("its interest is not known");

/// Converts a row of a history.
pub(super) fn parse(dataset: &str, key: &RowKey, row: &Value) -> Parsed {
    let Some(time) = key.time else { return NO_TIME };
    let parser = RowParser { dataset, key, row, time };
    match dataset {
        "deposits" => parser.deposit(),
        "withdrawals" => parser.withdrawal(),
        "trades" => parser.trade(),
        "futures-transfers" => parser.futures_transfer(),
        "futures-transactions" => parser.transaction(Wallet::Futures),
        "copy-trading-transactions" => parser.transaction(Wallet::CopyTrading),
        "earn-flexible-subscriptions" | "earn-fixed-subscriptions" => parser.savings(true),
        "earn-flexible-redemptions" | "earn-fixed-redemptions" => parser.savings(false),
        "earn-flexible-interest" | "earn-fixed-interest" => parser.interest(),
        _ if dataset.starts_with("margin-loans-") => parser.loan(),
        _ if dataset.starts_with("margin-repayments-") => parser.repayment(),
        _ => Parsed::Nothing,
    }
}

/// Reports lists of payments that become no entries, since the exchange does not report when or where they were paid.
pub(super) fn report_unconverted(
    archive: &Archive,
    problems: &mut Problems,
) -> Result<(), Failure> {
    for (name, coin, amount, why) in [
        (
            "futures-repayments",
            "from_coin_code",
            "from_amount",
            "the exchange does not report when, and whether futures-transactions contains it as well",
        ),
        (
            "futures-interest",
            "coin_code",
            "interest",
            "the exchange does not report whether futures-transactions contains it as well",
        ),
    ] {
        archive.newest(name, |row| {
            let lost = amount_of(row, coin, amount).map(|(coin, amount)| Movement {
                wallet: Wallet::Futures,
                kind: Kind::Other,
                coin,
                amount: -amount,
            });
            let id = row.get("id").map(ToString::to_string).unwrap_or_default();
            problems.add(name, why, &id, lost.as_slice());
            Ok(())
        })?;
    }
    Ok(())
}

struct RowParser<'a> {
    dataset: &'a str,
    key: &'a RowKey,
    row: &'a Value,
    time: Timestamp,
}

impl RowParser<'_> {
    fn text(&self, name: &str) -> Option<String> {
        text(self.row, name)
    }

    fn amount(&self, coin: &str, amount: &str) -> Option<(String, Decimal)> {
        amount_of(self.row, coin, amount)
    }

    fn entry(&self, kind: Kind, movements: Vec<Movement>) -> Entry {
        Entry {
            time: self.time,
            kind,
            movements,
            dataset: self.dataset.to_owned(),
            row: self.key.id.clone(),
            symbol: self.text("symbol"),
            order_id: None,
            trade_id: None,
            tx_hash: None,
            price: None,
            note: None,
            is_fee_unknown: false,
        }
    }

    fn deposit(&self) -> Parsed {
        match self.text("status").as_deref() {
            // Only done has reached the account.
            Some("3") => {}
            Some("0" | "1" | "2" | "4" | "5") => return Parsed::Nothing,
            _ => return NO_STATE,
        }
        let Some((coin, amount)) = self.amount("currency", "arrival_amount") else {
            return NO_AMOUNT;
        };
        let movement = Movement { wallet: Wallet::Spot, kind: Kind::Deposit, coin, amount };
        self.deposit_or_withdrawal(Kind::Deposit, vec![movement])
    }

    fn withdrawal(&self) -> Parsed {
        match self.text("status").as_deref() {
            Some("0" | "1" | "2" | "3") => {}
            // Canceled and failed were returned.
            Some("4" | "5") => return Parsed::Nothing,
            _ => return NO_STATE,
        }
        let amount = self.amount("currency", "arrival_amount");
        let Some((coin, amount)) = amount else { return NO_AMOUNT };
        let Some(fee) = exact(&self.row["fee"]) else { return NO_FEE };
        let out = |kind, amount: Decimal| Movement {
            wallet: Wallet::Spot,
            kind,
            coin: coin.clone(),
            amount: -amount,
        };
        let mut movements = vec![out(Kind::Withdrawal, amount)];
        if !fee.is_zero() {
            movements.push(out(Kind::Fee, fee));
        }
        self.deposit_or_withdrawal(Kind::Withdrawal, movements)
    }

    /// The entry of a deposit or withdrawal, which names the network with the currency: `USDT-TRC20`.
    fn deposit_or_withdrawal(&self, kind: Kind, mut movements: Vec<Movement>) -> Parsed {
        let network = movements[0].coin.split_once('-').map(|(_, network)| network.to_owned());
        for movement in &mut movements {
            if let Some((coin, _)) = movement.coin.split_once('-') {
                movement.coin = coin.to_owned();
            }
        }
        // Without the prefix of the row key.
        let id = ["deposit_id", "withdraw_id"].iter().find_map(|name| self.text(name));
        let row = id.unwrap_or_else(|| self.key.id.clone());
        let entry = self.entry(kind, movements);
        let tx_hash = self.text("tx_id");
        Parsed::Entry(Box::new(Entry { tx_hash, note: network, row, ..entry }))
    }

    fn trade(&self) -> Parsed {
        let Some(symbol) = self.text("symbol") else { return NO_SYMBOL };
        let Some((base, quote)) = symbol.split_once('_') else { return NO_SYMBOL };
        let wallet = if self.row["orderMode"] == "iso_margin" {
            Wallet::Margin(symbol.clone())
        } else {
            Wallet::Spot
        };
        let sign = match self.row["side"].as_str() {
            Some("buy") => Decimal::ONE,
            Some("sell") => Decimal::NEGATIVE_ONE,
            _ => return Parsed::Problem("neither a buy nor a sale"),
        };
        let (Some(size), Some(notional)) = (exact(&self.row["size"]), exact(&self.row["notional"]))
        else {
            return NO_AMOUNT;
        };
        let part = |kind, coin: &str, amount| Movement {
            wallet: wallet.clone(),
            kind,
            coin: coin.to_owned(),
            amount,
        };
        let mut movements =
            vec![part(Kind::Trade, base, sign * size), part(Kind::Trade, quote, -sign * notional)];
        let is_fee_unknown = match (exact(&self.row["fee"]), self.text("feeCoinName")) {
            (Some(fee), _) if fee.is_zero() => false,
            (Some(fee), Some(coin)) => {
                let kind = if fee < Decimal::ZERO { Kind::Rebate } else { Kind::Fee };
                movements.push(part(kind, &coin, -fee));
                false
            }
            _ => true,
        };
        let entry = self.entry(Kind::Trade, movements);
        Parsed::Entry(Box::new(Entry {
            order_id: self.text("orderId"),
            trade_id: self.text("tradeId"),
            price: exact(&self.row["price"]),
            note: is_fee_unknown.then(|| "fee unknown".to_owned()),
            is_fee_unknown,
            ..entry
        }))
    }

    /// The spot side of a transfer. The futures side is in `futures-transactions`.
    fn futures_transfer(&self) -> Parsed {
        let sign = match self.text("type").as_deref() {
            Some("spot_to_contract") => Decimal::NEGATIVE_ONE,
            Some("contract_to_spot") => Decimal::ONE,
            _ => return Parsed::Problem("neither to futures nor from there"),
        };
        match self.text("state").as_deref() {
            Some("FINISHED") => {}
            Some("FAILED") => return Parsed::Nothing,
            _ => return Parsed::Problem("not known to be finished"),
        }
        let Some((coin, amount)) = self.amount("currency", "amount") else { return NO_AMOUNT };
        let amount = sign * amount;
        let movement = Movement { wallet: Wallet::Spot, kind: Kind::Transfer, coin, amount };
        Parsed::Entry(Box::new(self.entry(Kind::Transfer, vec![movement])))
    }

    /// A row of the futures wallet: profit, fee, funding or transfer.
    fn transaction(&self, wallet: Wallet) -> Parsed {
        let Some((coin, amount)) = self.amount("asset", "amount") else { return NO_AMOUNT };
        if amount.is_zero() {
            return Parsed::Nothing;
        }
        let name = self.text("type");
        let kind = match name.as_deref() {
            Some("Transfer") => Kind::Transfer,
            Some("Realized PNL") => Kind::RealisedProfit,
            Some("Funding Fee") => Kind::Funding,
            Some("Commission Fee") if amount > Decimal::ZERO => Kind::Rebate,
            Some("Commission Fee") => Kind::Fee,
            Some("Liquidation Clearance") => Kind::Liquidation,
            _ => Kind::Other,
        };
        let entry = self.entry(kind, vec![Movement { wallet, kind, coin, amount }]);
        Parsed::Entry(Box::new(Entry { note: name.filter(|_| kind == Kind::Other), ..entry }))
    }

    /// A transfer between the spot wallet and savings.
    fn savings(&self, is_subscription: bool) -> Parsed {
        let Some((coin, amount)) = self.amount("coinName", "amount") else { return NO_AMOUNT };
        let into_earn = if is_subscription { amount } else { -amount };
        let part =
            |wallet, amount| Movement { wallet, kind: Kind::Transfer, coin: coin.clone(), amount };
        let parts = vec![part(Wallet::Spot, -into_earn), part(Wallet::Earn, into_earn)];
        let entry = self.entry(Kind::Transfer, parts);
        Parsed::Entry(Box::new(Entry { note: self.text("productTag"), ..entry }))
    }

    fn interest(&self) -> Parsed {
        let Some((coin, amount)) = self.amount("coinName", "amount") else { return NO_AMOUNT };
        let kind = Kind::EarnInterest;
        let movement = Movement { wallet: Wallet::Spot, kind, coin, amount };
        Parsed::Entry(Box::new(self.entry(kind, vec![movement])))
    }

    fn loan(&self) -> Parsed {
        let Some(pair) = self.text("symbol") else { return NO_SYMBOL };
        let amount = self.amount("currency", "borrow_amount");
        let Some((coin, amount)) = amount else { return NO_AMOUNT };
        let wallet = Wallet::Margin(pair);
        let movement = Movement { wallet, kind: Kind::Loan, coin, amount };
        Parsed::Entry(Box::new(self.entry(Kind::Loan, vec![movement])))
    }

    fn repayment(&self) -> Parsed {
        let Some(pair) = self.text("symbol") else { return NO_SYMBOL };
        let amount = self.amount("currency", "repaid_amount");
        let Some((coin, amount)) = amount else { return NO_AMOUNT };
        // The principal is the rest, so that the parts add up to the whole.
        let Some(interest) = exact(&self.row["repaid_interest"]) else { return NO_INTEREST };
        let out = |kind, amount: Decimal| Movement {
            wallet: Wallet::Margin(pair.clone()),
            kind,
            coin: coin.clone(),
            amount: -amount,
        };
        let Some(principal) = amount.checked_sub(interest) else { return NO_AMOUNT };
        let parts = [(Kind::LoanRepayment, principal), (Kind::MarginInterest, interest)];
        let movements = parts
            .into_iter()
            .filter(|(_, part)| !part.is_zero())
            .map(|(kind, part)| out(kind, part));
        Parsed::Entry(Box::new(self.entry(Kind::LoanRepayment, movements.collect())))
    }
}

/// Reads a coin and its amount.
fn amount_of(row: &Value, coin: &str, amount: &str) -> Option<(String, Decimal)> {
    Some((text(row, coin)?, exact(row.get(amount)?)?))
}

/// Reads a text that is not empty, or a number as text.
pub(super) fn text(row: &Value, name: &str) -> Option<String> {
    match row.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Reads a number, written as text or number. `None` if it would be rounded.
pub(super) fn exact(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    if let Some((digits, _)) = text.split_once(['e', 'E']) {
        // The conversion below rounds them.
        Decimal::from_str_exact(digits).ok()?;
        return Decimal::from_scientific(&text).ok();
    }
    Decimal::from_str_exact(&text).ok()
}

#[cfg(test)]
mod tests {
    use bitmart::dec;
    use serde_json::json;

    use super::exact;

    #[test]
    fn a_number_with_more_digits_than_a_decimal_holds_is_no_amount() {
        let long = format!("1.{}1", "0".repeat(30));
        assert_eq!(exact(&json!(long)), None);
        assert_eq!(exact(&json!(format!("{long}e0"))), None, "with an exponent");
        assert_eq!(exact(&json!("1.25e-2")), Some(dec!(0.0125)));
        assert_eq!(exact(&json!("1.25E+3")), Some(dec!(1250)));
    }
}
