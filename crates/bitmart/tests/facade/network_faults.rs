//! Faults of the network between an account tracker and the sandbox: every fault is reported as an
//! event, and in the end every fill of the exchange is known once.

mod faulty_proxy;
mod harness;

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bitmart::account::{AccountEvent, AccountTracker, Market};
use bitmart::rest::spot;
use bitmart::sandbox::{self, Config, Fault, Sandbox};
use bitmart::types::Service;
use bitmart::ws::{ErrorKind, ReconnectReason, topic};
use bitmart::{Credentials, Environment, TradeId, dec, rest, ws};
use bitmart_testkit::deflate;
use tokio::task::JoinSet;

use faulty_proxy::{Action, BINARY, Frame, PING, TEXT, encode};
use harness::{
    TIMEOUT, TestResult, first_orders, malformed, open, sandbox_assumptions, trade_with_faults,
};

#[tokio::test]
async fn without_faults_there_is_a_single_catch_up() -> TestResult {
    let harness = trade_with_faults(|_| Action::Forward).await?;
    assert_eq!(harness.events.len(), 1, "only the first catch-up: {:?}", harness.events);
    assert_eq!(harness.proxy.connections(), 1);
    Ok(())
}

#[tokio::test]
async fn disconnects_inside_a_frame_lose_no_fill() -> TestResult {
    let places: [fn(&Frame) -> Action; 5] = [
        |_| Action::Disconnect(Vec::new()),
        |frame| Action::Disconnect(frame.bytes()[..1].to_vec()),
        |frame| Action::Disconnect(frame.bytes()[..3].to_vec()),
        |frame| Action::Disconnect(frame.bytes()[..frame.payload.len() / 2].to_vec()),
        |frame| Action::Disconnect(frame.bytes()[..frame.bytes().len() - 1].to_vec()),
    ];
    for fault in places {
        let harness = trade_with_faults(first_orders(1, fault)).await?;
        assert!(harness.has_event("reconnecting"), "{:?}", harness.events);
    }
    Ok(())
}

#[tokio::test]
async fn repeated_disconnects_lose_no_fill() -> TestResult {
    let harness =
        trade_with_faults(first_orders(3, |frame| Action::Disconnect(frame.bytes()))).await?;
    assert!(harness.has_event("reconnecting"), "{:?}", harness.events);
    Ok(())
}

#[tokio::test]
async fn a_half_open_connection_times_out_and_loses_no_fill() -> TestResult {
    let harness = trade_with_faults(first_orders(1, |_| Action::Freeze)).await?;
    let timeout = ReconnectReason::IdleTimeout { limit: Duration::from_secs(20) }.to_string();
    assert!(harness.has_event("stale") && harness.has_event(&timeout), "{:?}", harness.events);
    Ok(())
}

#[tokio::test]
async fn compressed_garbage_causes_a_fetch() -> TestResult {
    let garbage = |_: &Frame| Action::Replace(encode(true, BINARY, b"\xff\xfe garbage"));
    let harness = trade_with_faults(first_orders(1, garbage)).await?;
    harness.check_fetched_without_reconnecting();
    Ok(())
}

#[tokio::test]
async fn a_zip_bomb_is_rejected_and_causes_a_fetch() -> TestResult {
    static BOMB: LazyLock<Vec<u8>> =
        LazyLock::new(|| encode(true, BINARY, &deflate(vec![b' '; 64 << 20])));
    // Created in advance: on a busy machine it takes longer than the idle timeout.
    LazyLock::force(&BOMB);
    let bomb = |_: &Frame| Action::Replace(BOMB.clone());
    let harness = trade_with_faults(first_orders(1, bomb)).await?;
    harness.check_fetched_without_reconnecting();
    Ok(())
}

#[tokio::test]
async fn a_frame_of_ten_megabytes_is_a_protocol_violation() -> TestResult {
    let huge = |_: &Frame| Action::Replace(encode(true, TEXT, &vec![b' '; 10 << 20]));
    let harness = trade_with_faults(first_orders(1, huge)).await?;
    assert!(harness.has_event("protocol violation"), "{:?}", harness.events);
    Ok(())
}

