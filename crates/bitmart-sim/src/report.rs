//! What happened and how things stand, as plain rows that a test can read.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;
use smol_str::SmolStr;

use super::{
    Exchange,
    account::Purse,
    book::Side,
    ledger::Wallet,
    trigger::{State, Trigger},
};

/// One side of a trade of a customer account, oldest first in every list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Fill {
    /// Account number.
    pub account: u32,
    /// `BTC_USDT` on spot, `BTCUSDT` on futures.
    pub symbol: String,
    /// Order it belongs to, as on the wire.
    pub order_id: String,
    /// Trade id, as on the wire.
    pub trade_id: String,
    /// Price in the quote currency.
    pub price: Decimal,
    /// Base units on spot, contracts on futures.
    pub size: Decimal,
    /// Fee in the quote currency.
    pub fee: Decimal,
    /// The order rested in the book.
    pub maker: bool,
    /// Milliseconds since 1970.
    pub time_ms: u64,
}

/// An order of a customer account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Order {
    /// Account number.
    pub account: u32,
    /// `BTC_USDT` on spot, `BTCUSDT` on futures.
    pub symbol: String,
    /// Order id, as on the wire.
    pub order_id: String,
    /// The client's own id, empty when it gave none.
    pub client_order_id: String,
    /// Spot: the word of the wire. Futures: `open` or `finished`. Orders that wait for a price:
    /// `waiting`, `triggered`, `refused` or `cancelled`.
    pub state: String,
    /// Filled base units or contracts.
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

/// A balance of a customer account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Balance {
    /// Account number.
    pub account: u32,
    /// `spot`, `funding`, `futures`, `margin` for all pairs together, or `earn` for all savings.
    pub wallet: &'static str,
    /// Currency, `USDT`.
    pub currency: String,
    /// Free to use.
    pub available: Decimal,
    /// Bound by open orders.
    pub frozen: Decimal,
}

fn trigger_row<T>(trigger: &Trigger<T>, symbol: &str) -> Order {
    let state = match trigger.state {
        State::Waiting => "waiting",
        State::Placed(_) => "triggered",
        State::Refused => "refused",
        State::Cancelled => "cancelled",
    };
    Order {
        account: trigger.account.0,
        symbol: symbol.to_owned(),
        order_id: trigger.id.0.to_string(),
        client_order_id: trigger.client_id.as_deref().unwrap_or_default().to_owned(),
        state: state.to_owned(),
        filled: Decimal::ZERO,
    }
}

impl Exchange {
    /// Returns the remembered trades of customers: those of spot, then those of futures.
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

    /// Returns the orders of customers: spot, futures, then those that wait for a price.
    pub fn order_rows(&self) -> Vec<Order> {
        let customers = || self.accounts.values().filter(|account| !account.house);
        let spot = customers()
            .flat_map(|account| account.spot_orders.all())
            .filter_map(|id| self.spot_orders.get(&id))
            .map(|order| Order {
                account: order.account.0,
                symbol: order.request.symbol.to_string(),
                order_id: order.id.0.to_string(),
                client_order_id: order.request.client_id.as_deref().unwrap_or_default().to_owned(),
                state: order.state.word().to_owned(),
                filled: order.filled_size,
            });
        let futures = customers()
            .flat_map(|account| account.futures_orders.all())
            .filter_map(|id| self.futures_orders.get(&id))
            .map(|order| Order {
                account: order.account.0,
                symbol: order.request.symbol.to_string(),
                order_id: order.id.0.to_string(),
                client_order_id: order.request.client_id.as_deref().unwrap_or_default().to_owned(),
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

    /// Returns the book of a pair or contract; none for an unknown symbol.
    pub fn book_rows(&self, symbol: &str) -> Option<Book> {
        let spot = self.spot.get(symbol).map(|market| &market.book);
        let book = spot.or_else(|| self.futures.get(symbol).map(|market| &market.book))?;
        let levels = |side| book.levels(side, usize::MAX);
        Some(Book { asks: levels(Side::Sell), bids: levels(Side::Buy) })
    }

    /// Returns the balances of customers, by account, wallet and currency.
    pub fn balance_rows(&self) -> Vec<Balance> {
        let mut rows = Vec::new();
        for account in self.accounts.values().filter(|account| !account.house) {
            let mut margin: BTreeMap<SmolStr, Wallet> = BTreeMap::new();
            for ((_, currency), wallet) in &account.margin {
                let wallet = self.ledger.wallet(*wallet);
                let sum = margin.entry(currency.clone()).or_default();
                sum.available += wallet.available;
                sum.frozen += wallet.frozen;
            }
            let mut earn: BTreeMap<SmolStr, Wallet> = BTreeMap::new();
            for holding in [false, true].iter().flat_map(|fixed| self.earn.of(account.id, *fixed)) {
                let sum = earn.entry(holding.product.currency.clone()).or_default();
                sum.available += holding.amount;
            }
            let of = |purse| -> BTreeMap<SmolStr, Wallet> {
                let wallets = self.wallets(account.id, purse);
                wallets.map(|(currency, wallet)| (currency.clone(), wallet)).collect()
            };
            let wallets = [
                ("spot", of(Purse::Spot)),
                ("funding", of(Purse::Fund)),
                ("futures", of(Purse::Futures)),
                ("margin", margin),
                ("earn", earn),
            ];
            for (wallet, wallets) in &wallets {
                rows.extend(wallets.iter().map(|(currency, money)| Balance {
                    account: account.id.0,
                    wallet,
                    currency: currency.to_string(),
                    available: match *wallet {
                        // What open positions won or lost counts.
                        "futures" => self.collateral(account.id, currency).available(),
                        _ => money.available,
                    },
                    frozen: money.frozen,
                }));
            }
        }
        rows
    }
}
