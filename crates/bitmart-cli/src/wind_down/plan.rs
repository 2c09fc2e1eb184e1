//! From facts to a plan: what to cancel, close, repay, redeem, bring together and withdraw, in this order, and
//! what is stuck and why. Nothing here reads or sends.

use std::collections::BTreeMap;

use bitmart::Decimal;
use serde::Serialize;

use super::facts::{By, Facts, Loan, OrderKind, Orders, Wallet};
use steps::{cancel_step, margin_step, redeem_step};

mod leave;
mod steps;
#[cfg(test)]
mod tests;

/// Decimals of amounts that move inside the exchange.
const INSIDE: u32 = 8;
/// The least that moves between futures and spot, as documented.
const LEAST_FUTURES: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// Steps that are not to be done, by their key, and why.
pub(super) type Left = BTreeMap<String, String>;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    /// The same whenever the same is to be done.
    pub(super) key: String,
    /// What it does, in words.
    pub(super) text: String,
    /// The endpoint's id.
    pub(super) endpoint: &'static str,
    /// Its parameters, but for ids that are made when it is sent.
    pub(super) parameters: Vec<(&'static str, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Decimal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
}

/// Money that no step gets out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Stuck {
    pub(super) place: String,
    pub(super) currency: String,
    /// `None` where the exchange does not say.
    pub(super) amount: Option<Decimal>,
    pub(super) reason: String,
    /// About what it would sell for at the last price, in USDT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) worth_usdt: Option<Decimal>,
}

/// What remains owed after all steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Owed {
    pub(super) symbol: String,
    pub(super) currency: String,
    pub(super) amount: Decimal,
}

/// Steps in order, and what stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) stuck: Vec<Stuck>,
    pub(super) owed: Vec<Owed>,
}

/// The plan for `facts`, without the steps that are `left`. The amounts of later steps are expectations: a
/// position that is closed pays what the market gives.
pub(super) fn plan(facts: &Facts, left: &Left) -> Plan {
    let mut maker = Maker { facts, left, free: BTreeMap::new(), plan: Plan::default() };
    for balance in &facts.balances {
        maker.add(balance.wallet.clone(), &balance.currency, balance.free);
    }
    maker.cancel();
    maker.close();
    let later = maker.repay(facts.loans.clone(), false);
    maker.redeem();
    maker.bring_together();
    let owed = maker.repay(later, true);
    maker.leave_margin(&owed);
    maker.plan.owed = owed
        .into_iter()
        .map(|loan| Owed { symbol: loan.symbol, currency: loan.currency, amount: loan.owed })
        .collect();
    maker.withdraw();
    maker.plan
}

/// Builds a plan on balances that follow its steps.
struct Maker<'a> {
    facts: &'a Facts,
    left: &'a Left,
    free: BTreeMap<(Wallet, String), Decimal>,
    plan: Plan,
}

