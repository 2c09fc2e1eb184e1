//! Take-profits, stop-losses and presets, which belong to a position.

use super::*;

/// A take-profit or stop-loss of a long position: for so many contracts, or for the whole position.
fn tp_sl(kind: PlanKind, condition: Condition, contracts: Option<i64>) -> NewPlan {
    let close = futures_order(FuturesSide::CloseLong, None, contracts.unwrap_or_default());
    let mut new = new_plan(kind, close, condition);
    new.terms.whole_position = contracts.is_none();
    new
}

#[test]
fn a_take_profit_closes_the_whole_position_and_cancels_the_stop_loss() {
    let mut exchange = quiet();
    buy_five_long(&mut exchange);
    let mut submit = |new| exchange.submit_plan(ME, new, START_MS).expect("accepted");
    let take = submit(tp_sl(PlanKind::TakeProfit, reach(61_000, Direction::Rise), None));
    let stop = submit(tp_sl(PlanKind::StopLoss, reach(59_000, Direction::Fall), Some(3)));
    trade_at(&mut exchange, 60_999);
    assert_eq!(state(&exchange, take), TriggerState::Waiting);
    place(&mut exchange, OTHER, futures_order(FuturesSide::CloseShort, Some(60_900), 5));
    trade_at(&mut exchange, 61_000);
    let order = placed_order(&exchange, take);
    assert_eq!(exchange.futures_orders[&order].filled, Decimal::from(5));
    assert_eq!(state(&exchange, stop), TriggerState::Canceled);
    trade_at(&mut exchange, 58_000);
    assert_eq!(exchange.futures_orders_of(ME).count(), 2, "one order opened it and one closed it");
}

#[test]
fn a_stop_loss_for_the_whole_position_cancels_other_closing_orders() {
    let mut exchange = quiet();
    buy_five_long(&mut exchange);
    let new = tp_sl(PlanKind::StopLoss, reach(59_000, Direction::Fall), None);
    let stop = exchange.submit_plan(ME, new, START_MS).expect("accepted");
    place(&mut exchange, ME, futures_order(FuturesSide::CloseLong, Some(70_000), 5));
    place(&mut exchange, OTHER, futures_order(FuturesSide::CloseShort, Some(58_900), 5));
    trade_at(&mut exchange, 59_000);
    let order = placed_order(&exchange, stop);
    assert_eq!(exchange.futures_orders[&order].filled, Decimal::from(5));
    assert!(exchange.futures_orders_of(ME).all(|order| !order.open), "nothing is left to close");
}

#[test]
fn take_profits_and_stop_losses_are_canceled_with_their_position() {
    let mut exchange = quiet();
    buy_five_long(&mut exchange);
    let new = tp_sl(PlanKind::StopLoss, reach(59_000, Direction::Fall), None);
    let stop = exchange.submit_plan(ME, new, START_MS).expect("accepted");
    place(&mut exchange, OTHER, futures_order(FuturesSide::CloseShort, Some(60_000), 5));
    place(&mut exchange, ME, futures_order(FuturesSide::CloseLong, None, 4));
    assert_eq!(state(&exchange, stop), TriggerState::Waiting, "a part is left");
    place(&mut exchange, ME, futures_order(FuturesSide::CloseLong, None, 1));
    assert_eq!(state(&exchange, stop), TriggerState::Canceled);
}

#[test]
fn take_profits_need_a_position_of_their_size() {
    let mut exchange = quiet();
    let submit = |exchange: &mut Exchange, contracts| {
        let new = tp_sl(PlanKind::TakeProfit, reach(61_000, Direction::Rise), contracts);
        exchange.submit_plan(ME, new, START_MS)
    };
    assert_eq!(submit(&mut exchange, None), Err(Reject::NoPosition));
    buy_five_long(&mut exchange);
    assert_eq!(submit(&mut exchange, Some(6)), Err(Reject::PositionTooSmall));
    assert!(submit(&mut exchange, Some(5)).is_ok());
    for _ in 1..MAX_WAITING {
        submit(&mut exchange, None).expect("accepted");
    }
    assert_eq!(submit(&mut exchange, None), Err(Reject::TooManyTriggerOrders));
}

