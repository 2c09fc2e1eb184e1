//! Deposits and withdrawals, which move through the documented states on the clock.
//!
//! How long a state lasts is made up: no source says it.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use super::{
    AccountId, BalanceReason, Event, Exchange,
    account::Purse,
    agenda::Due,
    futures::flows::FlowKind,
    ledger::House,
    next,
    reject::{Reject, Source},
    transfer::End,
};

// Rule: A withdrawal costs 0.0001 of its currency unless the operator sets another fee. Source: invented
// (samples have several fees)
/// The flat fee of a withdrawal, in its own currency, unless the operator has set another one.
pub const WITHDRAW_FEE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);
// Rule: A claim of play money gives 10, as often as it is made. Source: documented (both samples, endpoint
// futures_claim_demo_funds); simplified (the sources contradict each other whether it is the claim or the balance
// after it, and there is no limit)
/// What a claim of play money gives: the amount of BitMart's sample.
pub const CLAIM: Decimal = Decimal::TEN;
// Rule: An account may withdraw 100 BTC in 24 hours (60064). Source: documented (a sample, endpoint
// account_withdraw_quota, the text of 60064)
/// What an account may withdraw in 24 hours, in BTC: the figure of BitMart's sample.
const DAILY_QUOTA_BTC: Decimal = Decimal::ONE_HUNDRED;
const DAY_MS: u64 = 86_400_000;
// Rule: A withdrawal to an address that begins with fail fails. Source: invented (so that a client can see one)
/// A withdrawal to an address that begins like this fails, so that a client can see one fail.
const FAILING_ADDRESS: &str = "fail";
/// The address of a withdrawal that stands for a balance that the operator lowered.
const OPERATOR: &str = "operator";

/// How far a deposit or withdrawal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FundingState {
    /// Accepted; lasts one second.
    Created,
    /// A withdrawal waits to be sent, for 9 seconds.
    Submitted,
    /// On its way: 50 seconds for a withdrawal, 29 for a deposit.
    Processing,
    /// The money has arrived.
    Done,
    /// A withdrawal was refused by its address, and the money was given back.
    Failed,
}

impl FundingState {
    // Rule: Deposits and withdrawals pass the documented states, for 1, 10 and 60 or 1 and 30 seconds. Source:
    // documented (endpoint account_funding_history); invented (the times)
    /// The state after this one, and the milliseconds until it is reached.
    fn next(self, deposit: bool) -> Option<(Self, u64)> {
        Some(match (self, deposit) {
            (Self::Created, false) => (Self::Submitted, 1_000),
            (Self::Submitted, _) => (Self::Processing, 9_000),
            (Self::Created, true) => (Self::Processing, 1_000),
            (Self::Processing, false) => (Self::Done, 50_000),
            (Self::Processing, true) => (Self::Done, 29_000),
            (Self::Done | Self::Failed, _) => return None,
        })
    }
}

/// A checked request to withdraw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewWithdrawal {
    /// As asked: may carry a network, `USDT-TRC20`.
    pub currency: SmolStr,
    /// What leaves the wallet, with the fee, in units of the currency.
    pub amount: Decimal,
    /// Where the money goes; one that begins with `fail` lets the withdrawal fail.
    pub address: String,
    /// Tag, payment id or memo; empty without one.
    pub address_memo: String,
    /// The wallet that pays; without one spot and funding are drawn on in turn, as documented.
    pub source: Option<Purse>,
    /// The account of this exchange that it goes to.
    pub payee: Option<AccountId>,
}

/// A deposit or withdrawal on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Funding {
    /// Number of the deposit or withdrawal.
    pub id: u64,
    /// Whose wallet pays or is paid.
    pub account: AccountId,
    /// A deposit, or else a withdrawal.
    pub deposit: bool,
    /// As asked: may carry a network.
    pub currency: SmolStr,
    /// Units of the currency; of a withdrawal with the fee.
    pub amount: Decimal,
    /// Units of the currency; zero for deposits.
    pub fee: Decimal,
    /// Where the money goes, or the account's own address of deposits.
    pub address: String,
    /// Tag, payment id or memo; empty without one.
    pub address_memo: String,
    /// How far it is by now.
    pub state: FundingState,
    /// When it was requested, in milliseconds since 1970.
    pub time_ms: u64,
    /// When the present state was reached.
    since_ms: u64,
    /// The currency of the wallet.
    pub(super) plain: SmolStr,
    /// What is frozen in the spot wallet; the rest is in the funding wallet.
    pub(super) from_spot: Decimal,
    payee: Option<AccountId>,
    /// Stands for a balance that the operator set, or for a withdrawal of another account: it counts for no quota.
    #[serde(default)]
    by_operator: bool,
}