#[tokio::test]
async fn fragments_with_interleaved_pings_are_decoded() -> TestResult {
    let scatter = |frame: &Frame| {
        let (front, back) = frame.payload.split_at(frame.payload.len() / 3);
        let (middle, back) = back.split_at(back.len() / 2);
        let mut bytes = encode(false, frame.opcode, front);
        bytes.extend(encode(true, PING, b"now"));
        bytes.extend(encode(false, 0, middle));
        bytes.extend(encode(true, 0, back));
        Action::Replace(bytes)
    };
    let harness = trade_with_faults(first_orders(usize::MAX, scatter)).await?;
    assert!(!harness.has_event("reconnecting"), "{:?}", harness.events);
    Ok(())
}

#[tokio::test]
async fn a_ping_flood_does_not_disconnect() -> TestResult {
    let flood = |frame: &Frame| {
        let mut bytes = encode(true, PING, b"answer me").repeat(500);
        bytes.extend(frame.bytes());
        Action::Replace(bytes)
    };
    let harness = trade_with_faults(first_orders(usize::MAX, flood)).await?;
    assert!(!harness.has_event("reconnecting"), "{:?}", harness.events);
    Ok(())
}

#[tokio::test]
async fn duplicated_order_frames_count_once() -> TestResult {
    let twice = |frame: &Frame| Action::Replace(frame.bytes().repeat(2));
    let harness = trade_with_faults(first_orders(usize::MAX, twice)).await?;
    assert!(!harness.has_event("reconnecting"), "{:?}", harness.events);
    Ok(())
}

#[tokio::test]
async fn a_malformed_frame_causes_a_fetch() -> TestResult {
    let mut harness = trade_with_faults(first_orders(2, malformed)).await?;
    while harness.events.iter().filter(|event| event.contains("caught up")).count() < 2 {
        harness.next().await?;
    }
    assert!(!harness.has_event("reconnecting"), "{:?}", harness.events);
    Ok(())
}

#[tokio::test]
async fn duplicated_acknowledgements_are_ignored() -> TestResult {
    let twice = |frame: &Frame| {
        if frame.text().contains("\"event\":\"subscribe\"") {
            Action::Replace(frame.bytes().repeat(2))
        } else {
            Action::Forward
        }
    };
    let harness = trade_with_faults(twice).await?;
    assert_eq!(harness.proxy.connections(), 1, "{:?}", harness.events);
    Ok(())
}

#[tokio::test]
async fn a_missing_acknowledgement_is_recovered() -> TestResult {
    let mut remaining = 1;
    let drop_first = move |frame: &Frame| {
        if remaining > 0 && frame.text().contains("\"event\":\"subscribe\"") {
            remaining -= 1;
            return Action::Replace(Vec::new());
        }
        Action::Forward
    };
    trade_with_faults(drop_first).await?;
    Ok(())
}

#[tokio::test]
async fn a_slow_consumer_overflows_and_loses_no_fill() -> TestResult {
    let mut harness = open(|_| Action::Forward, |ws| ws.queue_capacity(3)).await?;
    // The account is not read while trading.
    harness.trade().await?;
    harness.settle().await?;
    assert!(harness.has_event("overflowed"), "{:?}", harness.events);
    Ok(())
}

#[tokio::test]
async fn a_disconnect_before_the_first_catch_up_loses_no_fill() -> TestResult {
    let exchange = Sandbox::start(Config::new().seed(5)).await?;
    exchange.inject(Fault::Html(502).on("/spot/v4/query/open-orders"));
    let environment = sandbox::environment(&exchange);
    let credentials = sandbox::credentials(&exchange)?;
    let rest = rest::Client::builder()
        .environment(environment.clone())
        .credentials(credentials.clone())
        .build()?;
    let ws = ws::Client::builder().environment(environment).credentials(credentials).build()?;
    let mut account =
        AccountTracker::builder(rest.clone(), ws).spot().assumptions(sandbox_assumptions()).build();
    let mut fills = BTreeSet::new();
    loop {
        let event = tokio::time::timeout(TIMEOUT, account.next()).await?.ok_or("an event")??;
        match event {
            AccountEvent::CatchUpFailed { .. } => {
                exchange.kill_sockets();
                tokio::time::timeout(TIMEOUT, async {
                    while exchange.sockets() > 0 {
                        tokio::task::yield_now().await;
                    }
                })
                .await?;
                // A fill while disconnected, before the first catch-up.
                rest.spot().submit_order(spot::NewOrder::market_buy("BTC_USDT", dec!(40))).await?;
            }
            AccountEvent::Fill(fill) => {
                fills.insert(fill.trade_id);
            }
            AccountEvent::CaughtUp(_) => break,
            _ => {}
        }
    }
    let ledger: BTreeSet<TradeId> =
        exchange.fills().iter().map(|fill| TradeId::from(fill.trade_id.as_str())).collect();
    assert!(!ledger.is_empty());
    assert_eq!(fills, ledger);
    Ok(())
}

