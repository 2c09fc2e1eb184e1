//! Enumerations of the savings endpoints.

bitmart_types::open_enum! {
    /// Kind of a savings record.
    pub enum RecordType {
        /// A subscription.
        Subscribe = "subscribe",
        /// A redemption.
        Redeem = "redeem",
        /// Interest was paid.
        Interest = "interest",
    }
}

bitmart_types::open_enum! {
    /// What happens to fixed savings when their term ends. The exchange gives the values without an
    /// explanation; the descriptions are inferred.
    pub enum FixedRenewal {
        /// They are paid back.
        Off = "OFF",
        /// They go into flexible savings.
        ReinvestFlexible = "REINVEST_FLEXIBLE",
        /// They go into fixed savings again.
        ReinvestFixed = "REINVEST_FIXED",
    }
}

bitmart_types::open_enum! {
    /// Whether idle money is put into flexible savings automatically. Requests send `open` and `close`,
    /// responses contain `ON` and `OFF`.
    pub enum AutoSubscribe {
        /// Enabled.
        On = "open" | "ON" | "true" | "1",
        /// Disabled.
        Off = "close" | "OFF" | "false" | "0",
    }
}
