//! Enumerations of the spot endpoints.

bitmart_types::open_enum! {
    /// What happens when a spot order would trade with an order of the same user. When both were
    /// placed over the API, the mode of the incoming order decides.
    pub enum SelfTradePrevention {
        /// They trade.
        Off = "none",
        /// The resting order is canceled.
        CancelMaker = "cancel_maker",
        /// The incoming order is canceled.
        CancelTaker = "cancel_taker",
        /// Both are canceled.
        CancelBoth = "cancel_both",
    }
}

bitmart_types::open_enum! {
    /// Who canceled a spot order.
    pub enum CancelSource {
        /// The user.
        User = "user",
        /// The exchange.
        System = "system",
        /// Self-trade prevention.
        SelfTradePrevention = "stp",
    }
}

bitmart_types::open_enum! {
    /// Which orders an order query searches.
    pub enum QueryState {
        /// Open orders.
        Open = "open",
        /// Filled and canceled orders.
        History = "history",
    }
}

bitmart_types::open_int_enum! {
    /// Length of a spot candle, in minutes on the wire.
    pub enum KlineStep {
        /// 1 minute.
        Minutes1 = 1,
        /// 5 minutes.
        Minutes5 = 5,
        /// 15 minutes.
        Minutes15 = 15,
        /// 30 minutes.
        Minutes30 = 30,
        /// 1 hour.
        Hours1 = 60,
        /// 2 hours.
        Hours2 = 120,
        /// 4 hours.
        Hours4 = 240,
        /// 1 day.
        Days1 = 1440,
        /// 1 week.
        Weeks1 = 10080,
        /// 1 month.
        Months1 = 43200,
    }
}

bitmart_types::open_enum! {
    /// Whether a pair can be traded.
    pub enum TradeStatus {
        /// Trading.
        Trading = "trading",
        /// Not yet.
        PreTrade = "pre-trade",
    }
}

bitmart_types::open_enum! {
    /// Kind of a spot algo order.
    pub enum AlgoOrderType {
        /// Becomes an order when the price reaches a trigger.
        Trigger = "trigger",
        /// Takes a profit or stops a loss. The client libraries of the exchange spell it with a slash,
        /// one of their comments with an underscore.
        TakeProfitStopLoss = "tp/sl" | "tp_sl",
    }
}

bitmart_types::open_enum! {
    /// What a spot algo order becomes when it is triggered.
    pub enum AlgoExecution {
        /// A limit order.
        Limit = "limit",
        /// A market order.
        Market = "market",
    }
}
