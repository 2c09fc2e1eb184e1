//! Futures orders and contracts.

crate::open_int_enum! {
    /// Direction of a futures order. What it means depends on the position mode of the account.
    pub enum FuturesSide {
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

impl FuturesSide {
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
    pub enum FuturesOrderType {
        /// At a price or better.
        Limit = "limit",
        /// At any price.
        Market = "market",
        /// Forced liquidation.
        Liquidation = "liquidate",
        /// Takeover at bankruptcy.
        Bankruptcy = "bankruptcy",
        /// Auto-deleveraging.
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
    /// What backs a position. Where BitMart documents a number, in WebSocket positions and among
    /// affiliate trades, 1 is isolated and 2 is cross.
    pub enum MarginType {
        /// The whole account.
        Cross = "cross" | "2",
        /// The margin of the position only.
        Isolated = "isolated" | "1",
    }
}

crate::open_int_enum! {
    /// How long a futures order lives.
    pub enum FuturesOrderMode {
        /// Until it is cancelled.
        GoodTillCanceled = 1,
        /// Completely and at once, or not at all.
        FillOrKill = 2,
        /// At once; what does not fill is cancelled.
        ImmediateOrCancel = 3,
        /// Only as a maker; not for market orders.
        MakerOnly = 4,
    }
}

crate::open_int_enum! {
    /// State of a futures order.
    pub enum FuturesOrderState {
        /// Being checked.
        Approving = 1 | "status_approval",
        /// Open.
        Open = 2 | "status_check" | "active",
        /// Filled or cancelled: the filled size tells which.
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
        /// The fair price, also called mark price.
        Fair = 2 | "fair_price",
    }
}

crate::open_int_enum! {
    /// What happens when a futures order would trade with an order of the same user.
    pub enum FuturesSelfTradePrevention {
        /// The resting order is cancelled.
        CancelMaker = 1,
        /// The incoming order is cancelled.
        CancelTaker = 2,
        /// Both are cancelled.
        CancelBoth = 3,
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
    /// Which futures account an order belongs to.
    pub enum FuturesAccount {
        /// The user's own.
        Futures = "futures",
        /// Copy trading.
        CopyTrading = "copy_trading",
    }
}

crate::open_int_enum! {
    /// Kind of a contract.
    pub enum ProductType {
        /// Without expiry.
        Perpetual = 1,
        /// With a settlement date.
        Dated = 2,
    }
}

crate::open_enum! {
    /// Whether a contract trades.
    pub enum ContractStatus {
        /// It trades.
        Trading = "Trading",
        /// It no longer trades.
        Delisted = "Delisted",
    }
}

crate::open_int_enum! {
    /// Length of a futures candle, in minutes on the wire.
    pub enum FuturesKlineStep {
        /// 1 minute.
        Minutes1 = 1,
        /// 3 minutes.
        Minutes3 = 3,
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
        /// 6 hours.
        Hours6 = 360,
        /// 12 hours.
        Hours12 = 720,
        /// 1 day.
        Days1 = 1440,
        /// 3 days.
        Days3 = 4320,
        /// 1 week.
        Weeks1 = 10080,
    }
}

crate::open_enum! {
    /// Side of a position.
    pub enum PositionSide {
        /// The net position of an account in one-way mode.
        Both = "both",
        /// Long, in hedge mode.
        Long = "long",
        /// Short, in hedge mode.
        Short = "short",
    }
}

crate::open_int_enum! {
    /// Side of a position, where BitMart writes a number.
    pub enum PositionType {
        /// Long.
        Long = 1,
        /// Short.
        Short = 2,
    }
}

crate::open_int_enum! {
    /// From which side the price must reach the trigger of a plan order.
    pub enum TriggerDirection {
        /// The price rises to the trigger.
        Rising = 1,
        /// The price falls to the trigger.
        Falling = 2,
    }
}

crate::open_int_enum! {
    /// How much of a position a take-profit or stop-loss closes.
    pub enum PlanCategory {
        /// A given size.
        Size = 1,
        /// The whole position.
        Position = 2,
    }
}

crate::open_enum! {
    /// Which waiting orders a list shows.
    pub enum PlanType {
        /// Plan orders.
        Plan = "plan",
        /// Take-profits and stop-losses.
        ProfitLoss = "profit_loss",
    }
}

crate::open_enum! {
    /// Kind of a waiting order.
    pub enum PlanOrderType {
        /// Plan order.
        Plan = "plan",
        /// Take-profit.
        TakeProfit = "take_profit",
        /// Stop-loss.
        StopLoss = "stop_loss",
        /// Plan order that places a limit order.
        Limit = "limit",
        /// Plan order that places a market order.
        Market = "market",
    }
}

crate::open_enum! {
    /// Which open orders a list shows.
    pub enum OpenOrderFilter {
        /// All.
        All = "all",
        /// Partly filled ones.
        PartiallyFilled = "partially_filled",
    }
}

crate::open_int_enum! {
    /// Kind of a movement of money in the futures account.
    pub enum FuturesFlowType {
        /// Every kind; in requests.
        All = 0,
        /// Transfer.
        Transfer = 1,
        /// Realised profit or loss.
        RealizedProfit = 2,
        /// Funding fee.
        Funding = 3,
        /// Trading fee.
        Commission = 4,
        /// Settlement of a liquidation.
        Liquidation = 5,
    }
}

crate::open_enum! {
    /// Kind of a movement of money in the futures account, in words.
    pub enum FuturesFlowName {
        /// Transfer.
        Transfer = "Transfer",
        /// Realised profit or loss.
        RealizedProfit = "Realized PNL",
        /// Funding fee.
        Funding = "Funding Fee",
        /// Trading fee.
        Commission = "Commission Fee",
        /// Settlement of a liquidation.
        Liquidation = "Liquidation Clearance",
    }
}

crate::open_enum! {
    /// Direction of a transfer between the spot and the futures account.
    pub enum FuturesTransferType {
        /// From spot to futures.
        SpotToFutures = "spot_to_contract",
        /// From futures to spot.
        FuturesToSpot = "contract_to_spot",
    }
}

crate::open_enum! {
    /// Direction of a transfer between the funding and the futures account.
    pub enum FuturesFundTransferType {
        /// From funding to futures.
        FundToFutures = "fund_to_contract",
        /// From futures to funding.
        FuturesToFund = "contract_to_fund",
    }
}

crate::open_enum! {
    /// How far a transfer between the spot and the futures account is.
    pub enum FuturesTransferState {
        /// On its way.
        Processing = "PROCESSING",
        /// Done.
        Finished = "FINISHED",
        /// Failed.
        Failed = "FAILED",
    }
}

crate::open_int_enum! {
    /// What contracts are margined in.
    pub enum ContractType {
        /// USDT.
        Usdt = 1,
        /// The base coin.
        Coin = 2,
    }
}

crate::open_enum! {
    /// Kind of a repayment.
    pub enum RepaymentType {
        /// Automatic.
        Auto = "AUTO_REPAY",
    }
}

crate::open_enum! {
    /// Account of a user that a transfer leaves or reaches.
    pub enum WalletType {
        /// Spot.
        Spot = "spot",
        /// Futures.
        Futures = "future",
    }
}
