//! What the switch cancels, and how it finds out what became of it.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_lost_response_to_cancel_all_is_resolved_by_querying_open_orders() {
    // How many requests to cancel are sent: a second one only if the first one did not arrive.
    for (delivery, sent) in [(Delivery::ResponseLost(20), 1), (Delivery::Lost, 2)] {
        let exchange = SimulatedExchange::new();
        let switch = start_armed(guard(&exchange).pair(PAIR)).await;
        exchange.place(CONTRACT);
        exchange.place(PAIR);
        exchange.enqueue_for(CANCEL_FUTURES, &[delivery]);
        exchange.enqueue_for(CANCEL_SPOT, &[delivery]);
        let report = switch.shutdown().await;
        assert!(report.is_clear(), "{delivery:?}: {report:?}");
        assert_eq!((exchange.open(CONTRACT), exchange.open(PAIR)), (0, 0));
        for (path, market) in [(CANCEL_FUTURES, 0), (CANCEL_SPOT, 1)] {
            assert_eq!(exchange.sent(path).len(), sent, "{delivery:?} {path}");
            let one = &report.markets[market];
            assert_eq!(one.accepted, sent == 2, "{one:?}");
            assert!(one.error.is_some(), "{one:?}");
            let result =
                if one.accepted { CancelResult::Canceled } else { CancelResult::NothingOpen };
            assert_eq!(one.result, result);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_spot_order_older_than_a_week_is_not_overlooked() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(DeadManSwitch::builder(exchange.client()).pair(PAIR)).await;
    exchange.place_last_month(PAIR);
    exchange.enqueue_for(CANCEL_SPOT, &[Delivery::Forbidden; 9]);
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].result, CancelResult::StillOpen(vec!["1".into()]), "{report:?}");
    // The first request to cancel is lost: the old order shows that it has to be repeated.
    let exchange = SimulatedExchange::new();
    let switch = start_armed(DeadManSwitch::builder(exchange.client()).pair(PAIR)).await;
    exchange.place_last_month(PAIR);
    exchange.enqueue_for(CANCEL_SPOT, &[Delivery::Lost]);
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].result, CancelResult::Canceled, "{report:?}");
    assert_eq!((exchange.sent(CANCEL_SPOT).len(), exchange.open(PAIR)), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_cancellation_is_not_repeated_while_open_orders_cannot_be_queried() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(DeadManSwitch::builder(exchange.client()).pair(PAIR)).await;
    exchange.place(PAIR);
    exchange.enqueue_for(CANCEL_SPOT, &[Delivery::Lost]);
    exchange.enqueue_for(OPEN_SPOT, &[Delivery::Maintenance; 50]);
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].result, CancelResult::Unknown, "{report:?}");
    assert_eq!(exchange.sent(CANCEL_SPOT).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_without_effect_is_repeated_even_if_open_orders_cannot_be_queried() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(DeadManSwitch::builder(exchange.client()).pair(PAIR)).await;
    exchange.place(PAIR);
    exchange.enqueue_for(CANCEL_SPOT, &[Delivery::NoConnection, Delivery::Maintenance]);
    exchange.enqueue_for(OPEN_SPOT, &[Delivery::Maintenance; 4]);
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].result, CancelResult::Canceled, "{report:?}");
    assert_eq!((exchange.sent(CANCEL_SPOT).len(), exchange.open(PAIR)), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn orders_that_arrive_during_the_cancellation_are_canceled_too() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange)).await;
    exchange.place(CONTRACT);
    exchange.place_after_cancel(CONTRACT);
    let report = switch.shutdown().await;
    assert!(report.is_clear(), "{report:?}");
    assert_eq!((exchange.sent(CANCEL_FUTURES).len(), exchange.open(CONTRACT)), (2, 0));
    // Even later orders are canceled by the timer, which was left running.
    assert!(matches!(report.markets[0].timer, Some(Timer::Armed { .. })));
    exchange.place(CONTRACT);
    sleep(TIMEOUT).await;
    assert_eq!(exchange.open(CONTRACT), 0);
}

#[tokio::test(start_paused = true)]
async fn orders_that_cannot_be_canceled_are_reported() {
    let exchange = SimulatedExchange::new();
    let switch = start_armed(guard(&exchange)).await;
    exchange.place(CONTRACT);
    exchange.enqueue_for(CANCEL_FUTURES, &[Delivery::Forbidden; 9]);
    let begin = Instant::now();
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].result, CancelResult::StillOpen(vec!["1".into()]), "{report:?}");
    assert!(begin.elapsed() < seconds(5), "a permanent rejection is not retried for a minute");

    let switch = start_armed(guard(&exchange).cancel_timeout(seconds(20))).await;
    exchange.set_default(Some(Delivery::Lost));
    let begin = Instant::now();
    let report = switch.shutdown().await;
    assert_eq!(report.markets[0].result, CancelResult::Unknown, "{report:?}");
    assert!(report.markets[0].error.is_some() && begin.elapsed() <= seconds(20));
}
