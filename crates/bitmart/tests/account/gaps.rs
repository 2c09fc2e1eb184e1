//! The three ways in which fills were lost when a gap was timed by when it was read.

use std::time::Duration;

use bitmart::account::{Assumptions, Health, Market};
use bitmart::sandbox::{Config, Fault};

use crate::lab::{Lab, TestResult, Watcher};

/// What a stream's queue holds unless told otherwise.
const QUEUE: usize = 1_024;
/// Longer than any margin that a rule without proof would take.
const PAUSE: Duration = Duration::from_secs(40);

fn config() -> Config {
    Config::new().seed(5)
}

#[tokio::test(start_paused = true)]
async fn an_overflow_is_found_by_a_consumer_who_paused() -> TestResult {
    let lab = Lab::open(config(), QUEUE).await?;
    let mut watcher = lab.follow(Assumptions::default());
    watcher.until(&lab, Watcher::is_live).await?;
    for order in 0..1_500 {
        lab.trade(order).await?;
        if order.is_multiple_of(10) {
            lab.pass(Duration::from_millis(20)).await;
        }
    }
    lab.pass(PAUSE).await;
    let count = lab.ledger().len();
    let all = watcher.until(&lab, |watcher| watcher.fills.len() == count).await?;
    assert!(watcher.was_told("Overflowed"), "{:?}", watcher.told);
    assert!(all <= Duration::from_secs(10), "{count} fills after {all:?}");
    let live = all + watcher.until(&lab, Watcher::is_live).await?;
    assert!(live <= Duration::from_secs(15), "live after {live:?}");
    watcher.agrees(&lab)
}

#[tokio::test(start_paused = true)]
async fn a_fill_while_the_socket_was_down_is_found_by_a_consumer_who_paused() -> TestResult {
    let lab = Lab::open(config(), QUEUE).await?;
    let mut watcher = lab.follow(Assumptions::default());
    watcher.until(&lab, Watcher::is_live).await?;
    lab.cut().await;
    lab.trade(0).await?;
    lab.pass(PAUSE).await;
    // The loss is still unread, and whoever asks is told what was true before.
    let events = watcher.healths.len();
    let took = watcher
        .until(&lab, |watcher| watcher.is_live() && watcher.healths.len() >= events + 2)
        .await?;
    // The streams were up again long ago, and the history was asked long after.
    assert!(took <= Duration::from_secs(1), "live after {took:?}");
    watcher.agrees(&lab)
}

#[tokio::test(start_paused = true)]
async fn a_fill_after_a_slow_fetch_began_is_found() -> TestResult {
    let lab = Lab::open(config(), QUEUE).await?;
    let mut watcher = lab.follow(Assumptions::default());
    watcher.until(&lab, Watcher::is_live).await?;
    lab.exchange.inject(Fault::Delay(Duration::from_secs(45)).on("/spot/v1/wallet"));
    lab.cut().await;
    watcher.watch(&lab, Duration::from_secs(6)).await?;
    assert!(matches!(watcher.healths.last(), Some(Health::CatchingUp { .. })));
    lab.cut().await;
    lab.trade(0).await?;
    let count = lab.ledger().len();
    let told = watcher.until(&lab, |watcher| watcher.fills.len() == count).await?;
    assert!(told <= Duration::from_secs(10), "the slow fetch held up a newer one for {told:?}");
    let live = told + watcher.until(&lab, Watcher::is_live).await?;
    assert!(live <= Duration::from_secs(15), "live after {live:?}");
    // The slow one comes back to nobody.
    watcher.watch(&lab, Duration::from_secs(60)).await?;
    assert!(watcher.is_live());
    watcher.agrees(&lab)
}

const TRADES: &str = "/spot/v4/query/trades";

#[tokio::test(start_paused = true)]
async fn a_history_that_is_behind_hides_no_fill() -> TestResult {
    let lab = Lab::open(config(), QUEUE).await?;
    let mut watcher = lab.follow(Assumptions::default());
    watcher.until(&lab, Watcher::is_live).await?;
    let behind = Duration::from_millis(4_900);
    lab.exchange.inject(Fault::LateHistory(behind).on(TRADES).times(u32::MAX));
    lab.cut().await;
    lab.trade(0).await?;
    let traded = lab.now();
    watcher.until(&lab, |watcher| !watcher.is_live()).await?;
    watcher.until(&lab, Watcher::is_live).await?;
    assert!(traded + behind <= lab.now(), "the history was not behind when it was asked");
    watcher.agrees(&lab)
}

#[tokio::test(start_paused = true)]
async fn what_a_broken_assumption_lost_is_found_by_an_audit_and_not_corrected() -> TestResult {
    let lab = Lab::open(config(), QUEUE).await?;
    let mut watcher = lab.follow(Assumptions::default().max_history_lag(Duration::ZERO));
    watcher.until(&lab, Watcher::is_live).await?;
    // Long after the account's claim begins, since an audit looks no further back.
    watcher.watch(&lab, Duration::from_secs(10)).await?;
    let behind = Duration::from_secs(30);
    lab.exchange.inject(Fault::LateHistory(behind).on(TRADES).times(u32::MAX));
    lab.cut().await;
    lab.trade(0).await?;
    watcher.until(&lab, |watcher| !watcher.is_live()).await?;
    watcher.until(&lab, Watcher::is_live).await?;
    assert!(watcher.fills.is_empty(), "the history does not show it");
    watcher.watch(&lab, behind * 2).await?;
    assert!(!watcher.was_told("AuditFailed"), "nobody has compared");
    watcher.account.request_audit(Market::Spot);
    watcher.until(&lab, |watcher| watcher.audits().completed > 0).await?;
    watcher.until(&lab, |watcher| watcher.was_told("AuditFailed")).await?;
    let audits = watcher.audits();
    assert_eq!((audits.missing, audits.unlisted), (lab.ledger().len() as u64, 0));
    watcher.watch(&lab, Duration::from_secs(10)).await?;
    assert!(watcher.fills.is_empty(), "an audit corrects nothing");
    Ok(())
}
