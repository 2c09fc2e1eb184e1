//! Enumerations of the sub-account endpoints.

bitmart_types::open_int_enum! {
    /// State of a sub-account.
    pub enum Status {
        /// Disabled by the exchange.
        Disabled = 0,
        /// Normal.
        Normal = 1,
        /// Frozen by the main account.
        Frozen = 2,
    }
}

bitmart_types::open_enum! {
    /// Wallets of a transfer of a sub-account.
    pub enum MoveType {
        /// From a spot wallet to a spot wallet.
        SpotToSpot = "spot to spot",
    }
}
