//! The wire values of the engine's enumerations.

use bitmart_sim::{
    FuturesAction,
    book::Side,
    funding::FundingState,
    futures::flows::FlowKind,
    futures_order::{FuturesOrder, FuturesSide, Mode, Origin},
    order::{CancelSource, Kind, NewSpotOrder, State},
    trigger::{PriceType, Way, spot::AlgoKind},
};

pub(crate) fn side(side: Side) -> &'static str {
    match side {
        Side::Buy => "buy",
        Side::Sell => "sell",
    }
}

pub(crate) fn order_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Limit => "limit",
        Kind::Market => "market",
        Kind::LimitMaker => "limit_maker",
        Kind::Ioc => "ioc",
    }
}

pub(crate) fn state(state: State) -> &'static str {
    match state {
        State::New => "new",
        State::PartiallyFilled => "partially_filled",
        State::Filled => "filled",
        State::Canceled => "canceled",
        State::PartiallyCanceled => "partially_canceled",
    }
}

pub(crate) fn cancel_source(source: CancelSource) -> &'static str {
    match source {
        CancelSource::User => "user",
        CancelSource::System => "system",
        CancelSource::SelfTrade => "stp",
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

pub(crate) fn mode(mode: Mode) -> u8 {
    match mode {
        Mode::GoodTilCancelled => 1,
        Mode::FillOrKill => 2,
        Mode::ImmediateOrCancel => 3,
        Mode::MakerOnly => 4,
    }
}

pub(crate) fn price_type(by: PriceType) -> u8 {
    match by {
        PriceType::Last => 1,
        PriceType::Fair => 2,
    }
}

/// The `price_way` of a trigger order.
pub(crate) fn way(way: Way) -> u8 {
    match way {
        Way::Rise => 1,
        Way::Fall => 2,
    }
}

/// The `action` on the futures order channel.
pub(crate) fn action(action: FuturesAction) -> u8 {
    match action {
        FuturesAction::Fill => 1,
        FuturesAction::Submitted => 2,
        FuturesAction::Cancelled => 3,
        FuturesAction::CancelledByLiquidation => 4,
        FuturesAction::Liquidated => 6,
        FuturesAction::Bankrupt => 7,
    }
}

/// The `flow_type` of a transaction, and its name.
pub(crate) fn flow(kind: FlowKind) -> (u8, &'static str) {
    match kind {
        FlowKind::Transfer => (1, "Transfer"),
        FlowKind::Realised => (2, "Realized PNL"),
        FlowKind::Funding => (3, "Funding Fee"),
        FlowKind::Commission => (4, "Commission Fee"),
        FlowKind::Liquidation => (5, "Liquidation Clearance"),
    }
}

/// The `status` of a deposit or withdrawal. Status 4, canceled, does not occur.
pub(crate) fn funding(state: FundingState) -> u8 {
    match state {
        FundingState::Created => 0,
        FundingState::Submitted => 1,
        FundingState::Processing => 2,
        FundingState::Done => 3,
        FundingState::Failed => 5,
    }
}
