//! What needs a tokio runtime, and which parts of it: the list behind the sections `# Panics` of
//! the documentation. Whoever changes a line here changes the documentation of that item, too.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};
use std::time::Duration;

use bitmart::account::AccountTracker;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::dead_man::DeadManSwitch;
use bitmart::rest::transport::{Body, HyperTransport, Transport, TransportFuture};
use bitmart::rest::{http, spot};
use bitmart::sandbox::{Config, Sandbox};
use bitmart::ws::topic;
use bitmart::{ClientOrderId, Credentials, Environment, Timestamp, rest, ws};

/// Answers at once, without a network.
struct Canned;

impl Transport for Canned {
    fn send(&self, _: http::Request<Bytes>) -> TransportFuture<'_> {
        let body = r#"{"code":1000,"message":"OK","trace":"t","data":{"server_time":1}}"#;
        Box::pin(async move { Ok(http::Response::new(Body::from(Bytes::from(body)))) })
    }
}

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// The name of an item, where it panics, and what is done with it.
type Line = (&'static str, Panics, fn() -> Work);

/// Where it panics: without a runtime, in one without time and I/O, in one with time only.
#[derive(Debug, PartialEq, Eq)]
struct Panics {
    outside: bool,
    bare: bool,
    time_only: bool,
}

const NEVER: Panics = Panics { outside: false, bare: false, time_only: false };
/// Spawns or waits for something that does not need a clock.
const OUTSIDE: Panics = Panics { outside: true, bare: false, time_only: false };
const WITHOUT_TIME: Panics = Panics { outside: true, bare: true, time_only: false };
const WITHOUT_IO: Panics = Panics { outside: true, bare: true, time_only: true };

/// This machine, where nobody listens.
fn nowhere() -> Environment {
    let mut environment = Environment::live();
    for rest in [&mut environment.spot_rest, &mut environment.futures_rest] {
        *rest = "http://127.0.0.1:1".into();
    }
    for socket in [
        &mut environment.spot_ws_public,
        &mut environment.spot_ws_private,
        &mut environment.futures_ws_public,
        &mut environment.futures_ws_private,
    ] {
        *socket = "ws://127.0.0.1:1".into();
    }
    environment
}

fn credentials() -> Credentials {
    Credentials::new("key", "secret", "memo").expect("credentials")
}

fn builder() -> rest::ClientBuilder {
    rest::Client::builder().environment(nowhere()).credentials(credentials())
}

fn rest_client() -> rest::Client {
    builder().build().expect("a client")
}

fn own_transport() -> rest::Client {
    builder().transport(Canned).build().expect("a client")
}

fn streams() -> ws::Client {
    let client = ws::Client::builder().environment(nowhere()).credentials(credentials());
    client.build().expect("a client")
}

fn work(future: impl Future + 'static) -> Work {
    Box::pin(async {
        future.await;
    })
}

/// Each thing that could need a runtime, and what it needs.
fn list() -> Vec<Line> {
    vec![
        ("rest::ClientBuilder::build", NEVER, || work(async { drop(rest_client()) })),
        ("HyperTransportBuilder::build", NEVER, || {
            work(async { drop(HyperTransport::builder().build()) })
        }),
        ("rest::Client::send", WITHOUT_IO, || {
            work(async { rest_client().system().time().await.is_ok() })
        }),
        ("rest::Client::send, own transport", WITHOUT_TIME, || {
            work(async { own_transport().system().time().await.is_ok() })
        }),
        ("rest::Client::sync_clock, own transport", WITHOUT_TIME, || {
            work(async { own_transport().sync_clock().await.is_ok() })
        }),
        ("Spot::reconcile, own transport", WITHOUT_TIME, || {
            let id = ClientOrderId::new("abc").expect("an id");
            work(async move { own_transport().spot().reconcile(&id).await.is_ok() })
        }),
        ("HistoryPages::next, own transport", WITHOUT_TIME, || {
            let (from, to) = (Timestamp::from_millis(0), Timestamp::from_millis(1_000));
            work(async move {
                own_transport().history(spot::ListAccountTrades::new(), from, to).next().await
            })
        }),
        ("dead_man::Builder::start", OUTSIDE, || {
            work(async {
                let switch = DeadManSwitch::builder(own_transport()).pair("BTC_USDT").start();
                // Dropping it cancels, which is another matter.
                std::mem::forget(switch);
            })
        }),
        ("DeadManSwitch::armed, own transport", WITHOUT_TIME, || {
            work(async {
                let switch = DeadManSwitch::builder(own_transport()).pair("BTC_USDT").start();
                let switch = switch.expect("a switch");
                switch.armed().await.is_ok()
            })
        }),
        ("ws::ClientBuilder::build", NEVER, || work(async { drop(streams()) })),
        ("ws::Client::connections", NEVER, || work(async { streams().connections().len() })),
        ("ws::Client::shutdown", NEVER, || work(async { streams().shutdown().await })),
        ("ws::Client::request", NEVER, || {
            let topic = topic::spot::depth_increase("BTC_USDT");
            work(async move { streams().request(&topic).await.is_ok() })
        }),
        ("ws::Client::subscribe", WITHOUT_TIME, || {
            let topic = topic::spot::ticker("BTC_USDT");
            work(async move { streams().subscribe(topic).await.is_ok() })
        }),
        ("ws::Client::subscribe_all", WITHOUT_TIME, || {
            let topic = topic::spot::ticker("BTC_USDT");
            work(async move { streams().subscribe_all([topic]).await.len() })
        }),
        ("ws::Client::order_book", WITHOUT_TIME, || {
            let topic = topic::spot::depth_increase("BTC_USDT");
            work(async move { streams().order_book(topic).await.is_ok() })
        }),
        ("ws::Client::watch_book", WITHOUT_TIME, || {
            let topic = topic::spot::depth_increase("BTC_USDT");
            work(async move { streams().watch_book(topic).await.is_ok() })
        }),
        ("AccountTracker::new", NEVER, || {
            work(async { drop(AccountTracker::new(rest_client(), streams()).spot()) })
        }),
        ("AccountTracker::next", WITHOUT_TIME, || {
            work(async { AccountTracker::new(rest_client(), streams()).spot().next().await })
        }),
        ("Sandbox::start", WITHOUT_IO, || {
            work(async { Sandbox::start(Config::new().market_maker(false)).await.is_ok() })
        }),
    ]
}

/// Lets it begin, and whatever it spawned.
async fn begin(mut work: Work) {
    for _ in 0..20 {
        let ready = std::future::poll_fn(|context| {
            std::task::Poll::Ready(work.as_mut().poll(context).is_ready())
        });
        if ready.await {
            return;
        }
        std::thread::sleep(Duration::from_millis(1)); // For what happens on other threads.
        tokio::task::yield_now().await;
    }
}

fn panics_in(runtime: &mut tokio::runtime::Builder, make: fn() -> Work) -> bool {
    let runtime = runtime.build().expect("a runtime");
    let panicked = catch_unwind(AssertUnwindSafe(|| runtime.block_on(begin(make())))).is_err();
    runtime.shutdown_background();
    panicked
}

fn panics_outside(make: fn() -> Work) -> bool {
    let begin = || {
        let mut work = pin!(make());
        let _ = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    };
    catch_unwind(AssertUnwindSafe(begin)).is_err()
}

#[test]
fn what_panics_without_a_runtime_is_what_is_documented() {
    // The only test of this file: panics that are expected need not be printed.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut wrong = Vec::new();
    for (name, expected, make) in list() {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let found = Panics {
            outside: panics_outside(make),
            bare: panics_in(&mut runtime, make),
            time_only: panics_in(runtime.enable_time(), make),
        };
        if found != expected {
            wrong.push(format!("{name}: {found:?}, expected {expected:?}"));
        }
    }
    std::panic::set_hook(hook);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