#[tokio::test]
async fn a_delayed_and_lost_push_is_fetched() -> TestResult {
    let mut harness = open(|_| Action::Forward, |ws| ws).await?;
    let late = Fault::LatePush(Duration::from_secs(60));
    harness.exchange.inject(late.on("spot/user/orders:ALL_SYMBOLS").times(u32::MAX));
    harness.trade().await?;
    assert!(harness.fills.is_empty(), "the pushes are delayed");
    harness.exchange.kill_sockets();
    harness.events.clear();
    while !harness.has_event("caught up") {
        harness.next().await?;
    }
    assert_eq!(harness.fills.len(), harness.exchange.fills().len());
    harness.settle().await
}

#[tokio::test]
async fn an_audit_finds_no_difference() -> TestResult {
    let mut harness =
        trade_with_faults(first_orders(1, |frame| Action::Disconnect(frame.bytes()))).await?;
    tokio::time::timeout(TIMEOUT, async {
        while harness.account.audit_stats(Market::Spot).is_none_or(|audits| audits.compared == 0) {
            harness.account.request_audit(Market::Spot);
            // There may be no event in this time.
            let wait = tokio::time::timeout(Duration::from_millis(100), harness.account.next());
            if let Ok(Some(Ok(AccountEvent::AuditMismatch(report)))) = wait.await {
                return Err(format!("{report:?}"));
            }
        }
        Ok(())
    })
    .await??;
    let audits = harness.account.audit_stats(Market::Spot).ok_or("it is followed")?;
    assert_eq!((audits.not_received, audits.not_on_exchange), (0, 0));
    Ok(())
}

#[tokio::test]
async fn a_rejected_login_ends_the_tracker_without_a_retry() -> TestResult {
    let harness = open(|_| Action::Forward, |ws| ws).await?;
    let key = harness.exchange.credentials();
    let wrong = Credentials::new(key.key.as_str(), key.secret.as_str(), "not the memo")?;
    let ws = ws::Client::builder().environment(harness.environment.clone()).credentials(wrong);
    let before = harness.proxy.connections();
    let mut account = AccountTracker::builder(harness.rest.clone(), ws.build()?).spot().build();
    let error = loop {
        match tokio::time::timeout(TIMEOUT, account.next()).await?.ok_or("an error")? {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::LoginRejected);
    assert!(error.to_string().contains("memo"), "the error names the memo: {error}");
    assert!(account.next().await.is_none(), "the error is the last item");
    assert_eq!(harness.proxy.connections(), before + 1, "the login is not retried");
    Ok(())
}

#[tokio::test]
async fn a_server_that_closes_immediately_is_not_reconnected_in_a_tight_loop() -> TestResult {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("ws://{}/api", listener.local_addr()?);
    let environment = Environment::custom("closing").with(Service::SpotWsPublic, address);
    let client = ws::Client::builder()
        .environment(environment)
        .subscribe_timeout(Duration::from_secs(5))
        .build()?;
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = attempts.clone();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            drop(socket);
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let result = client.subscribe(topic::spot::ticker("BTC_USDT")).await;
    assert_eq!(result.err().map(|error| error.kind()), Some(ErrorKind::Timeout));
    let attempts = attempts.load(Ordering::Relaxed);
    assert!((2..=4).contains(&attempts), "{attempts} attempts in 5 s, at least 2 s apart");
    Ok(())
}
