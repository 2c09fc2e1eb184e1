//! Enumerations of the isolated margin endpoints.

bitmart_types::open_enum! {
    /// Direction of a transfer between the spot account and an isolated margin account.
    pub enum TransferDirection {
        /// From spot into margin.
        In = "in",
        /// From margin back to spot.
        Out = "out",
    }
}

bitmart_types::open_int_enum! {
    /// How close an isolated margin account is to liquidation.
    pub enum RiskLevel {
        /// Low.
        Low = 1,
        /// Medium.
        Medium = 2,
        /// High.
        High = 3,
    }
}