impl Maker<'_> {
    fn add(&mut self, wallet: Wallet, currency: &str, amount: Decimal) {
        if !amount.is_zero() {
            *self.free.entry((wallet, currency.to_owned())).or_default() += amount;
        }
    }

    fn free(&self, wallet: &Wallet, currency: &str) -> Decimal {
        self.free.get(&(wallet.clone(), currency.to_owned())).copied().unwrap_or_default()
    }

    /// Moves an expected amount.
    fn shift(&mut self, from: &Wallet, to: Option<Wallet>, currency: &str, amount: Decimal) {
        *self.free.entry((from.clone(), currency.to_owned())).or_default() -= amount;
        if let Some(to) = to {
            self.add(to, currency, amount);
        }
    }

    /// Takes a step into the plan, unless it is left: then why.
    fn step(&mut self, step: Step) -> Result<(), String> {
        if let Some(why) = self.left.get(&step.key) {
            return Err(why.clone());
        }
        self.plan.steps.push(step);
        Ok(())
    }

    fn stuck(
        &mut self,
        place: &dyn std::fmt::Display,
        currency: &str,
        amount: Decimal,
        reason: &str,
    ) {
        if amount.is_zero() {
            return;
        }
        let worth_usdt = self.facts.worth(currency, amount).map(|worth| worth.round_dp(2));
        self.plan.stuck.push(Stuck {
            place: place.to_string(),
            currency: currency.to_owned(),
            amount: Some(amount.normalize()),
            reason: reason.to_owned(),
            worth_usdt: worth_usdt.filter(|_| currency != "USDT"),
        });
    }

    fn cancel(&mut self) {
        let facts = self.facts;
        let mut why_not: Vec<(&Orders, String)> = Vec::new();
        for orders in &facts.orders {
            if let Err(why) = self.step(cancel_step(orders)) {
                why_not.push((orders, why));
            }
        }
        for balance in &facts.balances {
            for held in &balance.held {
                let (wallet, currency) = (&balance.wallet, &balance.currency);
                let sub = matches!(wallet, Wallet::SubSpot(_) | Wallet::SubFutures(_));
                match held.by {
                    By::Orders | By::Unknown if sub => {
                        let why = "held by orders or positions of the sub-account, which only its own \
                                   key sees";
                        self.stuck(wallet, currency, held.amount, why);
                    }
                    By::Orders => {
                        let touch = |orders: &&Orders| touches(orders, wallet, currency);
                        let declined = why_not.iter().find(|(orders, _)| touch(orders));
                        let frees = facts
                            .orders
                            .iter()
                            .filter(touch)
                            .any(|orders| !why_not.iter().any(|(not, _)| *not == orders));
                        let why = declined.map_or(
                            "held by an order that the exchange does not list",
                            |(_, why)| why,
                        );
                        if frees {
                            self.add(wallet.clone(), currency, held.amount);
                        } else {
                            let why = why.to_owned();
                            self.stuck(wallet, currency, held.amount, &why);
                        }
                    }
                    By::Withdrawal => {
                        let why = "a withdrawal is on its way";
                        self.stuck(wallet, currency, held.amount, why);
                    }
                    By::Unknown => {
                        let why = "held, and the exchange does not say by what";
                        self.stuck(wallet, currency, held.amount, why);
                    }
                    By::Positions => {}
                }
            }
        }
    }

    fn close(&mut self) {
        let facts = self.facts;
        let mut why_not = None;
        for position in &facts.positions {
            let side = if position.long { "long" } else { "short" };
            let key = format!("close {} {side}", position.symbol);
            if let Some(why) = &facts.no_trading {
                why_not = Some(format!("margin of {} {side}: {why}", position.symbol));
                continue;
            }
            let step = Step {
                text: format!(
                    "close {} contracts {} {side} at the market",
                    position.size.normalize(),
                    position.symbol
                ),
                key,
                endpoint: "futures_submit_order",
                parameters: vec![
                    ("symbol", position.symbol.clone()),
                    ("type", "market".to_owned()),
                    // 3 closes a long position and 2 a short one, in both position modes.
                    ("side", if position.long { "3" } else { "2" }.to_owned()),
                    ("size", position.size.normalize().to_string()),
                ],
                currency: None,
                amount: Some(position.size),
                notes: vec!["what it pays is known when it is closed".to_owned()],
            };
            if let Err(why) = self.step(step) {
                why_not = Some(format!("margin of {} {side}: {why}", position.symbol));
            }
        }
        if facts.positions.is_empty() {
            why_not = Some("margin of a position that the exchange does not list".to_owned());
        }
        for balance in &facts.balances {
            for held in balance.held.iter().filter(|held| held.by == By::Positions) {
                match &why_not {
                    None => self.add(balance.wallet.clone(), &balance.currency, held.amount),
                    Some(why) => {
                        self.stuck(&balance.wallet, &balance.currency, held.amount, why);
                    }
                }
            }
        }
    }

    /// Pays loans back from what the margin account and the spot wallet have; what is owed afterwards. The
    /// first time only those that can be paid back whole.
    fn repay(&mut self, loans: Vec<Loan>, in_part: bool) -> Vec<Loan> {
        let mut owed = Vec::new();
        for mut loan in loans {
            let wallet = Wallet::Margin(loan.symbol.clone());
            let there = self.free(&wallet, &loan.currency);
            let missing = (loan.owed - there).max(Decimal::ZERO);
            let spot = round_down(self.free(&Wallet::Spot, &loan.currency), INSIDE);
            let payable = round_down(loan.owed, INSIDE);
            if payable.is_zero() || (missing > spot && !in_part) {
                owed.push(loan);
                continue;
            }
            // Rounded up, so that rounding does not leave a debt that nothing pays.
            let fetched = round_up(missing, INSIDE).min(spot);
            if fetched > Decimal::ZERO {
                let step = margin_step(&loan.symbol, &loan.currency, fetched, "in");
                if self.step(step).is_ok() {
                    self.shift(&Wallet::Spot, Some(wallet.clone()), &loan.currency, fetched);
                }
            }
            let pays = loan.owed.min(self.free(&wallet, &loan.currency));
            let pays = round_down(pays, INSIDE);
            if pays > Decimal::ZERO {
                let step = Step {
                    key: format!("repay {} {}", loan.symbol, loan.currency),
                    text: format!("repay {pays} {} of the loan on {}", loan.currency, loan.symbol),
                    endpoint: "margin_repay",
                    parameters: vec![
                        ("symbol", loan.symbol.clone()),
                        ("currency", loan.currency.clone()),
                        ("amount", pays.to_string()),
                    ],
                    currency: Some(loan.currency.clone()),
                    amount: Some(pays),
                    notes: Vec::new(),
                };
                if self.step(step).is_ok() {
                    self.shift(&wallet, None, &loan.currency, pays);
                    loan.owed -= pays;
                }
            }
            if !loan.owed.is_zero() {
                owed.push(loan);
            }
        }
        owed
    }

    fn redeem(&mut self) {
        let facts = self.facts;
        if facts.auto_saving {
            let step = Step {
                key: "auto-saving".to_owned(),
                text: "switch automatic saving off".to_owned(),
                endpoint: "earn_set_auto_saving",
                parameters: vec![("autoSubscribe", "close".to_owned())],
                currency: None,
                amount: None,
                notes: Vec::new(),
            };
            // Without it money may go back into savings; the plan says so by what it shows next time.
            drop(self.step(step));
        }
        for saving in &facts.savings {
            let place = if saving.fixed { "fixed savings" } else { "flexible savings" };
            let Some(amount) = saving.amount else {
                let worth_usdt = None;
                self.plan.stuck.push(Stuck {
                    place: place.to_owned(),
                    currency: saving.currency.clone(),
                    amount: None,
                    reason: "the exchange does not say how much it is: redeem it on the web site"
                        .to_owned(),
                    worth_usdt,
                });
                continue;
            };
            if amount.is_zero() {
                continue;
            }
            match self.step(redeem_step(saving, amount)) {
                Ok(()) => self.add(Wallet::Spot, &saving.currency, amount),
                Err(why) => self.stuck(&place, &saving.currency, amount, &why),
            }
        }
    }
}

/// Whether cancelling these may free money of this wallet.
fn touches(orders: &Orders, wallet: &Wallet, currency: &str) -> bool {
    match (&orders.kind, wallet) {
        (OrderKind::Spot | OrderKind::Algo(_), Wallet::Spot) => {
            orders.symbol.split('_').any(|of| of == currency)
        }
        (OrderKind::Spot | OrderKind::Algo(_), Wallet::Margin(symbol)) => *symbol == orders.symbol,
        (OrderKind::Futures | OrderKind::Plan(_) | OrderKind::Trailing(_), Wallet::Futures) => true,
        _ => false,
    }
}

fn round_up(amount: Decimal, decimals: u32) -> Decimal {
    let down = round_down(amount, decimals);
    if down < amount { down + Decimal::new(1, decimals) } else { down }
}

/// Rounded down to so many decimals, without zeros at the end.
pub(super) fn round_down(amount: Decimal, decimals: u32) -> Decimal {
    amount.trunc_with_scale(decimals).normalize()
}
