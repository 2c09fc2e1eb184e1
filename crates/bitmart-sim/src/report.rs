//! Fills, orders, books and balances as plain rows, for tests and tools.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    Exchange,
    account::{Account, WalletKind},
    book::Side,
    ledger::Wallet,
    spot_order::SpotOrderState,
    trigger::{Trigger, TriggerState},
};

/// A fill of a customer. Lists of fills are ordered oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fill {
    /// Account number.
    pub account: u32,
    /// `BTC_USDT` on spot, `BTCUSDT` on futures.
    pub symbol: String,
    /// Order id, as in BitMart's messages.
    pub order_id: String,
    /// Trade id, as in BitMart's messages.
    pub trade_id: String,
    /// Price in the quote currency.
    pub price: Decimal,
    /// Base units on spot, contracts on futures.
    pub size: Decimal,
    /// Fee in the quote currency.
    pub fee: Decimal,
    /// Whether the order was the maker.
    pub maker: bool,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// An order of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Order {
    /// Account number.
    pub account: u32,
    /// `BTC_USDT` on spot, `BTCUSDT` on futures.
    pub symbol: String,
    /// Order id, as in BitMart's messages.
    pub order_id: String,
    /// Client order id; empty without one.
    pub client_order_id: String,
    /// Spot: the state as BitMart names it, such as `partially_filled`. Futures: `open` or `finished`. Trigger orders:
    /// `waiting`, `triggered`, `rejected` or `canceled`.
    pub state: String,
    /// Filled size in base units or contracts.
    pub filled: Decimal,
}

/// A book, best prices first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Book {
    /// Price and size of each sell level. Sizes are base currency or contracts.
    pub asks: Vec<(Decimal, Decimal)>,
    /// Price and size of each buy level.
    pub bids: Vec<(Decimal, Decimal)>,
}

/// A balance of a customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Balance {
    /// Account number.
    pub account: u32,
    /// `spot`, `funding`, `futures`, `margin` for all pairs together, or `earn` for all savings.
    pub wallet: &'static str,
    /// Currency, `USDT`.
    pub currency: String,
    /// Units of the currency that can be used.
    pub available: Decimal,
    /// Units of the currency that are reserved for open orders and withdrawals.
    pub frozen: Decimal,
}

/// The state as BitMart names it.
fn spot_state(state: SpotOrderState) -> &'static str {
    match state {
        SpotOrderState::New => "new",
        SpotOrderState::PartiallyFilled => "partially_filled",
        SpotOrderState::Filled => "filled",
        SpotOrderState::Canceled => "canceled",
        SpotOrderState::PartiallyCanceled => "partially_canceled",
    }
}

fn trigger_row<T>(trigger: &Trigger<T>, symbol: &str) -> Order {
    let state = match trigger.state {
        TriggerState::Waiting => "waiting",
        TriggerState::Placed(_) => "triggered",
        TriggerState::Rejected => "rejected",
        TriggerState::Canceled => "canceled",
    };
    Order {
        account: trigger.account.0,
        symbol: symbol.to_owned(),
        order_id: trigger.id.0.to_string(),
        client_order_id: trigger.client_order_id.as_deref().unwrap_or_default().to_owned(),
        state: state.to_owned(),
        filled: Decimal::ZERO,
    }
}

impl Exchange {
    /// Returns the kept fills of customers: spot, then futures.
    pub fn fill_rows(&self) -> Vec<Fill> {
        let spot = self.spot_fills.iter().map(|fill| Fill {
            account: fill.account.0,
            symbol: fill.request.symbol.to_string(),
            order_id: fill.order.0.to_string(),
            trade_id: fill.trade.to_string(),
            price: fill.price,
            size: fill.size,
            fee: fill.fee,
            maker: fill.maker,
            time_ms: fill.time_ms,
        });
        let futures = self.futures_fills.iter().map(|fill| Fill {
            account: fill.account.0,
            symbol: fill.symbol.to_string(),
            order_id: fill.order.0.to_string(),
            trade_id: fill.trade.to_string(),
            price: fill.price,
            size: fill.size,
            fee: fill.fee,
            maker: fill.maker,
            time_ms: fill.time_ms,
        });
        spot.chain(futures).collect()
    }

