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
        /// Invited by somebody whom the affiliate had invited.
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
        /// It does.
        Copied = 1,
        /// It does not.
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
        /// Money came in.
        Deposit = 1,
        /// Money went out.
        Withdraw = 2,
    }
}
