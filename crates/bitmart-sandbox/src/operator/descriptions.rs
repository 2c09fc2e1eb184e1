//! Descriptions of the types in calls and responses that are declared elsewhere.

use rust_decimal::Decimal;

use super::describe::{Described, Field, Kind, describe, field, kinds};
use crate::{Balance, Book, Fill, LeverageBracket, NetworkTerms, Order, Snapshot, WithdrawAddress};

describe! {
    Fill {
        /// Number of the account.
        account: u32,
        /// `BTC_USDT` on spot, `BTCUSDT` on futures.
        symbol: String = "BTC_USDT",
        /// Order that it belongs to.
        order_id: String = "118100034543000001",
        /// Id of the trade.
        trade_id: String = "125277182593000001",
        /// Price in the quote currency.
        price: Decimal = "60000.00",
        /// Base units on spot, contracts on futures.
        size: Decimal = "0.001",
        /// Fee in the quote currency.
        fee: Decimal = "0.06",
        /// Whether the order rested in the book.
        maker: bool = false,
        /// Milliseconds since 1970.
        time_ms: u64 = 1700000000000,
    }
}

describe! {
    Order {
        /// Number of the account.
        account: u32,
        /// `BTC_USDT` on spot, `BTCUSDT` on futures.
        symbol: String = "BTC_USDT",
        /// Id of the order.
        order_id: String = "118100034543000001",
        /// The client's own id, empty without one.
        client_order_id: String = "mine1",
        /// Spot: as in the API. Futures: `open` or `finished`. Orders that wait for a price: `waiting`,
        /// `triggered`, `rejected` or `canceled`.
        state: String = "filled",
        /// Filled base units or contracts.
        filled: Decimal = "0.001",
    }
}

describe! {
    Book {
        /// Price and size of each sell level, best first. Sizes are base units or contracts.
        asks: Vec<(Decimal, Decimal)> = [["60000.01", "0.5"]],
        /// Price and size of each buy level, best first.
        bids: Vec<(Decimal, Decimal)> = [["60000.00", "0.5"]],
    }
}

describe! {
    Balance {
        /// Number of the account.
        account: u32 = 2,
        /// `spot`, `funding`, `futures`, `margin` for all pairs together, or `earn` for all savings.
        wallet: &'static str = "spot",
        /// Currency.
        currency: String = "USDT",
        /// Free to use.
        available: Decimal = "250.5",
        /// Bound by open orders and withdrawals.
        frozen: Decimal = "0",
    }
}

describe! {
    WithdrawAddress {
        /// The address.
        address: String = "T1",
        /// The only currency that it takes.
        currency: Option<String> = "USDT",
        /// The only network that it is on.
        network: Option<String> = "TRC20",
        /// Its tag, payment id or memo.
        memo: Option<String>,
        /// Its name, chosen by its owner.
        remark: Option<String>,
        /// Whether it is verified; true if absent.
        verified: Option<bool>,
    }
}

describe! {
    LeverageBracket {
        /// Highest leverage of a position of this value, 1 to 1,000. The first one is the highest of the contract.
        leverage: u32 = 50,
        /// Positions up to this value are in the bracket, in the quote currency.
        cap: Decimal = "500000",
        /// Maintenance margin as a part of the value above the previous bracket, below 1 / leverage.
        ratio: Decimal = "0.01",
    }
}

describe! {
    NetworkTerms {
        /// Flat fee, in the currency; 0.0001 if absent.
        fee: Option<Decimal> = "0.2",
        /// Smallest withdrawal; just more than the fee if absent.
        minimum: Option<Decimal> = "20",
        /// Most decimals of an amount (code 60006), 8 at most.
        decimals: Option<u32> = 6,
        /// An amount must be a multiple of this (code 60013).
        multiple_of: Option<u32>,
        /// Whether addresses need a tag, payment id or memo (code 60014); false if absent.
        memo: Option<bool> = true,
    }
}

kinds! { Snapshot: Kind::Any }
