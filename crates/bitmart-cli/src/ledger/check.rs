//! Compares the last balances that the exchange reported with the sums of the movements in the ledger. They differ
//! where money moved that no list of the exchange contains, so that each difference names its possible reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bitmart::{Decimal, Timestamp};
use serde_json::Value;

use super::rows::{exact, text};
use super::{Ledger, Problems, Sums, Wallet, add, plus};
use crate::export::Archive;
use crate::failure::Failure;

/// A balance and the sum of its movements, which may be equal.
#[derive(Debug)]
pub(crate) struct Difference {
    /// `None` for the coin in all wallets together.
    pub(crate) wallet: Option<Wallet>,
    pub(crate) coin: String,
    /// As the exchange reported it last.
    pub(crate) balance: Decimal,
    /// Sum of the movements in the archive.
    pub(crate) movement_sum: Decimal,
    /// Possible reasons for a difference. Empty if there is none.
    pub(crate) reasons: Vec<&'static str>,
}

impl Difference {
    pub(crate) fn amount(&self) -> Decimal {
        self.balance.saturating_sub(self.movement_sum)
    }

    /// Formats a line, and for a difference a second one with the possible reasons.
    pub(crate) fn lines(&self) -> String {
        if self.reasons.is_empty() {
            return format!("{self}\n");
        }
        format!("{self}\n  it may be: {}\n", self.reasons.join("; or "))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.wallet {
            Some(wallet) => write!(f, "{wallet} ")?,
            None => f.write_str("all wallets ")?,
        }
        let plain = |amount: Decimal| amount.normalize();
        let Self { coin, balance, movement_sum, .. } = self;
        let (balance, sum, amount) = (plain(*balance), plain(*movement_sum), plain(self.amount()));
        write!(f, "{coin}: balance {balance}, movements {sum}, difference {amount}")
    }
}

// Possible reasons for a difference.

const BEFORE_ARCHIVE: &str =
    "what the account had before the archive begins, or received without a row in any list";
const MARGIN_TRANSFERS: &str = "transfers into and out of isolated margin, which are in no list";
const OTHER_DEPOSITS: &str =
    "deposits to the funding or futures account: the rows do not contain the account";
const NOT_IN_LEDGER: &str =
    "rows that are not in the ledger, or without their fee, as listed above";
const SUB_ACCOUNT_TRANSFERS: &str =
    "transfers with sub-accounts beyond the newest 100, which is all that the exchange returns";
const INCOMPLETE_LISTS: &str = "lists that are not complete by the manifest";
const UNLISTED_SAVINGS: &str = "savings whose records the exchange does not return";

/// Compares the sums of all movements with the newest balances of the archive: per wallet and coin, then per coin in
/// all wallets, since some transfers between wallets are in no list. Coins without balance and movements are left
/// out, and those whose balance lacks an amount: the problems name them.
///
/// # Errors
/// If a file of the archive cannot be read.
pub(crate) fn check(archive: &Archive) -> Result<(Vec<Difference>, Problems), Failure> {
    let (movements, mut problems) = Ledger::new(archive).sums(None)?;
    let has_problems = !problems.is_empty();
    let Balances { sums: balances, unknown } = balances(archive, &mut problems)?;
    // Balance and movements of a coin in all wallets.
    let mut by_coin: BTreeMap<String, (Decimal, Decimal)> = BTreeMap::new();
    let inside = |(wallet, _): &&(Wallet, String)| wallet.is_inside();
    let keys: BTreeSet<_> = balances.keys().chain(movements.keys().filter(inside)).collect();
    let keys = keys.into_iter().filter(|key| !unknown.contains(key));
    let mut compared = Vec::new();
    for key @ (wallet, coin) in keys {
        let of = |sums: &Sums| sums.get(key).copied().unwrap_or_default();
        let (balance, movement_sum) = (of(&balances), of(&movements));
        let sums = by_coin.entry(coin.clone()).or_default();
        plus(&mut sums.0, balance)?;
        plus(&mut sums.1, movement_sum)?;
        if balance_dataset(wallet).is_some_and(|name| archive.has(name)) {
            compared.push((Some(wallet.clone()), coin.clone(), balance, movement_sum));
        }
    }
    if BALANCE_DATASETS.iter().all(|name| archive.has(name)) {
        by_coin.retain(|coin, _| unknown.iter().all(|(_, unknown)| unknown != coin));
        let coins = by_coin.into_iter();
        compared.extend(coins.map(|(coin, (balance, sum))| (None, coin, balance, sum)));
    }
    compared.retain(|(_, _, balance, sum)| !balance.is_zero() || !sum.is_zero());
    let has_margin = balances.keys().chain(movements.keys()).any(|(wallet, _)| is_margin(wallet));
    let reasons = |wallet: &Option<Wallet>| {
        let of_spot = *wallet == Some(Wallet::Spot);
        [
            (true, BEFORE_ARCHIVE),
            (has_margin && (of_spot || wallet.as_ref().is_some_and(is_margin)), MARGIN_TRANSFERS),
            (of_spot || *wallet == Some(Wallet::Futures), OTHER_DEPOSITS),
            (*wallet == Some(Wallet::Earn), UNLISTED_SAVINGS),
            (archive.has("sub-account-transfers"), SUB_ACCOUNT_TRANSFERS),
            (has_problems, NOT_IN_LEDGER),
            (!archive.incomplete().is_empty(), INCOMPLETE_LISTS),
        ]
    };
    let differences = compared.into_iter().map(|(wallet, coin, balance, movement_sum)| {
        let is_equal = balance == movement_sum;
        let reasons = reasons(&wallet).into_iter().filter(|(applies, _)| *applies && !is_equal);
        let reasons = reasons.map(|(_, reason)| reason).collect();
        Difference { wallet, coin, balance, movement_sum, reasons }
    });
    Ok((differences.collect(), problems))
}

