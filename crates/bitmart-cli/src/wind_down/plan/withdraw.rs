//! The second half of a plan: transfers to the spot wallet, and withdrawals.

use bitmart::Decimal;

use super::super::facts::{Destination, Loan, Network, Wallet};
use super::{MIN_FUTURES_TRANSFER, Planner, Step, TRANSFER_DECIMALS, margin_step, round_down};

/// A possible withdrawal.
struct Withdrawal<'a> {
    network: &'a Network,
    to: &'a Destination,
    fee: Decimal,
    amount: Decimal,
}

impl Planner<'_> {
    pub(super) fn transfer_to_spot(&mut self) {
        // Sub-accounts come first: their futures balance takes two transfers.
        let order = |wallet: &Wallet| match wallet {
            Wallet::SubFutures(_) => 0,
            Wallet::SubSpot(_) => 1,
            Wallet::Futures => 2,
            _ => 3,
        };
        for rank in 0..=3 {
            let keys: Vec<_> =
                self.free.keys().filter(|key| order(&key.0) == rank).cloned().collect();
            for (wallet, currency) in keys {
                self.transfer(&wallet, &currency);
            }
        }
    }

    fn transfer(&mut self, wallet: &Wallet, currency: &str) {
        let free = self.free(wallet, currency);
        let amount = round_down(free, TRANSFER_DECIMALS);
        let parameters = |more: Vec<(&'static str, String)>| {
            let common = [("currency", currency.to_owned()), ("amount", amount.to_string())];
            common.into_iter().chain(more).collect::<Vec<_>>()
        };
        let (to, endpoint, parameters) = match wallet {
            Wallet::SubFutures(name) => (
                Wallet::Futures,
                "futures_sub_accounts_transfer_sub_to_main",
                parameters(vec![("subAccount", name.clone())]),
            ),
            Wallet::SubSpot(name) => (
                Wallet::Spot,
                "sub_accounts_transfer_sub_to_main",
                parameters(vec![("subAccount", name.clone())]),
            ),
            Wallet::Futures if amount < MIN_FUTURES_TRANSFER => {
                let why = format!(
                    "less than {MIN_FUTURES_TRANSFER}, the minimum of transfers from the futures wallet"
                );
                return self.mark_stuck(wallet, currency, &why);
            }
            Wallet::Futures => (
                Wallet::Spot,
                "futures_transfer",
                parameters(vec![("type", "contract_to_spot".to_owned())]),
            ),
            Wallet::Funding => (
                Wallet::Spot,
                "account_transfer",
                parameters(vec![("type", "fund_to_spot".to_owned())]),
            ),
            Wallet::Spot | Wallet::Margin(_) => return,
        };
        if amount.is_zero() {
            return self.mark_stuck(wallet, currency, "less than the smallest transfer");
        }
        let step = Step {
            key: format!("bring {currency} from {wallet}"),
            text: format!("move {amount} {currency} from {wallet} to {to}"),
            endpoint,
            parameters,
            currency: Some(currency.to_owned()),
            amount: Some(amount),
            notes: Vec::new(),
        };
        match self.add_step(step) {
            Ok(()) => {
                self.shift(wallet, Some(to), currency, amount);
                self.mark_stuck(wallet, currency, "less than the smallest transfer");
            }
            Err(why) => self.mark_stuck(wallet, currency, &why),
        }
    }

    /// Marks the free amount of a wallet as stuck.
    fn mark_stuck(&mut self, wallet: &Wallet, currency: &str, why: &str) {
        let amount = self.free.remove(&(wallet.clone(), currency.to_owned())).unwrap_or_default();
        self.add_stuck(wallet, currency, amount, why);
    }

    /// Transfers from isolated margin accounts without a loan.
    pub(super) fn empty_margin(&mut self, owed: &[Loan]) {
        let keys: Vec<_> = self.free.keys().cloned().collect();
        for (wallet, currency) in keys {
            let Wallet::Margin(symbol) = &wallet else { continue };
            if let Some(loan) = owed.iter().find(|loan| loan.symbol == *symbol) {
                let why = format!(
                    "secures a loan of {} {}, which cannot be repaid",
                    loan.owed.normalize(),
                    loan.currency
                );
                self.mark_stuck(&wallet, &currency, &why);
                continue;
            }
            let amount = round_down(self.free(&wallet, &currency), TRANSFER_DECIMALS);
            if amount > Decimal::ZERO {
                match self.add_step(margin_step(symbol, &currency, amount, "out")) {
                    Ok(()) => self.shift(&wallet, Some(Wallet::Spot), &currency, amount),
                    Err(why) => self.mark_stuck(&wallet, &currency, &why),
                }
            }
            self.mark_stuck(&wallet, &currency, "less than the smallest transfer");
        }
    }

    pub(super) fn withdraw(&mut self) {
        let mut quota = self.facts.quota_btc;
        let keys: Vec<_> = self.free.keys().cloned().collect();
        for (wallet, currency) in keys {
            let free = self.free(&wallet, &currency);
            if free > Decimal::ZERO {
                self.withdraw_one(&wallet, &currency, free, &mut quota);
            } else {
                self.free.remove(&(wallet, currency));
            }
        }
    }

    fn withdraw_one(
        &mut self,
        wallet: &Wallet,
        currency: &str,
        free: Decimal,
        quota: &mut Option<Decimal>,
    ) {
        let in_btc =
            self.facts.worth(currency, Decimal::ONE).zip(self.facts.worth("BTC", Decimal::ONE));
        let in_btc = in_btc.and_then(|(price, btc)| price.checked_div(btc));
        let most = match (*quota, in_btc.filter(|price| !price.is_zero())) {
            (Some(left), Some(price)) => left.checked_div(price),
            _ => None,
        };
        let allowed = most.map_or(free, |most| free.min(most));
        let mut possible = Vec::new();
        let mut reasons = Vec::new();
        let networks = || self.facts.networks.iter().filter(|one| one.currency == currency);
        let destinations = destinations(networks(), &self.facts.destinations);
        let is_named = destinations.iter().any(|to| to.is_named);
        for network in networks() {
            // The user has chosen the network together with the address.
            if is_named && !destinations.iter().any(|to| to.code == network.code) {
                continue;
            }
            match withdrawal(network, &destinations, allowed) {
                Ok(withdrawal) => possible.push(withdrawal),
                Err(why) => reasons.push(why),
            }
        }
        // The largest net amount first.
        possible.sort_by_key(|one| (one.fee - one.amount, one.network.code.clone()));
        let Some(best) = possible.into_iter().next() else {
            let why = match (reasons.is_empty(), allowed < free) {
                (true, _) => "the exchange lists no network for it".to_owned(),
                (false, true) => format!("over today's quota; {}", reasons.join("; ")),
                (false, false) => reasons.join("; "),
            };
            return self.mark_stuck(wallet, currency, &why);
        };
        let amount = best.amount;
        match self.add_step(withdraw_step(&best, currency)) {
            Ok(()) => {
                self.shift(wallet, None, currency, amount);
                if let (Some(left), Some(price)) = (quota.as_mut(), in_btc) {
                    *left = (*left - amount.checked_mul(price).unwrap_or(*left)).max(Decimal::ZERO);
                }
                let why = if allowed < free {
                    "over today's quota: run the command again tomorrow"
                } else {
                    "below the precision of withdrawals"
                };
                self.mark_stuck(wallet, currency, why);
            }
            Err(why) => self.mark_stuck(wallet, currency, &why),
        }
    }
}

