//! The end of tracking.

use std::collections::VecDeque;
use std::time::Instant;

use bitmart_ws::Update;

use super::*;
use crate::stream::{Decoded, Source};
use crate::sync::Change;
use crate::test_support;

/// A stream that has these items queued, and then waits.
struct QueuedSource(VecDeque<Result<Update<Decoded>, Error>>);

impl Source for QueuedSource {
    fn poll(&mut self, _: &mut Context<'_>) -> Poll<Option<Result<Update<Decoded>, Error>>> {
        self.0.pop_front().map_or(Poll::Pending, |item| Poll::Ready(Some(item)))
    }

    fn delivered_until(&self) -> Option<Instant> {
        None
    }

    fn received_until(&self) -> Option<Instant> {
        None
    }

    fn received_at(&self) -> Option<Instant> {
        None
    }
}

fn fill(trade: &str) -> Update<Decoded> {
    let fill = test_support::fill("1", trade, None);
    Update::Data(Decoded { changes: vec![Change::Fill(fill)], ..Decoded::default() })
}

/// An error that ends tracking.
async fn shut_down(ws: &bitmart_ws::Client) -> Error {
    ws.shutdown().await;
    let subscribed = ws.subscribe(bitmart_ws::topic::spot::user_balances()).await;
    subscribed.expect_err("the client is shut down")
}

#[tokio::test]
async fn what_the_streams_had_queued_is_reported_before_the_error_that_ends_tracking() {
    let rest = bitmart_rest::Client::builder().build().expect("a client");
    let ws = bitmart_ws::Client::builder().build().expect("a client");
    let error = shut_down(&ws).await;
    let mut account = AccountTracker::builder(rest, ws).spot().futures(["USDT"]).build();
    let [spot, futures] = &mut account.feeds[..] else { panic!("two markets") };
    let queue = |trade| Ok(fill(trade));
    let source = |items: Vec<_>| Box::new(QueuedSource(items.into())) as Box<dyn Source>;
    // The first market has fills before and behind the error in one stream and in another one, and the
    // second market has some.
    spot.replace_sources(vec![
        source(vec![queue("1"), queue("2")]),
        source(vec![queue("3"), Err(error.clone()), Err(error)]),
        source(vec![queue("4")]),
    ]);
    futures.replace_sources(vec![source(vec![queue("5"), queue("6")])]);

    let (mut fills, mut last) = (Vec::new(), None);
    while let Some(item) = account.next().await {
        assert!(last.is_none(), "the error is the last item");
        assert!(!account.is_terminated() || item.is_err());
        match item {
            Ok(AccountEvent::Fill(fill)) => fills.push(fill.trade_id.to_string()),
            Ok(_) => {}
            Err(error) => last = Some(error),
        }
    }
    fills.sort();
    assert_eq!(fills, ["1", "2", "3", "4", "5", "6"]);
    assert!(last.is_some() && account.is_terminated());
    assert_eq!(account.health(Market::Spot), Some(Health::Failed));
}