/// The datasets of balances.
const BALANCE_DATASETS: [&str; 4] =
    ["balances-spot", "balances-futures", "balances-margin", "balances-earn"];

/// The dataset with the balances of a wallet. Copy trading has none.
fn balance_dataset(wallet: &Wallet) -> Option<&'static str> {
    match wallet {
        Wallet::Spot => Some(BALANCE_DATASETS[0]),
        Wallet::Futures => Some(BALANCE_DATASETS[1]),
        Wallet::Margin(_) => Some(BALANCE_DATASETS[2]),
        Wallet::Earn => Some(BALANCE_DATASETS[3]),
        Wallet::CopyTrading | Wallet::SubAccount(_) => None,
    }
}

fn is_margin(wallet: &Wallet) -> bool {
    matches!(wallet, Wallet::Margin(_))
}

/// Balances by wallet and coin.
#[derive(Default)]
struct Balances {
    sums: Sums,
    /// Those that lack an amount. They have no sum.
    unknown: BTreeSet<(Wallet, String)>,
}

impl Balances {
    /// Adds a row. `when` is the time of its snapshot if there are several.
    fn add(
        &mut self,
        dataset: &str,
        row: &Value,
        when: Option<Timestamp>,
        problems: &mut Problems,
    ) -> Result<(), Failure> {
        for balance in row_balances(dataset, row)? {
            let (key, why) = match balance {
                RowBalance::Known(key, _) if self.unknown.contains(&key) => continue,
                RowBalance::Known(key, amount) => {
                    add(&mut self.sums, key, amount)?;
                    continue;
                }
                RowBalance::Unknown(key) => (Some(key), NO_BALANCE),
                RowBalance::Nameless(why) => (None, why),
            };
            let mut id = match &key {
                Some((wallet @ Wallet::Margin(_), coin)) => format!("{wallet} {coin}"),
                Some((_, coin)) => coin.clone(),
                None => String::new(),
            };
            if let Some(when) = when.filter(|_| !id.is_empty()) {
                id += &format!(" at {when}");
            }
            problems.add(dataset, why, &id, &[]);
            if let Some(key) = key {
                self.sums.remove(&key);
                self.unknown.insert(key);
            }
        }
        Ok(())
    }
}

/// Reads the newest balances. Those that lack an amount are added to `problems`.
fn balances(archive: &Archive, problems: &mut Problems) -> Result<Balances, Failure> {
    let mut balances = Balances::default();
    for name in BALANCE_DATASETS {
        archive.newest(name, |row| balances.add(name, row, None, problems))?;
    }
    Ok(balances)
}