#[test]
fn presets_are_placed_at_the_first_fill() {
    let mut exchange = quiet();
    let leg = |price: i64| Some(PresetPrice { price: price.into(), price_type: PriceType::Last });
    let preset = Preset { take_profit: leg(61_000), stop_loss: leg(59_000) };
    let buy = place(&mut exchange, ME, futures_order(FuturesSide::OpenLong, Some(60_000), 4));
    exchange.set_preset(buy, preset);
    exchange.run_triggers(START_MS);
    assert_eq!(exchange.triggers.futures.of(ME).count(), 0);
    let newer = Preset { take_profit: leg(61_500), stop_loss: None };
    exchange.change_preset(ME, SYMBOL, buy, newer, START_MS).expect("open");
    for _ in 0..2 {
        place(&mut exchange, OTHER, futures_order(FuturesSide::OpenShort, Some(60_000), 1));
    }
    let prices: Vec<_> = exchange
        .triggers
        .futures
        .of(ME)
        .map(|plan| (plan.terms.kind, plan.terms.whole_position, plan.condition.clone()))
        .collect();
    let stop = (PlanKind::StopLoss, true, reach(59_000, Direction::Fall));
    assert_eq!(prices, [stop, (PlanKind::TakeProfit, true, reach(61_500, Direction::Rise))]);
}

#[test]
fn presets_are_placed_at_the_first_fill_that_opens() {
    let mut exchange = quiet();
    exchange.set_one_way(ME, true).expect("nothing is open");
    buy_five_long(&mut exchange);
    let sell = place(&mut exchange, ME, futures_order(FuturesSide::OpenShort, Some(60_000), 8));
    let stop_loss = Some(PresetPrice { price: Decimal::from(61_000), price_type: PriceType::Last });
    exchange.set_preset(sell, Preset { stop_loss, take_profit: None });
    let trigger_orders = |exchange: &Exchange| exchange.triggers.futures.of(ME).count();
    // It closes the long position first.
    place(&mut exchange, OTHER, futures_order(FuturesSide::CloseShort, Some(60_000), 2));
    assert_eq!(trigger_orders(&exchange), 0);
    place(&mut exchange, OTHER, futures_order(FuturesSide::OpenLong, Some(60_000), 6));
    assert_eq!(trigger_orders(&exchange), 1);
}

#[test]
fn the_size_of_a_stop_loss_for_the_whole_position_follows_the_position() {
    let mut exchange = quiet();
    buy_five_long(&mut exchange);
    let close = futures_order(FuturesSide::CloseLong, None, 5);
    let mut new = new_plan(PlanKind::StopLoss, close, reach(59_000, Direction::Fall));
    new.terms.whole_position = true;
    let id = exchange.submit_plan(ME, new, START_MS).expect("accepted");
    place(&mut exchange, OTHER, futures_order(FuturesSide::CloseShort, Some(60_000), 2));
    place(&mut exchange, ME, futures_order(FuturesSide::CloseLong, Some(60_000), 2));
    let size =
        |exchange: &Exchange| exchange.plan_size(exchange.triggers.futures.get(id).expect("kept"));
    assert_eq!(size(&exchange), Decimal::from(3));
    trade_at(&mut exchange, 59_000);
    assert_eq!(size(&exchange), Decimal::from(3));
    assert_eq!(
        exchange.futures_orders[&placed_order(&exchange, id)].request.size,
        Decimal::from(3)
    );
}

#[test]
fn a_stop_loss_at_the_mark_price_prevents_a_liquidation_however_far_the_clock_jumps() {
    let mut exchange = quiet();
    let isolated = |order: NewFuturesOrder| NewFuturesOrder {
        leverage: 100,
        margin_type: MarginType::Isolated,
        ..order
    };
    place(&mut exchange, OTHER, futures_order(FuturesSide::OpenShort, Some(60_000), 5));
    place(&mut exchange, ME, isolated(futures_order(FuturesSide::OpenLong, Some(60_000), 5)));
    let condition = Condition::Reach {
        price: Decimal::from(59_900),
        direction: Direction::Fall,
        price_type: PriceType::Mark,
    };
    let close = isolated(futures_order(FuturesSide::CloseLong, None, 5));
    let id = submit_plan(&mut exchange, PlanKind::StopLoss, close, condition);
    trade_at(&mut exchange, 50_000);
    place(&mut exchange, OTHER, futures_order(FuturesSide::CloseShort, Some(59_800), 5));
    exchange.run_due_tasks(START_MS + 3_600_000);
    assert_eq!(exchange.futures_orders[&placed_order(&exchange, id)].filled, Decimal::from(5));
    let customer = |order: &FuturesOrder| order.origin == crate::futures_order::Origin::Customer;
    assert!(exchange.futures_orders_of(ME).all(customer), "nothing was liquidated");
}

