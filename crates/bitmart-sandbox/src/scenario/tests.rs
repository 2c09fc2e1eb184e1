use bitmart_sim::Contract;

use super::*;
use crate::{
    Config, Sandbox, Snapshot, WalletKind,
    operator::{SetBalance, StopScenario},
};

async fn stepped() -> Sandbox {
    let contracts: Vec<_> = Contract::listed().into_iter().take(1).collect();
    let config = Config::new().stepped_clock(1_700_000_000_000).contracts(contracts);
    Sandbox::start(config).await.expect("starts")
}

#[test]
fn every_preset_is_a_scenario() {
    for text in PRESETS {
        let scenario: Scenario = text.parse().unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(!scenario.about().is_empty(), "{}", scenario.name());
    }
}

#[test]
fn mistakes_are_reported_before_anything_is_played() {
    for (text, error) in [
        ("name = 1", "name"),
        ("name = \"a\"", "1 to 1,000 steps"),
        ("name = \"a\"\n[[step]]\ncall = \"rain\"", "step 1: there is no call \"rain\""),
        ("name = \"a\"\n[[step]]\ncall = \"halt_market\"", "step 1: halt_market: missing field"),
        ("name = \"a\"\n[[step]]\ncall = \"kill_sockets\"\ncolor = 1", "unknown field `color`"),
        ("name = \"a\"\n[[step]]\ncall = \"kill_sockets\"\nwait_ms = 86400001", "at most a day"),
        (
            "name = \"a\"\n[[step]]\ncall = \"inject_fault\"\nfault = \"rain\"\non = \"/spot/v2/submit_order\"",
            "step 1: inject_fault: there is no fault \"rain\"",
        ),
        (
            "name = \"a\"\n[[step]]\ncall = \"inject_fault\"\nfault = \"drop-after\"\non = \"/x\"",
            "needs a REST path",
        ),
        (
            "name = \"a\"\n[[step]]\ncall = \"inject_fault\"\nfault = \"drop-after\"\non = \"/spot/v2/submit_order\"\ntimes = 0",
            "times must be at least 1",
        ),
        (
            "name = \"a\"\n[[step]]\ncall = \"move_price\"\nsymbol = \"BTC_USDT\"\nprice = \"abc\"",
            "step 1: move_price: price is a decimal such as 54000, not \"abc\"",
        ),
        (
            "name = \"a\"\n[[step]]\ncall = \"move_price\"\nsymbol = \"BTC_USDT\"\nprice = \"-1\"",
            "step 1: move_price: -1 is not a price",
        ),
        (
            "name = \"a\"\n[[step]]\ncall = \"deposit\"\naccount = 1\ncurrency = \"BTC\"\namount = \"0\"",
            "the amount has to be above 0",
        ),
        ("name = \"a\"\n[[step]]\ncall = \"step_market\"\nsteps = 10001", "at most 10000 steps"),
        ("name = \"a\"\n[[step]]\ncall = \"create_key\"\naccount = 1", "there is no call"),
    ] {
        let found = text.parse::<Scenario>().expect_err(text).to_string();
        assert!(found.contains(error), "{text}: {found}");
    }
}

#[test]
fn an_amount_with_many_digits_is_read_exactly() {
    let text = "name = \"a\"\n[[step]]\ncall = \"move_price\"\nsymbol = \"BTC_USDT\"\n\
                price = 54000.123456789012345";
    let scenario: Scenario = text.parse().expect("a scenario");
    assert_eq!(scenario.steps()[0].fields()["price"], "54000.123456789012345");
}

/// The check repeats the limits of the exchange.
#[tokio::test]
async fn a_balance_is_checked_as_the_exchange_checks_it() {
    let sandbox = stepped().await;
    for amount in
        ["0", "1000000000000000", "1000000000000000.00000001", "0.00000001", "0.000000001", "-1"]
    {
        let call = SetBalance {
            account: 1,
            wallet: WalletKind::Spot,
            currency: "BTC".to_owned(),
            amount: amount.parse().expect("a decimal"),
        };
        let text = format!(
            "name = \"a\"\n[[step]]\ncall = \"set_balance\"\naccount = 1\nwallet = \"spot\"\n\
             currency = \"BTC\"\namount = \"{amount}\""
        );
        let is_accepted = sandbox.operator().call(call).is_ok();
        assert_eq!(text.parse::<Scenario>().is_ok(), is_accepted, "{amount}");
    }
}

#[tokio::test]
async fn waits_step_a_stepped_clock() {
    let sandbox = stepped().await;
    let begun = sandbox.now_ms();
    let text =
        "name = \"a\"\n[[step]]\ncall = \"pause_market_makers\"\npaused = true\nwait_ms = 2050";
    sandbox.play(&text.parse().expect("a scenario")).await.expect("played");
    assert_eq!(sandbox.now_ms() - begun, 2_100, "whole steps of the market");
}

/// A day is 864,000 steps of the market.
const DAY: &str =
    "name = \"a\"\n[[step]]\ncall = \"pause_market_makers\"\npaused = true\nwait_ms = 86400000";

