//! Deposits, play money, and balances that the operator set.

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{Payment, PaymentState};
use crate::{
    AccountId, BalanceReason, Event, Exchange, account::WalletKind, control::MAX_BALANCE,
    futures::transactions::TransactionKind, ledger::HouseBook, reject::Reject,
    rules::check_decimals, transfer::AccountWallet,
};

// Rule: A claim of play money pays 10, any number of times. Source: documented (both samples, endpoint
// futures_claim_demo_funds); simplified (the sources contradict each other whether it is the claim or the balance
// after it, and there is no limit)
/// Amount of one claim of play money: that of the documented sample.
pub const PLAY_MONEY_CLAIM: Decimal = Decimal::TEN;

/// Address of the withdrawal that records a balance lowered by the operator.
const OPERATOR_ADDRESS: &str = "operator";

impl Exchange {
    /// Accepts a deposit. The money is credited once its last state is reached.
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
        self.operator_settings.check_deposit(currency)?;
        if amount <= Decimal::ZERO {
            return Err(Reject::AmountNotPositive);
        }
        // Rule: A deposit is at most 1e15, with at most 8 decimals. Source: invented (no sum can overflow)
        if amount > MAX_BALANCE {
            return Err(Reject::AmountTooLarge { maximum: MAX_BALANCE });
        }
        check_decimals(amount)?;
        let id = self.counters.next_payment();
        Ok(self.start_payment(Payment {
            id,
            account,
            deposit: true,
            currency: currency.into(),
            amount,
            fee: Decimal::ZERO,
            address: deposit_address(account, &plain),
            address_memo: String::new(),
            state: PaymentState::Created,
            time_ms: now_ms,
            since_ms: now_ms,
            plain,
            from_spot: Decimal::ZERO,
            payee: None,
            by_operator: false,
        }))
    }

    /// Records a balance that the operator has set, as a finished deposit or withdrawal of the difference.
    pub(crate) fn record_adjustment(
        &mut self,
        wallet: AccountWallet,
        currency: &SmolStr,
        change: Decimal,
        now_ms: u64,
    ) {
        if change.is_zero() {
            return;
        }
        let deposit = change > Decimal::ZERO;
        let address = if deposit {
            deposit_address(wallet.account, currency)
        } else {
            OPERATOR_ADDRESS.to_owned()
        };
        self.record_finished(wallet, currency, change, address, now_ms);
    }

    /// Records a finished deposit (above zero) or withdrawal without a fee.
    pub(super) fn record_finished(
        &mut self,
        wallet: AccountWallet,
        currency: &SmolStr,
        change: Decimal,
        address: String,
        now_ms: u64,
    ) {
        let row = Payment {
            id: self.counters.next_payment(),
            account: wallet.account,
            deposit: change > Decimal::ZERO,
            currency: currency.clone(),
            amount: change.abs(),
            fee: Decimal::ZERO,
            address,
            address_memo: String::new(),
            state: PaymentState::Done,
            time_ms: now_ms,
            since_ms: now_ms,
            plain: currency.clone(),
            from_spot: Decimal::ZERO,
            payee: None,
            by_operator: true,
        };
        let id = row.id;
        self.payments.insert(id, row);
        self.payments.finish(id, self.history_limit);
        self.record_passage(wallet, currency, change, now_ms);
    }

    // Rule: A deposit is credited to the chosen wallet; to spot when no contract is settled in its currency.
    // Source: documented (endpoint account_set_deposit_account); simplified (other currencies go to spot)
    /// Credits a deposit to the chosen wallet. The futures wallet holds only settlement currencies of contracts;
    /// other currencies are credited to the spot wallet.
    pub(super) fn credit_deposit(&mut self, row: &Payment) {
        let (account, currency) = (row.account, &row.plain);
        let chosen = self.account_mut(account).deposit_to;
        let kind = match chosen {
            WalletKind::Futures if self.can_hold(WalletKind::Futures, currency) => {
                let from = HouseBook::Deposits;
                return self.credit_futures(from, account, currency, row.amount, row.since_ms);
            }
            WalletKind::Funding => WalletKind::Funding,
            WalletKind::Spot | WalletKind::Futures => WalletKind::Spot,
        };
        let wallet = self.ensure_wallet(account, kind, currency);
        self.ledger.pay_from_house(HouseBook::Deposits, wallet.available(), row.amount);
        self.record_passage(AccountWallet { account, kind }, currency, row.amount, row.since_ms);
        if kind == WalletKind::Spot {
            self.report_balance(account, BalanceReason::Deposit, currency);
        }
    }

    /// Credits money to a futures wallet.
    pub(super) fn credit_futures(
        &mut self,
        from: HouseBook,
        account: AccountId,
        currency: &SmolStr,
        amount: Decimal,
        now_ms: u64,
    ) {
        let wallet = self.ensure_wallet(account, WalletKind::Futures, currency);
        self.ledger.pay_from_house(from, wallet.available(), amount);
        let symbol_and_currency = (SmolStr::default(), currency.clone());
        self.record_transaction(
            account,
            TransactionKind::Transfer,
            symbol_and_currency,
            amount,
            now_ms,
        );
        self.events.push(Event::FuturesAsset { account, currency: currency.clone() });
    }

    /// Returns the currency of play money, or `None` without contracts.
    pub fn play_money_currency(&self) -> Option<&SmolStr> {
        self.futures.values().next().map(|market| &market.rules.quote)
    }

    /// Pays play money into the futures wallet, as the demo exchange does.
    pub(crate) fn claim_play_money(
        &mut self,
        account: AccountId,
        now_ms: u64,
    ) -> Result<(), Reject> {
        let currency = self.play_money_currency().cloned().ok_or(Reject::UnknownMarket)?;
        self.credit_futures(HouseBook::Grants, account, &currency, PLAY_MONEY_CLAIM, now_ms);
        Ok(())
    }
}

/// Returns the deposit address of an account, which depends on account and currency only. It is invented.
pub fn deposit_address(account: AccountId, currency: &str) -> String {
    let bytes = currency.bytes();
    let hash = bytes.fold(u64::from(account.0), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("0x{hash:016x}{:024x}", account.0)
}