impl Exchange {
    /// The currency of the wallet behind a network-qualified code: `USDT-TRC20` is `USDT`.
    pub fn plain_currency(&self, code: &str) -> Option<SmolStr> {
        let plain = code.split('-').next().unwrap_or(code);
        let known = self
            .spot
            .values()
            .any(|market| market.rules.base == plain || market.rules.quote == plain);
        known.then(|| plain.into())
    }

    // Rule: Without a source a withdrawal draws on spot, then on funding. Source: documented (endpoint
    // account_withdraw); simplified (the order of the two)
    /// Freezes the money of a withdrawal and sends it on its way.
    pub(crate) fn withdraw(
        &mut self,
        account: AccountId,
        request: NewWithdrawal,
        now_ms: u64,
    ) -> Result<u64, Reject> {
        let plain = self.plain_currency(&request.currency).ok_or(Reject::UnknownCurrency)?;
        // Rule: Sub-accounts cannot withdraw (60054), and no account to itself (60065). Source: documented
        // (endpoint account_withdraw, the table of error codes)
        if self.account_mut(account).main.is_some() {
            return Err(Reject::SubAccountWithdrawal);
        }
        let terms = self.decisions.terms(&request.currency);
        terms.check(request.amount, &request.address_memo)?;
        if request.payee == Some(account) {
            return Err(Reject::WithdrawalToSelf);
        }
        self.decisions.check_withdrawal(&request.currency)?;
        if request.payee.is_none() {
            self.decisions.check_address(account, &request.currency, &request.address)?;
        }
        let [spot, fund] =
            [Purse::Spot, Purse::Fund].map(|purse| self.wallet(account, purse, &plain).available);
        let from_spot = match request.source {
            Some(Purse::Fund) => Decimal::ZERO,
            Some(_) => request.amount,
            None => request.amount.min(spot),
        };
        if from_spot > spot || request.amount - from_spot > fund {
            let (source, free) = match request.source {
                Some(Purse::Fund) => (Source::Funding, fund),
                Some(_) => (Source::Spot, spot),
                None => (Source::SpotAndFunding, spot + fund),
            };
            return Err(Reject::insufficient(source, &plain, free, request.amount));
        }
        if self.in_btc(&plain, request.amount) > self.withdraw_quota_btc(account, now_ms) {
            return Err(Reject::DailyQuotaExceeded);
        }
        for (purse, held) in [(Purse::Spot, from_spot), (Purse::Fund, request.amount - from_spot)] {
            let wallet = self.open_wallet(account, purse, &plain);
            self.ledger.post(wallet.available(), wallet.frozen(), held);
        }
        let NewWithdrawal { currency, amount, address, address_memo, source: _, payee } = request;
        let id = next(&mut self.counters.funding);
        Ok(self.send(Funding {
            id,
            account,
            deposit: false,
            currency,
            amount,
            fee: terms.fee,
            address,
            address_memo,
            state: FundingState::Created,
            time_ms: now_ms,
            since_ms: now_ms,
            plain,
            from_spot,
            payee,
            by_operator: false,
        }))
    }

    /// The account with this number or user name, other than the house.
    pub fn account_called(&self, name: &str) -> Option<AccountId> {
        let mut accounts = self.accounts.values().filter(|account| !account.house);
        accounts
            .find(|account| account.id.0.to_string() == name || account.id.name() == name)
            .map(|account| account.id)
    }

    /// Announces money from outside; it reaches a wallet when the deposit is done.
    pub(crate) fn deposit(
        &mut self,
        account: AccountId,
        currency: &str,
        amount: Decimal,
        now_ms: u64,
    ) -> Result<u64, Reject> {
        let plain = self.plain_currency(currency).ok_or(Reject::UnknownCurrency)?;
        if !self.accounts.contains_key(&account) {
            return Err(Reject::UnknownAccount);
        }
        self.decisions.check_deposit(currency)?;
        if amount <= Decimal::ZERO {
            return Err(Reject::AmountNotPositive);
        }
        let id = next(&mut self.counters.funding);
        Ok(self.send(Funding {
            id,
            account,
            deposit: true,
            currency: currency.into(),
            amount,
            fee: Decimal::ZERO,
            address: deposit_address(account, &plain),
            address_memo: String::new(),
            state: FundingState::Created,
            time_ms: now_ms,
            since_ms: now_ms,
            plain,
            from_spot: Decimal::ZERO,
            payee: None,
            by_operator: false,
        }))
    }