    /// Returns the open and kept orders of customers: spot, futures, then trigger orders.
    pub fn order_rows(&self) -> Vec<Order> {
        let customers = || self.accounts.values().filter(|account| !account.house);
        let spot = customers()
            .flat_map(|account| account.spot_orders.all())
            .filter_map(|id| self.spot_orders.get(&id))
            .map(|order| Order {
                account: order.account.0,
                symbol: order.request.symbol.to_string(),
                order_id: order.id.0.to_string(),
                client_order_id: order
                    .request
                    .client_order_id
                    .as_deref()
                    .unwrap_or_default()
                    .to_owned(),
                state: spot_state(order.state).to_owned(),
                filled: order.filled_size,
            });
        let futures = customers()
            .flat_map(|account| account.futures_orders.all())
            .filter_map(|id| self.futures_orders.get(&id))
            .map(|order| Order {
                account: order.account.0,
                symbol: order.request.symbol.to_string(),
                order_id: order.id.0.to_string(),
                client_order_id: order
                    .request
                    .client_order_id
                    .as_deref()
                    .unwrap_or_default()
                    .to_owned(),
                state: if order.open { "open" } else { "finished" }.to_owned(),
                filled: order.filled,
            });
        let mut rows: Vec<Order> = spot.chain(futures).collect();
        for account in customers() {
            let plans = self.triggers.futures.of(account.id);
            rows.extend(plans.map(|plan| trigger_row(plan, &plan.terms.order.symbol)));
            let algos = self.triggers.spot.of(account.id);
            rows.extend(algos.map(|algo| trigger_row(algo, &algo.terms.order.symbol)));
        }
        rows
    }

    /// Returns the book of a pair or contract, or `None` for an unknown symbol.
    pub fn book_rows(&self, symbol: &str) -> Option<Book> {
        let spot = self.spot.get(symbol).map(|market| &market.book);
        let book = spot.or_else(|| self.futures.get(symbol).map(|market| &market.book))?;
        let levels = |side| book.levels(side, usize::MAX);
        Some(Book { asks: levels(Side::Sell), bids: levels(Side::Buy) })
    }

    /// Returns the balances of customers, by account, wallet and currency.
    pub fn balance_rows(&self) -> Vec<Balance> {
        let customers = self.accounts.values().filter(|account| !account.house);
        customers.flat_map(|account| self.balance_rows_of(account)).collect()
    }

    /// Returns the balances of an account, by wallet and currency.
    pub fn balance_rows_of(&self, account: &Account) -> Vec<Balance> {
        let mut rows = Vec::new();
        let mut margin: BTreeMap<SmolStr, Wallet> = BTreeMap::new();
        for ((_, currency), wallet) in &account.margin {
            let wallet = self.ledger.wallet(*wallet);
            let sum = margin.entry(currency.clone()).or_default();
            sum.available += wallet.available;
            sum.frozen += wallet.frozen;
        }
        let mut earn: BTreeMap<SmolStr, Wallet> = BTreeMap::new();
        for holding in self.savings.holdings_of(account.id) {
            let sum = earn.entry(holding.product.currency.clone()).or_default();
            sum.available += holding.amount;
        }
        let of = |kind| -> BTreeMap<SmolStr, Wallet> {
            let wallets = self.wallets(account.id, kind);
            wallets.map(|(currency, wallet)| (currency.clone(), wallet)).collect()
        };
        let wallets = [
            ("spot", of(WalletKind::Spot)),
            ("funding", of(WalletKind::Funding)),
            ("futures", of(WalletKind::Futures)),
            ("margin", margin),
            ("earn", earn),
        ];
        for (wallet, wallets) in &wallets {
            rows.extend(wallets.iter().map(|(currency, money)| Balance {
                account: account.id.0,
                wallet,
                currency: currency.to_string(),
                available: match *wallet {
                    // Includes the unrealized profit and loss of cross positions.
                    "futures" => self.collateral(account.id, currency).available(),
                    _ => money.available,
                },
                frozen: money.frozen,
            }));
        }
        rows
    }
}
