//! Enumerations of the futures market that REST and WebSocket share.

crate::open_int_enum! {
    /// Direction of a futures order. What it means depends on the position mode of the account.
    pub enum Side {
        /// Hedge mode: buy to open a long. One-way mode: buy.
        OpenLong = 1,
        /// Hedge mode: buy to close a short. One-way mode: buy, reduce only.
        CloseShort = 2,
        /// Hedge mode: sell to close a long. One-way mode: sell, reduce only.
        CloseLong = 3,
        /// Hedge mode: sell to open a short. One-way mode: sell.
        OpenShort = 4,
    }
}

impl Side {
    /// Whether it buys; `None` for an unknown value.
    pub fn is_buy(&self) -> Option<bool> {
        match self {
            Self::OpenLong | Self::CloseShort => Some(true),
            Self::CloseLong | Self::OpenShort => Some(false),
            Self::Unknown(_) => None,
        }
    }
}

crate::open_enum! {
    /// Kind of a futures order.
    pub enum OrderType {
        /// At a price or better.
        Limit = "limit",
        /// At any price.
        Market = "market",
        /// Forced liquidation.
        Liquidation = "liquidate",
        /// Takeover at bankruptcy.
        Bankruptcy = "bankruptcy",
        /// Auto-deleveraging (ADL).
        AutoDeleveraging = "adl",
        /// Trailing order.
        Trailing = "trailing" | "trailing_order",
        /// Plan order.
        Plan = "planorder" | "plan_order",
        /// Take-profit order; in WebSocket events.
        TakeProfit = "take_profit",
        /// Stop-loss order; in WebSocket events.
        StopLoss = "stop_loss",
    }
}

crate::open_enum! {
    /// The margin that backs a position. In WebSocket positions and affiliate trades it is a number: 1 is
    /// isolated, 2 is cross.
    pub enum MarginType {
        /// The whole account.
        Cross = "cross" | "2",
        /// The margin of the position only.
        Isolated = "isolated" | "1",
    }
}

crate::open_int_enum! {
    /// State of a futures order.
    pub enum OrderState {
        /// Being checked.
        Approving = 1 | "status_approval",
        /// Open.
        Open = 2 | "status_check" | "active",
        /// Filled or canceled; the filled size distinguishes the two.
        Finished = 4 | "status_finish",
    }
}

crate::open_int_enum! {
    /// Which price triggers an order.
    pub enum PriceType {
        /// Not set.
        Unset = 0,
        /// The last traded price.
        Last = 1 | "last_price",
        /// The mark price; the exchange calls it fair price here.
        Mark = 2 | "fair_price",
    }
}

crate::open_enum! {
    /// How an account holds positions.
    pub enum PositionMode {
        /// A long and a short side by side.
        Hedge = "hedge_mode",
        /// One net position.
        OneWay = "one_way_mode",
    }
}

crate::open_enum! {
    /// Side of a position. In WebSocket positions and in the response of the older endpoint of REST it is a
    /// number: 1 is long, 2 is short, in both position modes.
    pub enum PositionSide {
        /// The net position of an account in one-way mode; in text only.
        Both = "both",
        /// Long.
        Long = "long" | "1",
        /// Short.
        Short = "short" | "2",
    }
}
