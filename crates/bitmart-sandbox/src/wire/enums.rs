//! The wire values of the engine's enumerations.

use bitmart_sim::{
    AccountId, Exchange, FuturesAction,
    book::Side,
    futures::transactions::TransactionKind,
    futures_order::{FuturesOrder, FuturesSide, MarginType, OrderMode, Origin},
    payment::PaymentState,
    spot_order::{CancelSource, NewSpotOrder, SpotOrderState, SpotOrderType},
    trigger::{Direction, PriceType, spot::AlgoKind},
};

/// The user name of an account, by which endpoints of sub-accounts and withdrawals name it.
pub(crate) fn account_name(account: AccountId) -> String {
    format!("account{}@sandbox.test", account.0)
}

/// The customer with this account number or user name.
pub(crate) fn parse_account(exchange: &Exchange, name: &str) -> Option<AccountId> {
    let mut accounts = exchange.accounts().filter(|account| !account.house);
    accounts
        .find(|account| account.id.0.to_string() == name || account_name(account.id) == name)
        .map(|account| account.id)
}

pub(crate) fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

pub(crate) fn order_type(kind: SpotOrderType) -> &'static str {
    match kind {
        SpotOrderType::Limit => "limit",
        SpotOrderType::Market => "market",
        SpotOrderType::LimitMaker => "limit_maker",
        SpotOrderType::ImmediateOrCancel => "ioc",
    }
}

pub(crate) fn state(state: SpotOrderState) -> &'static str {
    match state {
        SpotOrderState::New => "new",
        SpotOrderState::PartiallyFilled => "partially_filled",
        SpotOrderState::Filled => "filled",
        SpotOrderState::Canceled => "canceled",
        SpotOrderState::PartiallyCanceled => "partially_canceled",
    }
}

pub(crate) fn cancel_source(source: CancelSource) -> &'static str {
    match source {
        CancelSource::User => "user",
        CancelSource::System => "system",
        CancelSource::SelfTradePrevention => "stp",
    }
}

/// The `orderMode` of a spot order.
pub(crate) fn order_mode(order: &NewSpotOrder) -> &'static str {
    if order.margin { "iso_margin" } else { "spot" }
}

pub(crate) fn algo(kind: AlgoKind) -> &'static str {
    match kind {
        AlgoKind::Trigger => "trigger",
        AlgoKind::TakeProfitStopLoss => "tp/sl",
    }
}

pub(crate) fn parse_algo(word: &str) -> Option<AlgoKind> {
    [AlgoKind::Trigger, AlgoKind::TakeProfitStopLoss].into_iter().find(|kind| algo(*kind) == word)
}

/// The `side` of a futures order. In one-way mode 1 is buy, 2 buy (reduce-only), 3 sell (reduce-only), and 4 sell.
pub(crate) fn futures_side(side: FuturesSide) -> u8 {
    match side {
        FuturesSide::OpenLong => 1,
        FuturesSide::CloseShort => 2,
        FuturesSide::CloseLong => 3,
        FuturesSide::OpenShort => 4,
    }
}

/// The `type` of a futures order on REST.
pub(crate) fn futures_type(order: &FuturesOrder) -> &'static str {
    match (order.origin, order.request.price) {
        (Origin::Liquidation, _) => "liquidate",
        (Origin::Bankruptcy, _) => "bankruptcy",
        (Origin::Customer, Some(_)) => "limit",
        (Origin::Customer, None) => "market",
    }
}

pub(crate) fn margin_type(margin_type: MarginType) -> &'static str {
    match margin_type {
        MarginType::Cross => "cross",
        MarginType::Isolated => "isolated",
    }
}

pub(crate) fn parse_margin_type(word: &str) -> Option<MarginType> {
    [MarginType::Cross, MarginType::Isolated].into_iter().find(|kind| margin_type(*kind) == word)
}

/// The margin type as position risk and older positions spell it.
pub(crate) fn capitalized_margin_type(margin_type: MarginType) -> &'static str {
    match margin_type {
        MarginType::Cross => "Cross",
        MarginType::Isolated => "Isolated",
    }
}

/// The margin type as WebSocket positions and affiliate trades number it.
pub(crate) fn margin_type_number(margin_type: MarginType) -> u8 {
    match margin_type {
        MarginType::Isolated => 1,
        MarginType::Cross => 2,
    }
}

pub(crate) fn mode(mode: OrderMode) -> u8 {
    match mode {
        OrderMode::GoodTillCanceled => 1,
        OrderMode::FillOrKill => 2,
        OrderMode::ImmediateOrCancel => 3,
        OrderMode::PostOnly => 4,
    }
}

pub(crate) fn price_type(price_type: PriceType) -> u8 {
    match price_type {
        PriceType::Last => 1,
        PriceType::Mark => 2,
    }
}

/// The `price_way` of a trigger order.
pub(crate) fn price_way(direction: Direction) -> u8 {
    match direction {
        Direction::Rise => 1,
        Direction::Fall => 2,
    }
}

/// The `action` on the futures order channel.
pub(crate) fn action(action: FuturesAction) -> u8 {
    match action {
        FuturesAction::Filled => 1,
        FuturesAction::Submitted => 2,
        FuturesAction::Canceled => 3,
        FuturesAction::CanceledByLiquidation => 4,
        FuturesAction::Liquidated => 6,
        FuturesAction::Bankrupt => 7,
    }
}

/// The `flow_type` of a transaction, and its name.
pub(crate) fn flow(kind: TransactionKind) -> (u8, &'static str) {
    match kind {
        TransactionKind::Transfer => (1, "Transfer"),
        TransactionKind::Realized => (2, "Realized PNL"),
        TransactionKind::Funding => (3, "Funding Fee"),
        TransactionKind::Commission => (4, "Commission Fee"),
        TransactionKind::Liquidation => (5, "Liquidation Clearance"),
    }
}

/// The `status` of a deposit or withdrawal. Status 4, canceled, does not occur.
pub(crate) fn funding(state: PaymentState) -> u8 {
    match state {
        PaymentState::Created => 0,
        PaymentState::Submitted => 1,
        PaymentState::Processing => 2,
        PaymentState::Done => 3,
        PaymentState::Failed => 5,
    }
}