    /// Remembers a balance that the operator set: a deposit of the difference, or a withdrawal when the balance
    /// was higher. It is done at once, and without a fee.
    pub(crate) fn record_adjustment(
        &mut self,
        end: End,
        currency: &SmolStr,
        change: Decimal,
        now_ms: u64,
    ) {
        if change.is_zero() {
            return;
        }
        let deposit = change > Decimal::ZERO;
        let address =
            if deposit { deposit_address(end.account, currency) } else { OPERATOR.to_owned() };
        self.record_done(end, currency, change, address, now_ms);
    }

    /// Remembers money that came (above zero) or went at once and without a fee.
    fn record_done(
        &mut self,
        end: End,
        currency: &SmolStr,
        change: Decimal,
        address: String,
        now_ms: u64,
    ) {
        let row = Funding {
            id: next(&mut self.counters.funding),
            account: end.account,
            deposit: change > Decimal::ZERO,
            currency: currency.clone(),
            amount: change.abs(),
            fee: Decimal::ZERO,
            address,
            address_memo: String::new(),
            state: FundingState::Done,
            time_ms: now_ms,
            since_ms: now_ms,
            plain: currency.clone(),
            from_spot: Decimal::ZERO,
            payee: None,
            by_operator: true,
        };
        self.fundings.insert(row.id, row);
        self.record_passage(end, currency, change, now_ms);
    }

    fn send(&mut self, row: Funding) -> u64 {
        let id = row.id;
        if let Some((_, wait_ms)) = row.state.next(row.deposit) {
            self.schedule(row.since_ms.saturating_add(wait_ms), Due::Funding(id));
        }
        if !row.deposit {
            self.tell_balance(row.account, BalanceReason::Withdrawal, &row.plain);
        }
        self.fundings.insert(id, row);
        id
    }

    /// Brings a deposit or withdrawal to its next state, and moves its money at the end.
    pub(super) fn advance_funding(&mut self, id: u64) {
        let Some(row) = self.fundings.get_mut(&id) else { return };
        let Some((state, wait_ms)) = row.state.next(row.deposit) else { return };
        row.state = state;
        row.since_ms = row.since_ms.saturating_add(wait_ms);
        if let Some((_, wait_ms)) = state.next(row.deposit) {
            let at_ms = row.since_ms.saturating_add(wait_ms);
            return self.schedule(at_ms, Due::Funding(id));
        }
        let fails = !row.deposit && row.address.starts_with(FAILING_ADDRESS);
        if fails {
            row.state = FundingState::Failed;
        }
        let row = row.clone();
        if row.deposit {
            return self.receive(&row);
        }
        let held = [(Purse::Spot, row.from_spot), (Purse::Fund, row.amount - row.from_spot)];
        for (purse, amount) in held {
            let wallet = self.open_wallet(row.account, purse, &row.plain);
            if fails {
                self.ledger.release(wallet, amount);
            } else {
                self.ledger.pay(wallet.frozen(), House::Clearing, amount);
            }
        }
        if !fails {
            self.pay_out(&row);
        }
        self.tell_balance(row.account, BalanceReason::Withdrawal, &row.plain);
    }

    /// Sends the money of a withdrawal to whom it is for, and takes the fee.
    fn pay_out(&mut self, row: &Funding) {
        let (currency, left) = (&row.plain, row.amount - row.fee);
        self.ledger.post_house(currency, House::Clearing, House::Fees, row.fee);
        let Some(payee) = row.payee else {
            return self.ledger.post_house(currency, House::Clearing, House::Withdrawals, left);
        };
        let wallet = self.open_wallet(payee, Purse::Spot, currency);
        self.ledger.draw(House::Clearing, wallet.available(), left);
        // Rule: A withdrawal to another account is a deposit in the history of that account. Source: simplified (no
        // source says how it is listed)
        let end = End { account: payee, purse: Purse::Spot };
        self.record_done(end, currency, left, row.account.name(), row.since_ms);
        self.tell_balance(payee, BalanceReason::Deposit, currency);
    }

