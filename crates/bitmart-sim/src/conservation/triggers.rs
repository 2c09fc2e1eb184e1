//! Random operations with trigger orders.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{
    super::{
        Exchange,
        account::Account,
        tests::generated_spot_order,
        trigger::{
            Algo, AlgoKind, Condition, Direction, NewAlgo, NewPlan, Plan, PlanChange, PlanKind,
            Preset, PresetPrice, PriceType, Trail,
        },
    },
    steps::{Futures, futures_order, picked},
};
use crate::{FuturesRequest, Request, SpotRequest, futures_order::NewFuturesOrder};

const KINDS: [PlanKind; 4] =
    [PlanKind::Plan, PlanKind::TakeProfit, PlanKind::StopLoss, PlanKind::Trailing];

/// A random operation. Prices are distances from 60,000, so that many of them are reached.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Plan { kind: usize, order: Futures, price: i64, fair: bool, whole: bool },
    Change { pick: usize, price: i64 },
    CancelPlan(usize),
    Preset { pick: usize, distance: i64 },
    Algo { buy: bool, market: bool, price: i64, lots: i64 },
    CancelAlgo(usize),
}

pub(super) fn step(order: impl Strategy<Value = Futures>) -> impl Strategy<Value = Step> {
    let price = || -60..60_i64;
    prop_oneof![
        6 => (0..KINDS.len(), order, price(), any::<bool>(), any::<bool>()).prop_map(
            |(kind, order, price, fair, whole)| Step::Plan { kind, order, price, fair, whole }
        ),
        1 => (any::<usize>(), price()).prop_map(|(pick, price)| Step::Change { pick, price }),
        1 => any::<usize>().prop_map(Step::CancelPlan),
        2 => (any::<usize>(), 0..60_i64).prop_map(|(pick, distance)| Step::Preset { pick, distance }),
        4 => (any::<bool>(), any::<bool>(), price(), 1..200_i64).prop_map(
            |(buy, market, price, lots)| Step::Algo { buy, market, price, lots }
        ),
        1 => any::<usize>().prop_map(Step::CancelAlgo),
    ]
}

fn at(distance: i64) -> Decimal {
    Decimal::from(60_000 + distance)
}

pub(super) fn request(exchange: &Exchange, owner: &Account, step: Step) -> Option<Request> {
    let symbol = || "BTCUSDT".into();
    let plans: Vec<_> = exchange.triggers.futures.of(owner.id).map(|plan| plan.id).collect();
    Some(match step {
        Step::Plan { kind, order, price, fair, whole } => {
            let order = futures_order(owner, &order);
            FuturesRequest::PlacePlan(plan(KINDS[kind], order, at(price), fair, whole)).into()
        }
        Step::Change { pick, price } => {
            let change = PlanChange {
                trigger_price: at(price),
                price_type: PriceType::Last,
                price: None,
                whole_position: None,
            };
            let (id, kinds) = (picked(&plans, pick)?, KINDS[..3].to_vec());
            FuturesRequest::ModifyPlan { symbol: symbol(), id, kinds, change }.into()
        }
        Step::CancelPlan(pick) => {
            let (id, kinds) = (picked(&plans, pick)?, KINDS.to_vec());
            FuturesRequest::CancelPlan { symbol: symbol(), id, kinds }.into()
        }
        Step::Preset { pick, distance } => {
            let orders: Vec<_> = exchange
                .futures_orders_of(owner.id)
                .filter(|order| order.open)
                .map(|order| order.id)
                .collect();
            let id = picked(&[orders, plans].concat(), pick)?;
            let leg =
                |distance| Some(PresetPrice { price: at(distance), price_type: PriceType::Last });
            let preset = Preset { take_profit: leg(distance), stop_loss: leg(-distance) };
            FuturesRequest::ModifyPreset { symbol: symbol(), id, preset }.into()
        }
        Step::Algo { buy, market, price, lots } => {
            let order = generated_spot_order(buy, usize::from(market), 0, price, lots);
            let terms = Algo { kind: AlgoKind::Trigger, order };
            SpotRequest::PlaceTrigger(NewAlgo { trigger_price: at(price), terms }).into()
        }
        Step::CancelAlgo(pick) => {
            let algos: Vec<_> = exchange.triggers.spot.of(owner.id).map(|algo| algo.id).collect();
            SpotRequest::CancelTrigger(picked(&algos, pick)?).into()
        }
    })
}

/// No trigger order waits for a price that its market has, unless market or account stand still.
pub(super) fn check(exchange: &Exchange) -> Result<(), TestCaseError> {
    prop_assert!(exchange.triggers.has_consistent_presets());
    for account in exchange.accounts.keys().filter(|id| !exchange.operator_settings.is_frozen(**id))
    {
        for plan in exchange.triggers.futures.of(*account).filter(|plan| plan.is_waiting()) {
            let symbol = &plan.terms.order.symbol;
            let market = &exchange.futures[symbol];
            let prices =
                [(PriceType::Last, market.last_price()), (PriceType::Mark, market.mark_price())];
            let is_late = exchange.check_contract(symbol).is_ok()
                && prices.iter().any(|(kind, price)| is_met(&plan.condition, *kind, *price));
            prop_assert!(!is_late, "it waits at {prices:?}: {plan:?}");
        }
        for algo in exchange.triggers.spot.of(*account).filter(|algo| algo.is_waiting()) {
            let symbol = &algo.terms.order.symbol;
            let price = exchange.spot[symbol].last_price();
            let is_late = exchange.check_trading(symbol).is_ok()
                && is_met(&algo.condition, PriceType::Last, price);
            prop_assert!(!is_late, "it waits at {price}: {algo:?}");
        }
    }
    Ok(())
}

fn is_met(condition: &Condition, kind: PriceType, now: Decimal) -> bool {
    match condition {
        Condition::Reach { price, direction: Direction::Rise, price_type } => {
            *price_type == kind && now >= *price
        }
        Condition::Reach { price, direction: Direction::Fall, price_type } => {
            *price_type == kind && now <= *price
        }
        Condition::Trail(_) => false,
    }
}

fn plan(
    kind: PlanKind,
    order: NewFuturesOrder,
    price: Decimal,
    fair: bool,
    whole: bool,
) -> NewPlan {
    let price_type = if fair { PriceType::Mark } else { PriceType::Last };
    let direction = kind.direction(order.side);
    let condition = if kind == PlanKind::Trailing {
        let callback_rate = Decimal::new(1, 1);
        Condition::Trail(Trail {
            activation: price,
            callback_rate,
            price_type,
            direction,
            extreme: None,
        })
    } else {
        Condition::Reach {
            price,
            direction: if whole { direction } else { Direction::Rise },
            price_type,
        }
    };
    let whole_position = whole && kind.is_bound();
    let terms = Plan { kind, order, whole_position, preset: Preset::default() };
    NewPlan { client_order_id: None, condition, terms }
}
