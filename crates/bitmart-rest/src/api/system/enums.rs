//! Enumerations of the system endpoints.

bitmart_types::open_enum! {
    /// Part of the exchange that a maintenance notice is about.
    pub enum ServiceType {
        /// Spot.
        Spot = "spot",
        /// Futures.
        Futures = "contract",
        /// Accounts.
        Account = "account",
    }
}

bitmart_types::open_int_enum! {
    /// State of a maintenance.
    pub enum ServiceState {
        /// Announced.
        Waiting = 0,
        /// Running.
        Running = 1,
        /// Over.
        Finished = 2,
    }
}
