//! Isolated margin.

crate::open_enum! {
    /// Direction of a transfer between the spot account and an isolated margin account.
    pub enum MarginTransferSide {
        /// From spot into margin.
        In = "in",
        /// From margin back to spot.
        Out = "out",
    }
}

crate::open_int_enum! {
    /// How close an isolated margin account is to liquidation.
    pub enum MarginRiskLevel {
        /// Low.
        Low = 1,
        /// Medium.
        Medium = 2,
        /// High.
        High = 3,
    }
}
