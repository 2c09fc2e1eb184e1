//! Enumerations that every market shares.
//!
//! The exchange often has several spellings for one value. Each enumeration reads all that are
//! documented or have been seen, and writes the documented one.

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
        /// It rested in the book.
        Maker = "maker" | "M",
        /// It took from the book.
        Taker = "taker" | "T",
    }
}

crate::open_enum! {
    /// Account of a user that a transfer leaves or reaches.
    pub enum WalletType {
        /// Spot.
        Spot = "spot",
        /// Futures.
        Futures = "future",
    }
}
