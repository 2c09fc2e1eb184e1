//! Enumerations of the futures endpoints.

bitmart_types::open_int_enum! {
    /// Time in force of a futures order.
    pub enum TimeInForce {
        /// Until it is canceled.
        GoodTillCanceled = 1,
        /// Completely and immediately, or not at all.
        FillOrKill = 2,
        /// Immediately; the remainder is canceled.
        ImmediateOrCancel = 3,
        /// Only as a maker; not for market orders.
        PostOnly = 4,
    }
}

bitmart_types::open_int_enum! {
    /// What happens when a futures order would trade with an order of the same user.
    pub enum SelfTradePrevention {
        /// The resting order is canceled.
        CancelMaker = 1,
        /// The incoming order is canceled.
        CancelTaker = 2,
        /// Both are canceled.
        CancelBoth = 3,
    }
}

bitmart_types::open_enum! {
    /// Which futures account an order belongs to.
    pub enum TradingAccount {
        /// The user's own.
        Futures = "futures",
        /// Copy trading.
        CopyTrading = "copy_trading",
    }
}

bitmart_types::open_int_enum! {
    /// Kind of a contract.
    pub enum ProductType {
        /// Without expiry.
        Perpetual = 1,
        /// With a settlement date.
        Dated = 2,
    }
}

bitmart_types::open_enum! {
    /// Whether a contract trades.
    pub enum ContractStatus {
        /// Trading.
        Trading = "Trading",
        /// No longer trading.
        Delisted = "Delisted",
    }
}

bitmart_types::open_int_enum! {
    /// Length of a futures candle, in minutes on the wire.
    pub enum KlineStep {
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

bitmart_types::open_int_enum! {
    /// Direction in which the price must reach the trigger of a plan order.
    pub enum TriggerDirection {
        /// The price rises to the trigger.
        Rising = 1,
        /// The price falls to the trigger.
        Falling = 2,
    }
}

bitmart_types::open_int_enum! {
    /// How much of a position a take-profit or stop-loss closes: `plan_category` on the wire.
    pub enum TpSlScope {
        /// A given size.
        Size = 1,
        /// The whole position.
        Position = 2,
    }
}

bitmart_types::open_enum! {
    /// Which orders [`ListPlanOrders`](super::ListPlanOrders) lists: `plan_type` on the wire.
    /// [`PlanOrderType`] says what each order is.
    pub enum PlanOrderFilter {
        /// Plan orders without take-profits and stop-losses.
        Plan = "plan",
        /// Take-profits and stop-losses only.
        ProfitLoss = "profit_loss",
    }
}

bitmart_types::open_enum! {
    /// Type of one plan order. Requests name what is placed when the price is reached: a limit or a
    /// market order. Responses name a plan order, a take-profit or a stop-loss.
    pub enum PlanOrderType {
        /// Plan order.
        Plan = "plan" | "planorder" | "plan_order",
        /// Trailing order.
        Trailing = "trailing" | "trailing_order",
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

bitmart_types::open_enum! {
    /// Which open orders a list shows.
    pub enum OpenOrderFilter {
        /// All.
        All = "all",
        /// Partly filled ones.
        PartiallyFilled = "partially_filled",
    }
}

bitmart_types::open_int_enum! {
    /// Type of a transaction of the futures account, as a number: `flow_type` on the wire.
    pub enum TransactionType {
        /// Every type; in requests.
        All = 0,
        /// Transfer.
        Transfer = 1,
        /// Realized profit or loss.
        RealizedProfit = 2,
        /// Funding fee.
        Funding = 3,
        /// Trading fee.
        Commission = 4,
        /// Settlement of a liquidation.
        Liquidation = 5,
    }
}

bitmart_types::open_enum! {
    /// The [`TransactionType`] as text: `type` on the wire. Every response has it, the number only some.
    pub enum TransactionTypeName {
        /// Transfer.
        Transfer = "Transfer",
        /// Realized profit or loss.
        RealizedProfit = "Realized PNL",
        /// Funding fee.
        Funding = "Funding Fee",
        /// Trading fee.
        Commission = "Commission Fee",
        /// Settlement of a liquidation.
        Liquidation = "Liquidation Clearance",
    }
}

bitmart_types::open_enum! {
    /// Direction of a transfer between the spot and the futures account.
    pub enum TransferDirection {
        /// From spot to futures.
        SpotToFutures = "spot_to_contract",
        /// From futures to spot.
        FuturesToSpot = "contract_to_spot",
    }
}

bitmart_types::open_enum! {
    /// Direction of a transfer between the funding and the futures account.
    pub enum FundingTransferDirection {
        /// From funding to futures.
        FundingToFutures = "fund_to_contract",
        /// From futures to funding.
        FuturesToFunding = "contract_to_fund",
    }
}

bitmart_types::open_enum! {
    /// State of a transfer between the spot and the futures account.
    pub enum TransferState {
        /// In progress.
        Processing = "PROCESSING",
        /// Done.
        Finished = "FINISHED",
        /// Failed.
        Failed = "FAILED",
    }
}

bitmart_types::open_int_enum! {
    /// The currency in which contracts are margined.
    pub enum ContractType {
        /// USDT.
        Usdt = 1,
        /// The base coin.
        Coin = 2,
    }
}

bitmart_types::open_enum! {
    /// Kind of a repayment.
    pub enum RepaymentType {
        /// Automatic.
        Auto = "AUTO_REPAY",
    }
}
