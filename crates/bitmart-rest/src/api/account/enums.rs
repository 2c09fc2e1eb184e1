//! Enumerations of the account endpoints.

bitmart_types::open_enum! {
    /// Direction of a record of the funding history.
    pub enum FundingOperation {
        /// A deposit.
        Deposit = "deposit",
        /// A withdrawal.
        Withdraw = "withdraw",
    }
}

bitmart_types::open_int_enum! {
    /// State of a deposit or withdrawal.
    pub enum FundingStatus {
        /// Created.
        Created = 0,
        /// Submitted, waiting.
        Submitted = 1,
        /// Being processed.
        Processing = 2,
        /// Done.
        Done = 3,
        /// Canceled.
        Canceled = 4,
        /// Failed.
        Failed = 5,
    }
}

bitmart_types::open_int_enum! {
    /// How the receiving account of a withdrawal inside the exchange is named.
    pub enum RecipientType {
        /// By its user id.
        UserId = 1,
        /// By e-mail address.
        Email = 2,
        /// By phone number.
        Phone = 3,
    }
}

bitmart_types::open_enum! {
    /// Account that a withdrawal draws on.
    pub enum WithdrawSource {
        /// Spot.
        Spot = "SPOT",
        /// Funding.
        Fund = "FUND",
    }
}

bitmart_types::open_int_enum! {
    /// Where a withdrawal address may be used.
    pub enum WithdrawAddressType {
        /// For one currency on one network.
        Standard = 0,
        /// For every currency of one network.
        Universal = 1,
        /// On every network that is compatible with Ethereum's virtual machine.
        Evm = 2,
    }
}

bitmart_types::open_int_enum! {
    /// Which fee schedule a user has.
    pub enum FeeRateType {
        /// The normal one.
        Normal = 0,
        /// For VIP users.
        Vip = 1,
        /// For special VIP users.
        SpecialVip = 2,
    }
}

bitmart_types::open_enum! {
    /// Direction of a transfer between the spot and the funding account.
    pub enum TransferDirection {
        /// From spot to funding.
        SpotToFund = "spot_to_fund",
        /// From funding to spot.
        FundToSpot = "fund_to_spot",
    }
}

bitmart_types::open_enum! {
    /// Account that deposits are credited to.
    pub enum DepositAccount {
        /// Spot.
        Spot = "SPOT",
        /// Futures.
        Contract = "CONTRACT",
        /// Funding.
        Fund = "FUND",
    }
}

bitmart_types::open_enum! {
    /// Kind of the account behind an API key.
    pub enum ApiAccountType {
        /// A main account.
        Main = "main",
        /// A sub-account.
        Sub = "sub",
    }
}

bitmart_types::open_enum! {
    /// State of an account or of an API key.
    pub enum ApiKeyStatus {
        /// Active.
        Active = "active",
        /// Frozen.
        Frozen = "frozen",
        /// Expired.
        Expired = "expired",
    }
}
