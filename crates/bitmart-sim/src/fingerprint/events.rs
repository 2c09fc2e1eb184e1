//! How events are included in a fingerprint.

use super::{Fingerprint, Include};
use crate::{
    Event, FuturesAction,
    book::{SelfTradePrevention, Side},
    event::BalanceReason,
    futures_order::{
        FuturesFill, FuturesOrder, FuturesSide, MarginType, NewFuturesOrder, OrderMode, Origin,
    },
    spot_order::{CancelSource, NewSpotOrder, SpotFill, SpotOrder, SpotOrderState, SpotOrderType},
    tape::PublicTrade,
    trigger::{
        Condition, Direction, Plan, PlanKind, Preset, PresetPrice, PriceType, Trail, Trigger,
        TriggerState,
    },
};

/// The fields of structs in the order in which they go in. Those after `without` are left out. A field that is missing
/// here does not compile.
macro_rules! structs {
    ($($name:ty { $($field:ident),+ $(; without $($left_out:ident),+)? })+) => {
        $(impl Include for $name {
            fn include(&self, fingerprint: &mut Fingerprint) {
                let Self { $($field,)+ $($($left_out: _,)+)? } = self;
                $($field.include(fingerprint);)+
            }
        })+
    };
}

/// The numbers of the variants of enums.
macro_rules! enums {
    ($($name:ident { $($variant:ident = $number:literal),+ })+) => {
        $(impl Include for $name {
            fn include(&self, fingerprint: &mut Fingerprint) {
                let number: u64 = match self { $(Self::$variant => $number,)+ };
                number.include(fingerprint);
            }
        })+
    };
}

structs! {
    PublicTrade { id, price, size, side, time_ms }
    NewSpotOrder { symbol, margin, side, kind, client_order_id, self_trade_prevention, size, price, notional }
    // The numbers of wallets follow from the owner and the currency.
    SpotOrder {
        id, account, request, filled_size, filled_notional, reserved, state, cancel_source, created_ms, updated_ms;
        without paid_from, paid_into
    }
    SpotFill { trade, order, account, request, price, size, fee, maker, time_ms }
    NewFuturesOrder { symbol, side, price, size, mode, leverage, margin_type, client_order_id, self_trade_prevention }
    FuturesOrder {
        id, account, request, origin, one_way, closes, filled, filled_value, reserved, open, created_ms, updated_ms
    }
    FuturesFill { trade, order, account, symbol, side, price, size, fee, realized, maker, time_ms }
    Trigger<Plan> { id, account, client_order_id, condition, terms, state, created_ms, updated_ms }
    Plan { kind, order, whole_position, preset }
    Preset { take_profit, stop_loss }
    PresetPrice { price, price_type }
    Trail { activation, callback_rate, price_type, direction, extreme }
}

enums! {
    Side { Buy = 0, Sell = 1 }
    SelfTradePrevention { Off = 0, CancelMaker = 1, CancelTaker = 2, CancelBoth = 3 }
    SpotOrderType { Limit = 0, Market = 1, LimitMaker = 2, ImmediateOrCancel = 3 }
    SpotOrderState { New = 0, PartiallyFilled = 1, Filled = 2, Canceled = 3, PartiallyCanceled = 4 }
    CancelSource { User = 0, System = 1, SelfTradePrevention = 2 }
    BalanceReason { Trade = 0, Deposit = 1, Withdrawal = 2, Transfer = 3 }
    FuturesSide { OpenLong = 0, CloseShort = 1, CloseLong = 2, OpenShort = 3 }
    MarginType { Cross = 0, Isolated = 1 }
    OrderMode { GoodTillCanceled = 0, FillOrKill = 1, ImmediateOrCancel = 2, PostOnly = 3 }
    Origin { Customer = 0, Liquidation = 1, Bankruptcy = 2 }
    FuturesAction {
        Filled = 0, Submitted = 1, Canceled = 2, CanceledByLiquidation = 3, Liquidated = 4, Bankrupt = 5
    }
    PlanKind { Plan = 0, TakeProfit = 1, StopLoss = 2, Trailing = 3 }
    PriceType { Last = 0, Mark = 1 }
    Direction { Rise = 0, Fall = 1 }
}

impl Include for Condition {
    fn include(&self, fingerprint: &mut Fingerprint) {
        match self {
            Self::Reach { price, direction, price_type } => {
                (0_u64, price, (direction, price_type)).include(fingerprint);
            }
            Self::Trail(trail) => (1_u64, trail).include(fingerprint),
        }
    }
}

impl Include for TriggerState {
    fn include(&self, fingerprint: &mut Fingerprint) {
        match self {
            Self::Waiting => 0_u64.include(fingerprint),
            Self::Placed(order) => (1_u64, order).include(fingerprint),
            Self::Rejected => 2_u64.include(fingerprint),
            Self::Canceled => 3_u64.include(fingerprint),
        }
    }
}

impl Include for Event {
    fn include(&self, fingerprint: &mut Fingerprint) {
        match self {
            Self::SpotTrade { symbol, trade } => (0_u64, symbol, trade).include(fingerprint),
            Self::SpotOrder { order, fill } => (1_u64, order, fill).include(fingerprint),
            Self::SpotBalance { account, reason, currencies } => {
                (2_u64, account, (reason, currencies.as_slice())).include(fingerprint);
            }
            Self::FuturesTrade { symbol, trade } => (3_u64, symbol, trade).include(fingerprint),
            Self::FuturesOrder { order, action, fill } => {
                (4_u64, order, (action, fill)).include(fingerprint);
            }
            Self::FuturesPlan { plan, action } => (5_u64, plan, action).include(fingerprint),
            Self::FuturesAsset { account, currency } => {
                (6_u64, account, currency).include(fingerprint);
            }
            Self::FuturesPosition { account, symbol, side } => {
                (7_u64, account, (symbol, side.is_long())).include(fingerprint);
            }
        }
    }
}
