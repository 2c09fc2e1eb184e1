//! What the rows of histories say about money.

use bitmart::rest::history::RowKey;
use bitmart::{Decimal, Timestamp};
use serde_json::Value;

use super::{Entry, Kind, Movement, Problems, Wallet};
use crate::export::Archive;
use crate::failure::Failure;

/// What a row becomes.
pub(super) enum Read {
    Entry(Box<Entry>),
    /// It moved no money.
    Nothing,
    /// It may have, and cannot be told.
    Problem(&'static str),
}

const NO_TIME: Read = Read::Problem("the exchange told no time");
const NO_AMOUNT: Read =
    Read::Problem("without a coin, or without an amount that can be held exactly");
const NO_SYMBOL: Read = Read::Problem("without a pair");

/// Reads a row of one of the histories that move money.
pub(super) fn read(dataset: &str, key: &RowKey, row: &Value) -> Read {
    let Some(time) = key.time else { return NO_TIME };
    let new = Reader { dataset, key, row, time };
    match dataset {
        "deposits" => new.deposit(),
        "withdrawals" => new.withdrawal(),
        "trades" => new.trade(),
        "futures-transfers" => new.futures_transfer(),
        "futures-transactions" => new.flow(Wallet::Futures),
        "copy-trading-transactions" => new.flow(Wallet::CopyTrading),
        "earn-flexible-subscriptions" | "earn-fixed-subscriptions" => new.saving(true),
        "earn-flexible-redemptions" | "earn-fixed-redemptions" => new.saving(false),
        "earn-flexible-interest" | "earn-fixed-interest" => new.interest(),
        _ if dataset.starts_with("margin-loans-") => new.loan(),
        _ if dataset.starts_with("margin-repayments-") => new.repayment(),
        _ => Read::Nothing,
    }
}

/// Lists of money whose rows become no entries: nobody says where it was paid, or when.
pub(super) fn without_entries(archive: &Archive, problems: &mut Problems) -> Result<(), Failure> {
    for (name, coin, amount, why) in [
        (
            "futures-repayments",
            "from_coin_code",
            "from_amount",
            "the exchange does not say when, and whether futures-transactions tells it as well",
        ),
        (
            "futures-interest",
            "coin_code",
            "interest",
            "the exchange does not say whether futures-transactions tells it as well",
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

/// A row, and what is known of it.
struct Reader<'a> {
    dataset: &'a str,
    key: &'a RowKey,
    row: &'a Value,
    time: Timestamp,
}

impl Reader<'_> {
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
        }
    }

    fn deposit(&self) -> Read {
        // 3 is done: nothing else has reached the account.
        if self.row["status"] != 3 {
            return Read::Nothing;
        }
        let Some((coin, amount)) = self.amount("currency", "arrival_amount") else {
            return NO_AMOUNT;
        };
        let movement = Movement { wallet: Wallet::Spot, kind: Kind::Deposit, coin, amount };
        self.funded(Kind::Deposit, vec![movement])
    }

    fn withdrawal(&self) -> Read {
        // 4 and 5 were given up, and the money is back.
        if self.row["status"] == 4 || self.row["status"] == 5 {
            return Read::Nothing;
        }
        let amount = self.amount("currency", "arrival_amount");
        let Some((coin, amount)) = amount else { return NO_AMOUNT };
        let fee =
            if is_told(self.row, "fee") { exact(&self.row["fee"]) } else { Some(Decimal::ZERO) };
        let Some(fee) = fee else { return NO_AMOUNT };
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
        self.funded(Kind::Withdrawal, movements)
    }

    /// Deposits and withdrawals name the network with the currency: `USDT-TRC20`.
    fn funded(&self, kind: Kind, mut movements: Vec<Movement>) -> Read {
        let network = movements[0].coin.split_once('-').map(|(_, network)| network.to_owned());
        for movement in &mut movements {
            if let Some((coin, _)) = movement.coin.split_once('-') {
                movement.coin = coin.to_owned();
            }
        }
        // The id alone: what kind of row it is the dataset says.
        let id = ["deposit_id", "withdraw_id"].iter().find_map(|name| self.text(name));
        let row = id.unwrap_or_else(|| self.key.id.clone());
        let entry = self.entry(kind, movements);
        let tx_hash = self.text("tx_id");
        Read::Entry(Box::new(Entry { tx_hash, note: network, row, ..entry }))
    }

