//! Enumerations that all markets share.
//!
//! The exchange often has several spellings for one value. An enumeration reads every documented or
//! observed spelling, and writes the documented one.

crate::open_enum! {
    /// Direction of a spot order or trade.
    pub enum Side {
        /// Buy the base currency with the quote currency.
        Buy = "buy",
        /// Sell the base currency for the quote currency.
        Sell = "sell",
    }
}

crate::open_enum! {
    /// Which side of a trade an order was on.
    pub enum TradeRole {
        /// The order rested in the book.
        Maker = "maker" | "M",
        /// The order took liquidity from the book.
        Taker = "taker" | "T",
    }
}

crate::open_enum! {
    /// Account that a transfer moves money from or to.
    pub enum WalletType {
        /// Spot.
        Spot = "spot",
        /// Futures.
        Futures = "future",
    }
}
