//! The second half of a plan: bringing money together on spot, and withdrawing it.

use bitmart::Decimal;

use super::super::facts::{Destination, Loan, Network, Wallet};
use super::{INSIDE, LEAST_FUTURES, Maker, Step, margin_step, round_down};

/// A withdrawal that could be made.
struct Way<'a> {
    network: &'a Network,
    to: &'a Destination,
    fee: Decimal,
    amount: Decimal,
}

impl Maker<'_> {
    pub(super) fn bring_together(&mut self) {
        // Sub-accounts before futures, since their futures money takes two steps.
        let order = |wallet: &Wallet| match wallet {
            Wallet::SubFutures(_) => 0,
            Wallet::SubSpot(_) => 1,
            Wallet::Futures => 2,
            _ => 3,
        };
        for rank in 0..=3 {
            let here: Vec<_> =
                self.free.keys().filter(|key| order(&key.0) == rank).cloned().collect();
            for (wallet, currency) in here {
                self.bring(&wallet, &currency);
            }
        }
    }

    fn bring(&mut self, wallet: &Wallet, currency: &str) {
        let free = self.free(wallet, currency);
        let amount = round_down(free, INSIDE);
        let sum = |more: Vec<(&'static str, String)>| {
            let both = [("currency", currency.to_owned()), ("amount", amount.to_string())];
            both.into_iter().chain(more).collect::<Vec<_>>()
        };
        let (to, endpoint, parameters) = match wallet {
            Wallet::SubFutures(name) => (
                Wallet::Futures,
                "futures_sub_accounts_transfer_sub_to_main",
                sum(vec![("subAccount", name.clone())]),
            ),
            Wallet::SubSpot(name) => (
                Wallet::Spot,
                "sub_accounts_transfer_sub_to_main",
                sum(vec![("subAccount", name.clone())]),
            ),
            Wallet::Futures if amount < LEAST_FUTURES => {
                let why =
                    format!("less than {LEAST_FUTURES}, the least that leaves the futures wallet");
                return self.take_out(wallet, currency, &why);
            }
            Wallet::Futures => (
                Wallet::Spot,
                "futures_transfer",
                sum(vec![("type", "contract_to_spot".to_owned())]),
            ),
            Wallet::Funding => {
                (Wallet::Spot, "account_transfer", sum(vec![("type", "fund_to_spot".to_owned())]))
            }
            Wallet::Spot | Wallet::Margin(_) => return,
        };
        if amount.is_zero() {
            return self.take_out(wallet, currency, "less than what moves inside the exchange");
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
        match self.step(step) {
            Ok(()) => {
                self.shift(wallet, Some(to), currency, amount);
                self.take_out(wallet, currency, "less than what moves inside the exchange");
            }
            Err(why) => self.take_out(wallet, currency, &why),
        }
    }

    /// What is free there stays there.
    fn take_out(&mut self, wallet: &Wallet, currency: &str, why: &str) {
        let amount = self.free.remove(&(wallet.clone(), currency.to_owned())).unwrap_or_default();
        self.stuck(wallet, currency, amount, why);
    }

    /// Takes out of isolated margin what secures no loan.
    pub(super) fn leave_margin(&mut self, owed: &[Loan]) {
        let here: Vec<_> = self.free.keys().cloned().collect();
        for (wallet, currency) in here {
            let Wallet::Margin(symbol) = &wallet else { continue };
            if let Some(loan) = owed.iter().find(|loan| loan.symbol == *symbol) {
                let why = format!(
                    "secures a loan of {} {}, which nothing here can repay",
                    loan.owed.normalize(),
                    loan.currency
                );
                self.take_out(&wallet, &currency, &why);
                continue;
            }
            let amount = round_down(self.free(&wallet, &currency), INSIDE);
            if amount > Decimal::ZERO {
                match self.step(margin_step(symbol, &currency, amount, "out")) {
                    Ok(()) => self.shift(&wallet, Some(Wallet::Spot), &currency, amount),
                    Err(why) => self.take_out(&wallet, &currency, &why),
                }
            }
            self.take_out(&wallet, &currency, "less than what moves inside the exchange");
        }
    }

    pub(super) fn withdraw(&mut self) {
        let mut quota = self.facts.quota_btc;
        let here: Vec<_> = self.free.keys().cloned().collect();
        for (wallet, currency) in here {
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
        let mut ways = Vec::new();
        let mut reasons = Vec::new();
        for network in self.facts.networks.iter().filter(|network| network.currency == currency) {
            match way(network, &self.facts.destinations, allowed) {
                Ok(way) => ways.push(way),
                Err(why) => reasons.push(why),
            }
        }
        // The one that lets most arrive.
        ways.sort_by_key(|way| (way.fee - way.amount, way.network.code.clone()));
        let Some(best) = ways.into_iter().next() else {
            let why = match (reasons.is_empty(), allowed < free) {
                (true, _) => "the exchange lists no network for it".to_owned(),
                (false, true) => format!("over today's quota; {}", reasons.join("; ")),
                (false, false) => reasons.join("; "),
            };
            return self.take_out(wallet, currency, &why);
        };
        let amount = best.amount;
        match self.step(withdraw_step(&best, currency)) {
            Ok(()) => {
                self.shift(wallet, None, currency, amount);
                if let (Some(left), Some(price)) = (quota.as_mut(), in_btc) {
                    *left = (*left - amount.checked_mul(price).unwrap_or(*left)).max(Decimal::ZERO);
                }
                let why = if allowed < free {
                    "over what may be withdrawn today: run it again tomorrow"
                } else {
                    "finer than what can be withdrawn"
                };
                self.take_out(wallet, currency, why);
            }
            Err(why) => self.take_out(wallet, currency, &why),
        }
    }
}

/// The withdrawal of `free` by a network, or why there is none.
fn way<'a>(network: &'a Network, to: &'a [Destination], free: Decimal) -> Result<Way<'a>, String> {
    let name = &network.name;
    if network.open == Some(false) {
        return Err(format!("{name} does not withdraw"));
    }
    let here = || to.iter().filter(|to| to.code == network.code);
    let Some(to) = here().find(|to| to.doubts.is_empty()).or_else(|| here().next()) else {
        return Err(format!("no saved and verified address for {name}"));
    };
    if let Some(doubt) = to.doubts.first() {
        return Err(format!("{name}: {doubt}"));
    }
    let Some(fee) = network.fee else { return Err(format!("{name}: the fee is not told")) };
    let mut amount = round_down(free, network.decimals.unwrap_or(INSIDE));
    if let Some(step) = network.multiple_of.map(Decimal::from).filter(|step| !step.is_zero()) {
        amount = (amount - amount % step).normalize();
    }
    let minimum = network.minimum.unwrap_or_default();
    if amount < minimum {
        let minimum = minimum.normalize();
        return Err(format!("below {minimum}, the least that {name} withdraws"));
    }
    if amount <= fee {
        return Err(format!("not more than the fee of {} on {name}", fee.normalize()));
    }
    Ok(Way { network, to, fee, amount })
}

fn withdraw_step(way: &Way<'_>, currency: &str) -> Step {
    let Way { network, to, fee, amount } = way;
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
        text: format!("withdraw {amount} {currency} by {} to {}", network.name, to.name),
        endpoint: "account_withdraw",
        parameters,
        currency: Some(currency.to_owned()),
        amount: Some(*amount),
        notes: vec![format!("fee {}, {arrives} {currency} arrive", fee.normalize())],
    }
}
