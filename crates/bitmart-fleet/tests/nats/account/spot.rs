//! Publishers of a spot account that are killed.

use bitmart_account::Market;
use bitmart_rest::Client;
use bitmart_rest::spot::NewOrder;
use bitmart_rest::types::dec;

use super::super::common::{Nats, exchange};
use super::publishers_are_killed;

/// Places an order that rests and cancels an earlier one, and makes fills.
pub(super) async fn trade(rest: &Client) {
    for round in 0..3 {
        let resting = NewOrder::limit_buy("BTC_USDT", dec!(0.001), dec!(20000));
        let resting = rest.spot().submit_order(resting).await.expect("accepted").order_id;
        let buy = NewOrder::market_buy("BTC_USDT", dec!(20));
        rest.spot().submit_order(buy).await.expect("accepted");
        if round > 0 {
            let receipt = rest.spot().cancel_order(("BTC_USDT", resting)).await.expect("canceled");
            assert_eq!(receipt.canceled, Some(true));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs nats-server"]
async fn two_strategies_see_one_spot_account_while_its_publishers_are_killed() {
    let (nats, sandbox) = (Nats::start(), exchange().await);
    Box::pin(publishers_are_killed(Market::Spot, &nats, &sandbox, trade)).await;
}
