//! Enumerations of the affiliate endpoints.

bitmart_types::open_int_enum! {
    /// Which contracts a list of trades covers.
    pub enum Market {
        /// Contracts with USDT as margin.
        Usdt = 1,
        /// Contracts with coins as margin.
        Coin = 2,
    }
}

bitmart_types::open_int_enum! {
    /// How a customer came to the affiliate.
    pub enum UserType {
        /// Invited by another customer of the affiliate.
        Indirect = 0,
        /// Invited by the affiliate.
        Direct = 1,
    }
}

bitmart_types::open_int_enum! {
    /// Kind of the order behind a customer's trade.
    pub enum OrderType {
        /// A limit order.
        Limit = 1,
        /// A market order.
        Market = 2,
    }
}

bitmart_types::open_int_enum! {
    /// Whether a customer's trade copies another trader.
    pub enum CopyTrade {
        /// A copy trade.
        Copied = 1,
        /// A trade of the customer's own.
        Own = 2,
    }
}

bitmart_types::open_int_enum! {
    /// Whether a rebate has been paid.
    pub enum RebateStatus {
        /// Not yet.
        NotIssued = 0,
        /// Paid.
        Issued = 1,
    }
}

bitmart_types::open_int_enum! {
    /// Direction of a customer's deposit or withdrawal.
    pub enum FundingType {
        /// A deposit.
        Deposit = 1,
        /// A withdrawal.
        Withdraw = 2,
    }
}
