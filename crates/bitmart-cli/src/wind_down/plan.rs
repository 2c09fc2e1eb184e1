//! Derives a plan from facts: cancel, close, repay, redeem, transfer to spot and withdraw, in this order, and
//! lists what is stuck. A pure function.

use std::collections::BTreeMap;

use bitmart::Decimal;
use serde::Serialize;

use super::facts::{Facts, HeldBy, Loan, OrderKind, Orders, UnknownFrozen, Wallet};
use steps::{cancel_all_step, cancel_step, margin_step, redeem_step};

mod steps;
#[cfg(test)]
mod tests;
mod withdraw;

/// Decimals of transfers within the exchange.
const TRANSFER_DECIMALS: u32 = 8;
/// The documented minimum of transfers between futures and spot.
const MIN_FUTURES_TRANSFER: Decimal = Decimal::from_parts(1, 0, 0, false, 2);

/// Steps to skip by their key, with the reason.
pub(super) type Skipped = BTreeMap<String, String>;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Step {
    /// Identifies the step across plans.
    pub(super) key: String,
    /// Description.
    pub(super) text: String,
    /// Id of the endpoint.
    pub(super) endpoint: &'static str,
    /// Parameters without ids that are generated when it is sent.
    pub(super) parameters: Vec<(&'static str, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) amount: Option<Decimal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) notes: Vec<String>,
}

/// An amount that no step can withdraw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Stuck {
    pub(super) place: String,
    pub(super) currency: String,
    /// `None` if the exchange does not send it.
    pub(super) amount: Option<Decimal>,
    pub(super) reason: String,
    /// Approximate value at the last price, in USDT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) worth_usdt: Option<Decimal>,
}

/// A debt that remains after all steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Owed {
    pub(super) symbol: String,
    pub(super) currency: String,
    pub(super) amount: Decimal,
}

/// Steps in order, and what remains.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) stuck: Vec<Stuck>,
    pub(super) owed: Vec<Owed>,
}

/// The plan for `facts` without the `skipped` steps. Amounts of later steps are estimates: the proceeds of a
/// closed position depend on the market.
pub(super) fn plan(facts: &Facts, skipped: &Skipped) -> Plan {
    let mut planner = Planner { facts, skipped, free: BTreeMap::new(), plan: Plan::default() };
    for balance in &facts.balances {
        planner.add_free(balance.wallet.clone(), &balance.currency, balance.free);
    }
    planner.list_unknown_frozen();
    planner.cancel();
    planner.close();
    let unpaid = planner.repay(facts.loans.clone(), false);
    planner.redeem();
    planner.transfer_to_spot();
    let owed = planner.repay(unpaid, true);
    planner.empty_margin(&owed);
    planner.plan.owed = owed
        .into_iter()
        .map(|loan| Owed { symbol: loan.symbol, currency: loan.currency, amount: loan.owed })
        .collect();
    planner.withdraw();
    planner.plan
}

/// Builds a plan and tracks the balances after each step.
struct Planner<'a> {
    facts: &'a Facts,
    skipped: &'a Skipped,
    /// Available amounts after the planned steps.
    free: BTreeMap<(Wallet, String), Decimal>,
    plan: Plan,
}