/// However presets are changed between the fills of an order, it has one take-profit and one stop-loss.
#[test]
fn changed_presets_change_the_trigger_orders_that_the_first_fill_placed() {
    let mut exchange = quiet();
    let leg = |price: i64| Some(PresetPrice { price: price.into(), price_type: PriceType::Last });
    let buy = place(&mut exchange, ME, futures_order(FuturesSide::OpenLong, Some(60_000), 9));
    exchange.set_preset(buy, Preset { take_profit: None, stop_loss: leg(59_000) });
    for round in 0..6 {
        place(&mut exchange, OTHER, futures_order(FuturesSide::OpenShort, Some(60_000), 1));
        let take_profit = if round > 1 { leg(61_000 + round) } else { None };
        let newer = Preset { take_profit, stop_loss: leg(59_000 - round) };
        exchange.change_preset(ME, SYMBOL, buy, newer, START_MS).expect("open");
        exchange.run_triggers(START_MS);
        let waiting = exchange.triggers.futures.of(ME).filter(|plan| plan.is_waiting());
        let mut rows: Vec<_> =
            waiting.map(|plan| (plan.terms.kind, plan.condition.clone())).collect();
        rows.sort_by_key(|row| row.0 == PlanKind::StopLoss);
        let mut expected = vec![(PlanKind::StopLoss, reach(59_000 - round, Direction::Fall))];
        if round > 1 {
            expected.insert(0, (PlanKind::TakeProfit, reach(61_000 + round, Direction::Rise)));
        }
        assert_eq!(rows, expected, "round {round}");
    }
}

/// A change that needs a new trigger order is rejected whole when there is no room for it.
#[test]
fn presets_that_find_no_room_are_not_changed() {
    let mut exchange = quiet();
    let leg = |price: i64| Some(PresetPrice { price: price.into(), price_type: PriceType::Last });
    let buy = place(&mut exchange, ME, futures_order(FuturesSide::OpenLong, Some(60_000), 9));
    exchange.set_preset(buy, Preset { take_profit: None, stop_loss: leg(59_000) });
    place(&mut exchange, OTHER, futures_order(FuturesSide::OpenShort, Some(60_000), 1));
    for _ in 1..MAX_WAITING {
        let open = futures_order(FuturesSide::OpenLong, None, 1);
        submit_plan(&mut exchange, PlanKind::Plan, open, reach(90_000, Direction::Rise));
    }
    let before = exchange.preset_of(buy);
    let both = Preset { take_profit: leg(61_000), stop_loss: leg(58_000) };
    let result = exchange.change_preset(ME, SYMBOL, buy, both, START_MS);
    assert_eq!(result, Err(Reject::TooManyTriggerOrders));
    assert_eq!(exchange.preset_of(buy), before);
}

#[test]
fn a_stop_loss_does_not_outlive_its_position_although_another_is_opened_at_once() {
    let mut exchange = quiet();
    buy_five_long(&mut exchange);
    let new = tp_sl(PlanKind::StopLoss, reach(59_000, Direction::Fall), None);
    let stop = exchange.submit_plan(ME, new, START_MS).expect("accepted");
    place(&mut exchange, OTHER, futures_order(FuturesSide::CloseShort, Some(60_000), 5));
    // Both are filled before triggers run, as by one command that fills several orders.
    for (account, side) in [(ME, FuturesSide::CloseLong), (OTHER, FuturesSide::OpenShort)] {
        let order = futures_order(side, Some(60_000), 5);
        exchange.place_futures(account, order, START_MS).expect("accepted");
    }
    let again = futures_order(FuturesSide::OpenLong, Some(60_000), 5);
    exchange.place_futures(ME, again, START_MS).expect("accepted");
    exchange.run_triggers(START_MS);
    assert_eq!(state(&exchange, stop), TriggerState::Canceled);
}

#[test]
fn a_post_only_plan_keeps_its_price() {
    let mut exchange = quiet();
    let buy = NewFuturesOrder {
        mode: OrderMode::PostOnly,
        ..futures_order(FuturesSide::OpenLong, Some(60_000), 5)
    };
    let id = submit_plan(&mut exchange, PlanKind::Plan, buy, reach(61_000, Direction::Rise));
    let change = |price: Option<i64>| PlanChange {
        trigger_price: Decimal::from(61_000),
        price_type: PriceType::Last,
        price: price.map(Decimal::from),
        whole_position: None,
    };
    let kinds = [PlanKind::Plan];
    let market = exchange.change_plan(ME, SYMBOL, id, &kinds, change(None), START_MS);
    assert_eq!(market, Err(Reject::PostOnlyWithoutPrice));
    exchange.change_plan(ME, SYMBOL, id, &kinds, change(Some(59_000)), START_MS).expect("accepted");
}