/// The addresses for a coin on its networks: those of `--to` alone if there is one, else the saved ones.
fn destinations<'a>(
    networks: impl Iterator<Item = &'a Network>,
    all: &'a [Destination],
) -> Vec<&'a Destination> {
    let codes: Vec<_> = networks.map(|network| network.code.as_str()).collect();
    let of_coin = || all.iter().filter(|to| codes.contains(&to.code.as_str()));
    let is_named = of_coin().any(|to| to.is_named);
    of_coin().filter(|to| to.is_named == is_named).collect()
}

/// The withdrawal of `free` on a network, or the reason why it is not possible.
fn withdrawal<'a>(
    network: &'a Network,
    to: &[&'a Destination],
    free: Decimal,
) -> Result<Withdrawal<'a>, String> {
    let name = &network.name;
    if network.open == Some(false) {
        return Err(format!("withdrawals on {name} are closed"));
    }
    let here = || to.iter().copied().filter(|to| to.code == network.code);
    let Some(to) = here().find(|to| to.risks.is_empty()).or_else(|| here().next()) else {
        return Err(format!("no saved and verified address for {name}"));
    };
    if let Some(risk) = to.risks.first() {
        return Err(format!("{name}: {risk}"));
    }
    let Some(fee) = network.fee else { return Err(format!("{name}: the fee is unknown")) };
    let mut amount = round_down(free, network.decimals.unwrap_or(TRANSFER_DECIMALS));
    if let Some(step) = network.multiple_of.map(Decimal::from).filter(|step| !step.is_zero()) {
        amount = (amount - amount % step).normalize();
    }
    let minimum = network.minimum.unwrap_or_default();
    if amount < minimum {
        let minimum = minimum.normalize();
        return Err(format!("below {minimum}, the minimum of {name}"));
    }
    if amount <= fee {
        return Err(format!("not more than the fee of {} on {name}", fee.normalize()));
    }
    Ok(Withdrawal { network, to, fee, amount })
}

fn withdraw_step(withdrawal: &Withdrawal<'_>, currency: &str) -> Step {
    let Withdrawal { network, to, fee, amount } = withdrawal;
    let mut parameters = vec![
        ("currency", network.code.clone()),
        ("amount", amount.to_string()),
        ("address", to.address.clone()),
    ];
    if !to.memo.is_empty() {
        parameters.push(("address_memo", to.memo.clone()));
    }
    let arrives = (*amount - *fee).normalize();
    Step {
        key: format!("withdraw {currency}"),
        text: format!("withdraw {amount} {currency} on {} to {}", network.name, to.name),
        endpoint: "account_withdraw",
        parameters,
        currency: Some(currency.to_owned()),
        amount: Some(*amount),
        notes: vec![format!("fee {}, {arrives} {currency} arrive", fee.normalize())],
    }
}
