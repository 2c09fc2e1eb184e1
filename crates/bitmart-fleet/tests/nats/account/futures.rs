//! Publishers of a futures account that are killed.

use bitmart_account::Market;
use bitmart_rest::Client;
use bitmart_rest::futures::{CancelOrder, Execution, MarginType, NewOrder};
use bitmart_rest::types::dec;

use super::super::common::{Nats, exchange};
use super::publishers_are_killed;

/// Opens both sides and closes a part of one, so that positions and fills change; places orders that rest and cancels
/// some.
async fn trade(rest: &Client) {
    let market = Execution::Market;
    for round in 0..3 {
        let resting = NewOrder::open_long("BTCUSDT", 1, Execution::Limit(dec!(20000)));
        for order in
            [NewOrder::open_long("BTCUSDT", 3, market), NewOrder::open_short("BTCUSDT", 1, market)]
        {
            let order = order.leverage(dec!(5)).margin_type(MarginType::Cross);
            rest.futures().submit_order(order).await.expect("accepted");
        }
        let close = NewOrder::close_long("BTCUSDT", 2, market);
        rest.futures().submit_order(close).await.expect("accepted");
        let resting = resting.leverage(dec!(5)).margin_type(MarginType::Cross);
        let resting = rest.futures().submit_order(resting).await.expect("accepted").order_id;
        if round > 0 {
            let cancel = CancelOrder::new("BTCUSDT", resting);
            rest.futures().cancel_order(cancel).await.expect("canceled");
        }
    }
    // One side has no position now and then.
    let close = NewOrder::close_short("BTCUSDT", 3, market);
    rest.futures().submit_order(close).await.expect("accepted");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server"]
async fn two_strategies_see_one_futures_account_while_its_publishers_are_killed() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    Box::pin(publishers_are_killed(Market::Futures, &nats, &sandbox, trade)).await;
}