    // Rule: A deposit is credited to the chosen wallet; to spot when no contract is settled in its currency.
    // Source: documented (endpoint account_set_deposit_account); simplified (what futures cannot hold goes to
    // spot)
    /// Credits a deposit to the wallet that its owner chose. The futures wallet takes what contracts are
    /// settled in; anything else goes to spot.
    fn receive(&mut self, row: &Funding) {
        let (account, currency) = (row.account, &row.plain);
        let chosen = self.account_mut(account).deposit_to;
        let purse = match chosen {
            Purse::Futures if self.holds(Purse::Futures, currency) => {
                let from = House::Deposits;
                return self.credit_futures(from, account, currency, row.amount, row.since_ms);
            }
            Purse::Fund => Purse::Fund,
            Purse::Spot | Purse::Futures => Purse::Spot,
        };
        let wallet = self.open_wallet(account, purse, currency);
        self.ledger.draw(House::Deposits, wallet.available(), row.amount);
        self.record_passage(End { account, purse }, currency, row.amount, row.since_ms);
        if purse == Purse::Spot {
            self.tell_balance(account, BalanceReason::Deposit, currency);
        }
    }

    /// Puts money from outside into a futures wallet.
    fn credit_futures(
        &mut self,
        from: House,
        account: AccountId,
        currency: &SmolStr,
        amount: Decimal,
        now_ms: u64,
    ) {
        let wallet = self.open_wallet(account, Purse::Futures, currency);
        self.ledger.draw(from, wallet.available(), amount);
        let about = (SmolStr::default(), currency.clone());
        self.record_flow(account, FlowKind::Transfer, about, amount, now_ms);
        self.events.push(Event::FuturesAsset { account, currency: currency.clone() });
    }

    /// The currency of play money; none when there is no contract to use it for.
    pub fn claim_currency(&self) -> Option<&SmolStr> {
        self.futures.values().next().map(|market| &market.rules.quote)
    }

    /// Gives an account play money for futures, as the demo exchange does.
    pub(crate) fn claim(&mut self, account: AccountId, now_ms: u64) -> Result<(), Reject> {
        let currency = self.claim_currency().cloned().ok_or(Reject::UnknownMarket)?;
        self.credit_futures(House::Grants, account, &currency, CLAIM, now_ms);
        Ok(())
    }

    pub(super) fn tell_balance(
        &mut self,
        account: AccountId,
        reason: BalanceReason,
        currency: &SmolStr,
    ) {
        let currencies = vec![currency.clone()];
        self.events.push(Event::SpotBalance { account, reason, currencies });
    }

    fn in_btc(&self, currency: &str, amount: Decimal) -> Decimal {
        let usd = self.usd(currency).checked_mul(amount).unwrap_or(Decimal::MAX);
        usd.checked_div(self.usd("BTC")).unwrap_or_default()
    }

    /// What is left of the quota of the last 24 hours, in BTC.
    pub fn withdraw_quota_btc(&self, account: AccountId, now_ms: u64) -> Decimal {
        let since = now_ms.saturating_sub(DAY_MS);
        let recent = self.fundings.values().rev().take_while(|row| row.time_ms > since);
        let used = recent
            .filter(|row| row.account == account && !row.deposit && !row.by_operator)
            .filter(|row| row.state != FundingState::Failed)
            .fold(Decimal::ZERO, |sum, row| {
                sum.saturating_add(self.in_btc(&row.plain, row.amount))
            });
        DAILY_QUOTA_BTC.saturating_sub(used).max(Decimal::ZERO)
    }

    // Rule: Deposits of a sub-account are in the history of its main account, and a transfer from there follows.
    // Source: invented (sub-accounts cannot ask for deposits, and no source says that they have any)
    /// The deposits and withdrawals of an account, newest first. Those of its sub-accounts are among them, because
    /// these have no such list.
    pub fn fundings_of(&self, account: AccountId) -> impl Iterator<Item = &Funding> {
        let main_of = |id: AccountId| self.accounts.get(&id).and_then(|owner| owner.main);
        let rows = self.fundings.values().rev();
        rows.filter(move |row| row.account == account || main_of(row.account) == Some(account))
    }
}

/// Where deposits of an account go to: the same at every call, and nobody's.
pub fn deposit_address(account: AccountId, currency: &str) -> String {
    let bytes = currency.bytes();
    let hash = bytes.fold(u64::from(account.0), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("0x{hash:016x}{:024x}", account.0)
}
