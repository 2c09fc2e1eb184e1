//! The affiliate programme.

crate::open_int_enum! {
    /// Which contracts a list of trades covers.
    pub enum AffiliateMarket {
        /// Contracts with USDT as margin.
        Usdt = 1,
        /// Contracts with coins as margin.
        Coin = 2,
    }
}

crate::open_int_enum! {
    /// How a customer came to the affiliate.
    pub enum AffiliateUserType {
        /// Invited by somebody whom the affiliate had invited.
        Indirect = 0,
        /// Invited by the affiliate.
        Direct = 1,
    }
}

crate::open_int_enum! {
    /// Kind of the order behind a customer's trade.
    pub enum AffiliateOrderType {
        /// A limit order.
        Limit = 1,
        /// A market order.
        Market = 2,
    }
}

crate::open_int_enum! {
    /// Whether a customer's trade copies another trader.
    pub enum AffiliateCopyTrade {
        /// It does.
        Copied = 1,
        /// It does not.
        Own = 2,
    }
}

crate::open_int_enum! {
    /// Whether a rebate has been paid.
    pub enum AffiliateRebateStatus {
        /// Not yet.
        NotIssued = 0,
        /// Paid.
        Issued = 1,
    }
}

crate::open_int_enum! {
    /// Direction of a customer's deposit or withdrawal.
    pub enum AffiliateFundingType {
        /// Money came in.
        Deposit = 1,
        /// Money went out.
        Withdraw = 2,
    }
}