    fn trade(&self) -> Read {
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
            _ => return Read::Problem("neither a buy nor a sale"),
        };
        let (Some(size), Some(notional)) = (exact(&self.row["size"]), exact(&self.row["notional"]))
        else {
            return NO_AMOUNT;
        };
        let leg = |kind, coin: &str, amount| Movement {
            wallet: wallet.clone(),
            kind,
            coin: coin.to_owned(),
            amount,
        };
        let mut movements =
            vec![leg(Kind::Trade, base, sign * size), leg(Kind::Trade, quote, -sign * notional)];
        if is_told(self.row, "fee") {
            let Some(fee) = exact(&self.row["fee"]) else { return NO_AMOUNT };
            let coin = self.text("feeCoinName");
            match (coin, fee.is_zero()) {
                (_, true) => {}
                (Some(coin), _) => {
                    let kind = if fee < Decimal::ZERO { Kind::Rebate } else { Kind::Fee };
                    movements.push(leg(kind, &coin, -fee));
                }
                (None, _) => return NO_AMOUNT,
            }
        }
        let entry = self.entry(Kind::Trade, movements);
        Read::Entry(Box::new(Entry {
            order_id: self.text("orderId"),
            trade_id: self.text("tradeId"),
            price: exact(&self.row["price"]),
            ..entry
        }))
    }

    /// The side of spot; that of futures is among its transactions.
    fn futures_transfer(&self) -> Read {
        let sign = match self.text("type").as_deref() {
            Some("spot_to_contract") => Decimal::NEGATIVE_ONE,
            Some("contract_to_spot") => Decimal::ONE,
            _ => return Read::Problem("neither to futures nor from there"),
        };
        match self.text("state").as_deref() {
            Some("FINISHED") => {}
            Some("FAILED") => return Read::Nothing,
            _ => return Read::Problem("not known to be finished"),
        }
        let Some((coin, amount)) = self.amount("currency", "amount") else { return NO_AMOUNT };
        let amount = sign * amount;
        let movement = Movement { wallet: Wallet::Spot, kind: Kind::Transfer, coin, amount };
        Read::Entry(Box::new(self.entry(Kind::Transfer, vec![movement])))
    }

    /// Futures have no coins but money: profit, fees and payments are all that moves it.
    fn flow(&self, wallet: Wallet) -> Read {
        let Some((coin, amount)) = self.amount("asset", "amount") else { return NO_AMOUNT };
        if amount.is_zero() {
            return Read::Nothing;
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
        Read::Entry(Box::new(Entry { note: name.filter(|_| kind == Kind::Other), ..entry }))
    }

    fn saving(&self, goes_in: bool) -> Read {
        let Some((coin, amount)) = self.amount("coinName", "amount") else { return NO_AMOUNT };
        let into_earn = if goes_in { amount } else { -amount };
        let leg =
            |wallet, amount| Movement { wallet, kind: Kind::Transfer, coin: coin.clone(), amount };
        let legs = vec![leg(Wallet::Spot, -into_earn), leg(Wallet::Earn, into_earn)];
        let entry = self.entry(Kind::Transfer, legs);
        Read::Entry(Box::new(Entry { note: self.text("productTag"), ..entry }))
    }

    fn interest(&self) -> Read {
        let Some((coin, amount)) = self.amount("coinName", "amount") else { return NO_AMOUNT };
        let kind = Kind::EarnInterest;
        let movement = Movement { wallet: Wallet::Spot, kind, coin, amount };
        Read::Entry(Box::new(self.entry(kind, vec![movement])))
    }

    fn loan(&self) -> Read {
        let Some(pair) = self.text("symbol") else { return NO_SYMBOL };
        let amount = self.amount("currency", "borrow_amount");
        let Some((coin, amount)) = amount else { return NO_AMOUNT };
        let wallet = Wallet::Margin(pair);
        let movement = Movement { wallet, kind: Kind::Loan, coin, amount };
        Read::Entry(Box::new(self.entry(Kind::Loan, vec![movement])))
    }

    fn repayment(&self) -> Read {
        let Some(pair) = self.text("symbol") else { return NO_SYMBOL };
        let amount = self.amount("currency", "repaid_amount");
        let Some((coin, amount)) = amount else { return NO_AMOUNT };
        // What is not interest is principal, so that the parts are the whole.
        let interest = exact(&self.row["repaid_interest"]).unwrap_or_default();
        let out = |kind, amount: Decimal| Movement {
            wallet: Wallet::Margin(pair.clone()),
            kind,
            coin: coin.clone(),
            amount: -amount,
        };
        let parts = [(Kind::LoanRepayment, amount - interest), (Kind::MarginInterest, interest)];
        let movements = parts
            .into_iter()
            .filter(|(_, part)| !part.is_zero())
            .map(|(kind, part)| out(kind, part));
        Read::Entry(Box::new(self.entry(Kind::LoanRepayment, movements.collect())))
    }
}

/// A coin and its amount.
fn amount_of(row: &Value, coin: &str, amount: &str) -> Option<(String, Decimal)> {
    Some((text(row, coin)?, exact(row.get(amount)?)?))
}

fn is_told(row: &Value, name: &str) -> bool {
    row.get(name).is_some_and(|value| !value.is_null() && value != "")
}

/// A text of a row that says something; a number as it is written.
pub(super) fn text(row: &Value, name: &str) -> Option<String> {
    match row.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number with all its digits, written as a text or as a number. `None` for one that would be rounded.
pub(super) fn exact(value: &Value) -> Option<Decimal> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    if text.contains(['e', 'E']) {
        return Decimal::from_scientific(&text).ok();
    }
    Decimal::from_str_exact(&text).ok()
}