impl Planner<'_> {
    fn add_free(&mut self, wallet: Wallet, currency: &str, amount: Decimal) {
        if !amount.is_zero() {
            *self.free.entry((wallet, currency.to_owned())).or_default() += amount;
        }
    }

    fn free(&self, wallet: &Wallet, currency: &str) -> Decimal {
        self.free.get(&(wallet.clone(), currency.to_owned())).copied().unwrap_or_default()
    }

    /// Moves an amount between wallets, or out of the account.
    fn shift(&mut self, from: &Wallet, to: Option<Wallet>, currency: &str, amount: Decimal) {
        *self.free.entry((from.clone(), currency.to_owned())).or_default() -= amount;
        if let Some(to) = to {
            self.add_free(to, currency, amount);
        }
    }

    /// Adds a step to the plan. Fails with the reason if it is skipped.
    fn add_step(&mut self, step: Step) -> Result<(), String> {
        if let Some(why) = self.skipped.get(&step.key) {
            return Err(why.clone());
        }
        self.plan.steps.push(step);
        Ok(())
    }

    fn add_stuck(
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

    /// Lists wallets whose frozen amount the exchange did not send. It may be zero, or money that the plan does not
    /// know.
    fn list_unknown_frozen(&mut self) {
        for UnknownFrozen { wallet, currency } in &self.facts.unknown_frozen {
            self.plan.stuck.push(Stuck {
                place: wallet.to_string(),
                currency: currency.clone(),
                amount: None,
                reason: "the exchange does not send how much is frozen".to_owned(),
                worth_usdt: None,
            });
        }
    }

    fn cancel(&mut self) {
        let facts = self.facts;
        let mut not_canceled: Vec<(&Orders, String)> = Vec::new();
        // Whether orders that the exchange does not list are canceled, if some hold an amount.
        let mut canceled_all: Option<Result<(), String>> = None;
        for orders in &facts.orders {
            if let Err(why) = self.add_step(cancel_step(orders)) {
                not_canceled.push((orders, why));
            }
        }
        for balance in &facts.balances {
            for held in &balance.held {
                let (wallet, currency) = (&balance.wallet, &balance.currency);
                let sub = matches!(wallet, Wallet::SubSpot(_) | Wallet::SubFutures(_));
                match held.by {
                    HeldBy::Orders | HeldBy::Unknown if sub => {
                        let why = "held by orders or positions of the sub-account, which only its own \
                                   key sees";
                        self.add_stuck(wallet, currency, held.amount, why);
                    }
                    HeldBy::Orders => {
                        let may_free = |orders: &&Orders| may_free(orders, wallet, currency);
                        let skipped = not_canceled.iter().find(|(orders, _)| may_free(orders));
                        let will_be_free = facts
                            .orders
                            .iter()
                            .filter(may_free)
                            .any(|orders| !not_canceled.iter().any(|(not, _)| *not == orders));
                        let result = match (will_be_free, skipped) {
                            (true, _) => Ok(()),
                            (false, Some((_, why))) => Err(why.clone()),
                            (false, None) if matches!(wallet, Wallet::Spot | Wallet::Margin(_)) => {
                                let cancel = || self.add_step(cancel_all_step());
                                canceled_all.get_or_insert_with(cancel).clone()
                            }
                            (false, None) => {
                                Err("held by an order that the exchange does not list".to_owned())
                            }
                        };
                        match result {
                            Ok(()) => self.add_free(wallet.clone(), currency, held.amount),
                            Err(why) => self.add_stuck(wallet, currency, held.amount, &why),
                        }
                    }
                    HeldBy::Withdrawal => {
                        let why = "a withdrawal is pending";
                        self.add_stuck(wallet, currency, held.amount, why);
                    }
                    HeldBy::Unknown => {
                        let why = "held for a reason that the exchange does not send";
                        self.add_stuck(wallet, currency, held.amount, why);
                    }
                    HeldBy::Positions => {}
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
                notes: vec!["the proceeds are known after it is closed".to_owned()],
            };
            if let Err(why) = self.add_step(step) {
                why_not = Some(format!("margin of {} {side}: {why}", position.symbol));
            }
        }
        if facts.positions.is_empty() {
            why_not = Some("margin of a position that the exchange does not list".to_owned());
        }
        for balance in &facts.balances {
            for held in balance.held.iter().filter(|held| held.by == HeldBy::Positions) {
                match &why_not {
                    None => self.add_free(balance.wallet.clone(), &balance.currency, held.amount),
                    Some(why) => {
                        self.add_stuck(&balance.wallet, &balance.currency, held.amount, why);
                    }
                }
            }
        }
    }

    /// Repays loans from the margin account and the spot wallet. Returns the remaining loans. Without
    /// `partially` only loans that can be repaid completely.
    fn repay(&mut self, loans: Vec<Loan>, partially: bool) -> Vec<Loan> {
        let mut owed = Vec::new();
        for mut loan in loans {
            let wallet = Wallet::Margin(loan.symbol.clone());
            let available = self.free(&wallet, &loan.currency);
            let missing = (loan.owed - available).max(Decimal::ZERO);
            let spot = round_down(self.free(&Wallet::Spot, &loan.currency), TRANSFER_DECIMALS);
            let payable = round_down(loan.owed, TRANSFER_DECIMALS);
            if payable.is_zero() || (missing > spot && !partially) {
                owed.push(loan);
                continue;
            }
            // Rounded up, so that rounding leaves no debt.
            let transferred = round_up(missing, TRANSFER_DECIMALS).min(spot);
            if transferred > Decimal::ZERO {
                let step = margin_step(&loan.symbol, &loan.currency, transferred, "in");
                if self.add_step(step).is_ok() {
                    self.shift(&Wallet::Spot, Some(wallet.clone()), &loan.currency, transferred);
                }
            }
            let pays = loan.owed.min(self.free(&wallet, &loan.currency));
            let pays = round_down(pays, TRANSFER_DECIMALS);
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
                if self.add_step(step).is_ok() {
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
            // If it is skipped, money may return to savings, which the next plan shows.
            drop(self.add_step(step));
        }
        for saving in &facts.savings {
            let place = if saving.fixed { "fixed savings" } else { "flexible savings" };
            let Some(amount) = saving.amount else {
                let worth_usdt = None;
                self.plan.stuck.push(Stuck {
                    place: place.to_owned(),
                    currency: saving.currency.clone(),
                    amount: None,
                    reason: "the exchange does not send the amount: redeem it on the website"
                        .to_owned(),
                    worth_usdt,
                });
                continue;
            };
            if amount.is_zero() {
                continue;
            }
            match self.add_step(redeem_step(saving, amount)) {
                Ok(()) => self.add_free(Wallet::Spot, &saving.currency, amount),
                Err(why) => self.add_stuck(&place, &saving.currency, amount, &why),
            }
        }
    }
}

/// Whether canceling the orders may free an amount in the wallet.
fn may_free(orders: &Orders, wallet: &Wallet, currency: &str) -> bool {
    match (&orders.kind, wallet) {
        (OrderKind::Spot | OrderKind::Algo(_), Wallet::Spot) => {
            orders.symbol.split('_').any(|coin| coin == currency)
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

/// Rounds down to a number of decimals, without trailing zeros.
pub(super) fn round_down(amount: Decimal, decimals: u32) -> Decimal {
    amount.trunc_with_scale(decimals).normalize()
}
