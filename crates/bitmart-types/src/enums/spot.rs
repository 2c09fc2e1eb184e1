//! Spot orders, fills and candles.

crate::open_enum! {
    /// Direction of a spot order or trade.
    pub enum Side {
        /// Buy the base currency with the quote currency.
        Buy = "buy",
        /// Sell the base currency for the quote currency.
        Sell = "sell",
    }
}

crate::open_enum! {
    /// Kind of a spot order.
    pub enum OrderType {
        /// At a price or better; what does not fill rests in the book.
        Limit = "limit",
        /// At any price.
        Market = "market",
        /// Only as a maker: the exchange accepts an order that would take, then cancels it.
        LimitMaker = "limit_maker",
        /// At a price or better, at once; what does not fill is cancelled.
        ImmediateOrCancel = "ioc",
    }
}

crate::open_enum! {
    /// State of a spot order.
    pub enum OrderState {
        /// Accepted, nothing filled.
        New = "new",
        /// Partly filled, still open.
        PartiallyFilled = "partially_filled",
        /// Completely filled.
        Filled = "filled",
        /// Cancelled with nothing filled.
        Canceled = "canceled",
        /// Cancelled after a partial fill. A market buy that filled completely ends here too,
        /// because the remainder of its quote amount is returned.
        PartiallyCanceled = "partially_canceled",
        /// Rejected; named in the exchange's change log only.
        Failed = "failed",
    }
}

impl OrderState {
    /// Whether the order can still fill. An unknown state counts as open.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled | Self::Unknown(_))
    }
}

crate::open_enum! {
    /// What happens when a spot order would trade with an order of the same user. When both were
    /// placed over the API, the mode of the incoming order decides.
    pub enum SelfTradePrevention {
        /// They trade.
        Off = "none",
        /// The resting order is cancelled.
        CancelMaker = "cancel_maker",
        /// The incoming order is cancelled.
        CancelTaker = "cancel_taker",
        /// Both are cancelled.
        CancelBoth = "cancel_both",
    }
}

crate::open_enum! {
    /// Account that a spot order trades for.
    pub enum OrderMode {
        /// Spot.
        Spot = "spot" | "0",
        /// Isolated margin.
        IsolatedMargin = "iso_margin",
    }
}

crate::open_enum! {
    /// Who cancelled a spot order.
    pub enum CancelSource {
        /// The user.
        User = "user",
        /// The exchange.
        System = "system",
        /// Self-trade prevention.
        SelfTradePrevention = "stp",
    }
}

crate::open_enum! {
    /// Which side of a trade an order was on.
    pub enum TradeRole {
        /// It rested in the book.
        Maker = "maker" | "M",
        /// It took from the book.
        Taker = "taker" | "T",
    }
}

crate::open_enum! {
    /// Where an order query looks.
    pub enum QueryState {
        /// Among open orders.
        Open = "open",
        /// Among filled and cancelled orders.
        History = "history",
    }
}

crate::open_int_enum! {
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

crate::open_enum! {
    /// Whether a pair can be traded.
    pub enum TradeStatus {
        /// It can.
        Trading = "trading",
        /// Not yet.
        PreTrade = "pre-trade",
    }
}

crate::open_enum! {
    /// Kind of a spot algo order.
    pub enum AlgoOrderType {
        /// Becomes an order when the price reaches a trigger.
        Trigger = "trigger",
        /// Takes a profit or stops a loss, one way. The client libraries of the exchange name it
        /// with a slash; one of their comments has an underscore.
        TakeProfitStopLoss = "tp/sl" | "tp_sl",
    }
}

crate::open_enum! {
    /// What a spot algo order becomes when it is triggered.
    pub enum AlgoTriggerType {
        /// A limit order.
        Limit = "limit",
        /// A market order.
        Market = "market",
    }
}
