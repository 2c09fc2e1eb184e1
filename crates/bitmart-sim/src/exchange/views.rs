//! Read access to an exchange.

use crate::{
    AccountId, Exchange, OrderId, SpotMarket,
    account::Account,
    futures::{FuturesMarket, transactions::Transaction},
    futures_order::{FuturesFill, FuturesOrder},
    kept_rows::KeptRows,
    ledger::Ledger,
    margin::{Loan, Repayment},
    operator::OperatorSettings,
    savings::Savings,
    spot_order::{SpotFill, SpotOrder},
    transfer::Transfer,
    trigger::Triggers,
};

impl Exchange {
    /// Returns the accounts by number: those of customers, then the two of the exchange, [`TAKER`](crate::TAKER) and
    /// [`MAKER`](crate::MAKER).
    pub fn accounts(&self) -> impl DoubleEndedIterator<Item = &Account> + ExactSizeIterator {
        self.accounts.values()
    }

    /// Returns an account, or `None` when it does not exist.
    pub fn account(&self, id: AccountId) -> Option<&Account> {
        self.accounts.get(&id)
    }

    /// Returns the spot markets, by symbol.
    pub fn spot_markets(&self) -> impl DoubleEndedIterator<Item = &SpotMarket> + ExactSizeIterator {
        self.spot.values()
    }

    /// Returns the market of a pair, such as `BTC_USDT`, or `None` for an unknown symbol.
    pub fn spot_market(&self, symbol: &str) -> Option<&SpotMarket> {
        self.spot.get(symbol)
    }

    /// Returns the futures markets, by symbol.
    pub fn futures_markets(
        &self,
    ) -> impl DoubleEndedIterator<Item = &FuturesMarket> + ExactSizeIterator {
        self.futures.values()
    }

    /// Returns the market of a contract, such as `BTCUSDT`, or `None` for an unknown symbol.
    pub fn futures_market(&self, symbol: &str) -> Option<&FuturesMarket> {
        self.futures.get(symbol)
    }

    /// Returns the spot order with this number, or `None` when it is unknown or no longer kept.
    /// [`Account::spot_orders`] has the numbers of an account.
    pub fn spot_order(&self, id: OrderId) -> Option<&SpotOrder> {
        self.spot_orders.get(&id)
    }

    /// Returns the open and kept spot orders of all accounts, in no particular order.
    pub fn spot_orders(&self) -> impl Iterator<Item = &SpotOrder> {
        self.spot_orders.values()
    }

    /// Returns the futures order with this number, or `None` when it is unknown, no longer kept, or a trigger order.
    pub fn futures_order(&self, id: OrderId) -> Option<&FuturesOrder> {
        self.futures_orders.get(&id)
    }

    /// Returns the open and kept futures orders of all accounts, in no particular order, without trigger orders.
    pub fn futures_orders(&self) -> impl Iterator<Item = &FuturesOrder> {
        self.futures_orders.values()
    }

    /// Returns the kept fills of spot orders, oldest first.
    pub fn spot_fills(&self) -> impl DoubleEndedIterator<Item = &SpotFill> + ExactSizeIterator {
        self.spot_fills.iter()
    }

    /// Returns the kept fills of futures orders, oldest first.
    pub fn futures_fills(
        &self,
    ) -> impl DoubleEndedIterator<Item = &FuturesFill> + ExactSizeIterator {
        self.futures_fills.iter()
    }

    /// Returns all waiting and kept trigger orders.
    pub fn triggers(&self) -> &Triggers {
        &self.triggers
    }

    /// Returns the loans of margin accounts: the open ones, and the latest repaid ones.
    pub fn loans(&self) -> &KeptRows<Loan> {
        &self.loans
    }

    /// Returns the kept repayments of loans, oldest first.
    pub fn repayments(&self) -> impl DoubleEndedIterator<Item = &Repayment> + ExactSizeIterator {
        self.repayments.iter()
    }

    /// Returns holdings and movements of savings.
    pub fn savings(&self) -> &Savings {
        &self.savings
    }

    /// Returns the kept transfers, oldest first.
    pub fn transfers(&self) -> impl DoubleEndedIterator<Item = &Transfer> + ExactSizeIterator {
        self.transfers.iter()
    }

    /// Returns the kept transactions of futures wallets, oldest first.
    pub fn transactions(
        &self,
    ) -> impl DoubleEndedIterator<Item = &Transaction> + ExactSizeIterator {
        self.transactions.iter()
    }

    /// Whether a market accepts no orders because the operator has halted it.
    pub fn is_halted(&self, symbol: &str) -> bool {
        self.halted.contains(symbol)
    }

    /// Returns the settings of the operator: frozen accounts, delisted contracts, closed currencies, addresses,
    /// networks.
    pub fn operator_settings(&self) -> &OperatorSettings {
        &self.operator_settings
    }

    /// Returns the ledger: all money of the exchange and its customers.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }
}