/// Passes the time and the balances of every snapshot to `each`, oldest first within a dataset. Balances that lack an
/// amount are left out and added to `problems`.
///
/// # Errors
/// If a file of the archive cannot be read, and what `each` returns.
pub(crate) fn each_balance_snapshot(
    archive: &Archive,
    problems: &mut Problems,
    mut each: impl FnMut(Timestamp, Sums) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for name in BALANCE_DATASETS {
        let mut snapshot: Option<(Timestamp, Balances)> = None;
        let mut done = Ok(());
        archive.snapshots(name, |row| {
            let taken = row["taken"].as_str().and_then(|taken| taken.parse::<Timestamp>().ok());
            let (Some(taken), Ok(())) = (taken, &done) else { return };
            if let Some((time, balances)) = snapshot.take_if(|(time, _)| *time != taken) {
                done = each(time, balances.sums);
            }
            let (_, balances) = snapshot.get_or_insert_with(|| (taken, Balances::default()));
            let added = balances.add(name, row, Some(taken), problems);
            done = std::mem::replace(&mut done, Ok(())).and(added);
        })?;
        done?;
        if let Some((taken, balances)) = snapshot {
            each(taken, balances.sums)?;
        }
    }
    Ok(())
}

const NO_BALANCE: &str = "the exchange does not send all amounts of the balance";
const NO_COIN: &str = "without a coin";
const NO_PAIR: &str = "without a pair";

/// A balance in a row.
#[derive(Debug, PartialEq)]
enum RowBalance {
    Known((Wallet, String), Decimal),
    /// An amount is absent, or cannot be held exactly.
    Unknown((Wallet, String)),
    /// Its coin or pair is absent; the text says which.
    Nameless(&'static str),
}

impl RowBalance {
    /// `None` if there is neither a coin nor an amount.
    fn new(wallet: Wallet, coin: Option<String>, amount: Option<Decimal>) -> Option<Self> {
        match (coin, amount) {
            (Some(coin), Some(amount)) => Some(Self::Known((wallet, coin), amount)),
            (Some(coin), None) => Some(Self::Unknown((wallet, coin))),
            (None, Some(_)) => Some(Self::Nameless(NO_COIN)),
            (None, None) => None,
        }
    }
}

/// Returns the balances in a row. Spot includes the funding account, which has no movements of its own and is not
/// always sent; futures exclude unrealized profit; margin includes loans.
///
/// # Errors
/// If the amounts of the row have too many digits to be added.
fn row_balances(name: &str, row: &Value) -> Result<Vec<RowBalance>, Failure> {
    // `None` if one of the members is absent.
    let total = |parts: &[&str]| -> Result<Option<Decimal>, Failure> {
        let amounts = parts.iter().map(|part| exact(row.get(part)?));
        let Some(amounts) = amounts.collect::<Option<Vec<_>>>() else { return Ok(None) };
        let mut sum = Decimal::ZERO;
        for amount in amounts {
            plus(&mut sum, amount)
                .map_err(|error| error.with_context(&format!("{name}: {row}")))?;
        }
        Ok(Some(sum))
    };
    let of_one_coin = |wallet: Wallet, coin: &str, amount| {
        RowBalance::new(wallet, text(row, coin), amount).into_iter().collect()
    };
    Ok(match name {
        "balances-spot" => {
            let mut parts = vec!["available", "frozen"];
            let funding = ["fundAvailable", "fundFroze"];
            parts.extend(funding.iter().filter(|part| row.get(part).is_some_and(|v| !v.is_null())));
            of_one_coin(Wallet::Spot, "currency", total(&parts)?)
        }
        "balances-futures" => {
            let amount = match (total(&["equity"])?, total(&["unrealized"])?) {
                (Some(mut equity), Some(unrealized)) => {
                    plus(&mut equity, -unrealized)
                        .map_err(|error| error.with_context(&format!("{name}: {row}")))?;
                    Some(equity)
                }
                _ => None,
            };
            of_one_coin(Wallet::Futures, "currency", amount)
        }
        "balances-margin" => {
            let Some(pair) = text(row, "symbol") else {
                return Ok(vec![RowBalance::Nameless(NO_PAIR)]);
            };
            let mut sides = Vec::new();
            for side in ["base", "quote"] {
                let coin = text(row, &format!("{side}.currency"));
                let parts = ["available", "frozen"].map(|part| format!("{side}.{part}"));
                let amount = total(&[&parts[0], &parts[1]])?;
                sides.extend(RowBalance::new(Wallet::Margin(pair.clone()), coin, amount));
            }
            sides
        }
        _ => of_one_coin(Wallet::Earn, "coinName", total(&["totalUserSum"])?),
    })
}

#[cfg(test)]
mod tests;