#[tokio::test]
async fn a_scenario_can_be_stopped_during_a_wait() {
    for sandbox in [stepped().await, Sandbox::start(Config::new()).await.expect("starts")] {
        let scenario = DAY.parse().expect("a scenario");
        let (played, ()) = tokio::join!(sandbox.play(&scenario), async {
            let mut progress = sandbox.shared.player.progress.subscribe();
            progress.wait_for(|progress| progress.is_playing).await.expect("it lives");
            let state = sandbox.operator().call(StopScenario {}).expect("stopped");
            assert_eq!(state.number, 1);
        });
        assert_eq!(played.expect_err("stopped").to_string(), "it was stopped");
        assert!(!sandbox.shared.state().makers_paused, "no call after it");
        // No effect if none is playing, and none on the next one.
        sandbox.operator().call(StopScenario {}).expect("accepted");
        let text = "name = \"a\"\n[[step]]\ncall = \"pause_market_makers\"\npaused = true";
        sandbox.play(&text.parse().expect("a scenario")).await.expect("played");
    }
}

#[tokio::test]
async fn a_wait_ends_with_the_sandbox() {
    let sandbox = stepped().await;
    let (shared, begun) = (Arc::clone(&sandbox.shared), sandbox.now_ms());
    shared.player.start(DAY.parse().expect("a scenario")).expect("it starts");
    while sandbox.now_ms() == begun {
        tokio::task::yield_now().await;
    }
    sandbox.shutdown().await;
    // The thread that steps the market has a handle as well.
    let end = std::time::Instant::now() + Duration::from_secs(20);
    while Arc::strong_count(&shared) > 1 && std::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(Arc::strong_count(&shared), 1, "it has ended");
    let passed = shared.state().clock.now_ms() - begun;
    assert!(passed < 86_400_000, "not at the end of the wait: {passed}");
}

#[tokio::test]
async fn a_player_that_waits_for_the_end_learns_that_the_sandbox_has_stopped() {
    let sandbox = Sandbox::start(Config::new()).await.expect("starts");
    let scenario = DAY.parse().expect("a scenario");
    let playing = async {
        let played = sandbox.play(&scenario);
        tokio::time::timeout(Duration::from_secs(20), played).await.expect("it ends")
    };
    let (played, ()) = tokio::join!(playing, async {
        let mut progress = sandbox.shared.player.progress.subscribe();
        progress.wait_for(|progress| progress.is_playing).await.expect("it lives");
        // As after a panic.
        sandbox.shared.control.send_modify(|control| control.stop = true);
    });
    assert_eq!(played.expect_err("stopped").to_string(), "the sandbox has stopped");
}

#[tokio::test]
async fn the_error_of_a_scenario_is_reported_even_if_another_one_has_begun() {
    use futures_util::FutureExt as _;

    let shared = Shared::new(Config::new().stepped_clock(1_700_000_000_000).market_maker(false));
    let scenario: Scenario = DAY.parse().expect("a scenario");
    let mut playing = std::pin::pin!(play(&shared, &scenario));
    assert!(playing.as_mut().now_or_never().is_none());
    shared.player.progress.send_modify(|progress| {
        progress.is_playing = false;
        progress.error = Some("rejected".to_owned());
    });
    shared.player.start(scenario.clone()).expect("it starts");
    assert_eq!(playing.await.expect_err("rejected").to_string(), "rejected");
}

#[tokio::test]
async fn a_rejected_call_ends_the_scenario() {
    let sandbox = stepped().await;
    let text = "name = \"a\"\n[[step]]\ncall = \"halt_market\"\nsymbol = \"NO_SUCH\"\nhalted = true\n\
                [[step]]\ncall = \"pause_market_makers\"\npaused = true";
    let error = sandbox.play(&text.parse().expect("a scenario")).await.expect_err("rejected");
    assert!(error.to_string().starts_with("step 1, halt_market: there is no market"), "{error}");
    assert!(!sandbox.shared.state().makers_paused, "the second step is not played");
    // Another one can be played afterwards.
    let text = "name = \"a\"\n[[step]]\ncall = \"pause_market_makers\"\npaused = true";
    sandbox.play(&text.parse().expect("a scenario")).await.expect("played");
    assert!(sandbox.shared.state().makers_paused);
}

#[tokio::test]
async fn a_crash_moves_pair_and_contract_together() {
    let sandbox = stepped().await;
    let scenario: Scenario = PRESETS[3].parse().expect("a scenario");
    sandbox.play(&scenario).await.expect("played");
    sandbox.step_market(50);
    for symbol in ["BTC_USDT", "BTCUSDT"] {
        let book = sandbox.book(symbol).expect("listed");
        let (bid, ask) = (book.bids[0].0, book.asks[0].0);
        assert!(bid < ask, "{symbol}: {bid} {ask}");
        assert!(bid > 37_000.into() && ask < 43_000.into(), "{symbol}: {bid} {ask}");
    }
    // A snapshot has the moved price.
    let saved = sandbox.snapshot().to_json().expect("JSON");
    let config = Config::new().restore(Snapshot::from_json(&saved).expect("a snapshot"));
    let restored = Sandbox::start(config).await.expect("starts");
    sandbox.step_market(20);
    restored.step_market(20);
    assert_eq!(restored.book("BTCUSDT"), sandbox.book("BTCUSDT"));
}
