//! Enumerations of the spot market that REST and WebSocket share.

crate::open_enum! {
    /// Kind of a spot order.
    pub enum OrderType {
        /// At a price or better; the remainder rests in the book.
        Limit = "limit",
        /// At any price.
        Market = "market",
        /// Only as a maker (post-only): the exchange accepts an order that would take liquidity, then
        /// cancels it.
        PostOnly = "limit_maker",
        /// At a price or better, immediately; the remainder is canceled.
        ImmediateOrCancel = "ioc",
    }
}

crate::open_enum! {
    /// State of a spot order.
    pub enum OrderState {
        /// Accepted, nothing filled.
        New = "new",
        /// Partly filled, still open.
        PartiallyFilled = "partially_filled",
        /// Completely filled.
        Filled = "filled",
        /// Canceled with nothing filled.
        Canceled = "canceled",
        /// Canceled after a partial fill. A market buy that filled completely has this state too,
        /// because the remainder of its quote amount is returned.
        PartiallyCanceled = "partially_canceled",
        /// Rejected; mentioned in the exchange's change log only.
        Failed = "failed",
    }
}

impl OrderState {
    /// Whether the order can still fill. An unknown state counts as open.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled | Self::Unknown(_))
    }
}

crate::open_enum! {
    /// Account that a spot order trades for.
    pub enum OrderMode {
        /// Spot.
        Spot = "spot" | "0",
        /// Isolated margin.
        IsolatedMargin = "iso_margin",
    }
}
