//! Which functions need a tokio runtime, and which parts of it. The `# Panics` sections of the
//! documentation must agree with this list.

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

/// Returns a fixed response, without a network.
struct FixedResponse;

impl Transport for FixedResponse {
    fn send(&self, _: http::Request<Bytes>) -> TransportFuture<'_> {
        let body = r#"{"code":1000,"message":"OK","trace":"t","data":{"server_time":1}}"#;
        Box::pin(async move { Ok(http::Response::new(Body::from(Bytes::from(body)))) })
    }
}

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// The name of a function, where it panics, and a call of it.
type Case = (&'static str, Panics, fn() -> Work);

/// Where a call panics.
#[derive(Debug, PartialEq, Eq)]
struct Panics {
    /// Without a runtime.
    outside: bool,
    /// In a runtime without time and I/O.
    bare: bool,
    /// In a runtime with time and without I/O.
    time_only: bool,
}

const NEVER: Panics = Panics { outside: false, bare: false, time_only: false };
/// Spawns a task or waits for something other than time or I/O.
const OUTSIDE: Panics = Panics { outside: true, bare: false, time_only: false };
const WITHOUT_TIME: Panics = Panics { outside: true, bare: true, time_only: false };
const WITHOUT_IO: Panics = Panics { outside: true, bare: true, time_only: true };

/// Addresses where nothing listens.
fn unreachable_environment() -> Environment {
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
    rest::Client::builder().environment(unreachable_environment()).credentials(credentials())
}

fn rest_client() -> rest::Client {
    builder().build().expect("a client")
}

fn own_transport() -> rest::Client {
    builder().transport(FixedResponse).build().expect("a client")
}

fn streams() -> ws::Client {
    let client =
        ws::Client::builder().environment(unreachable_environment()).credentials(credentials());
    client.build().expect("a client")
}

fn work(future: impl Future + 'static) -> Work {
    Box::pin(async {
        future.await;
    })
}

/// All functions that might need a runtime.
fn cases() -> Vec<Case> {
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
            work(
                async move { own_transport().history(spot::ListFills::new(), from, to).next().await },
            )
        }),
        ("dead_man::Builder::start", OUTSIDE, || {
            work(async {
                let switch = DeadManSwitch::builder(own_transport()).pair("BTC_USDT").start();
                // Dropping it would start the cancellation.
                std::mem::forget(switch);
            })
        }),
        ("DeadManSwitch::wait_until_armed, own transport", WITHOUT_TIME, || {
            work(async {
                let switch = DeadManSwitch::builder(own_transport()).pair("BTC_USDT").start();
                let switch = switch.expect("a switch");
                switch.wait_until_armed().await.is_ok()
            })
        }),
        ("ws::ClientBuilder::build", NEVER, || work(async { drop(streams()) })),
        ("ws::Client::connections", NEVER, || work(async { streams().connections().len() })),
        ("ws::Client::shutdown", NEVER, || work(async { streams().shutdown().await })),
        ("ws::Client::request_snapshot", NEVER, || {
            let topic = topic::spot::depth_updates("BTC_USDT");
            work(async move { streams().request_snapshot(&topic).await.is_ok() })
        }),
        ("ws::Client::subscribe", WITHOUT_TIME, || {
            let topic = topic::spot::ticker("BTC_USDT");
            work(async move { streams().subscribe(topic).await.is_ok() })
        }),
        ("ws::Client::subscribe_each", WITHOUT_TIME, || {
            let topic = topic::spot::ticker("BTC_USDT");
            work(async move { streams().subscribe_each([topic]).await.len() })
        }),
        ("ws::Client::order_book", WITHOUT_TIME, || {
            let topic = topic::spot::depth_updates("BTC_USDT");
            work(async move { streams().order_book(topic).await.is_ok() })
        }),
        ("ws::Client::watch_book", WITHOUT_TIME, || {
            let topic = topic::spot::depth_updates("BTC_USDT");
            work(async move { streams().watch_book(topic).await.is_ok() })
        }),
        ("AccountTracker::builder", NEVER, || {
            work(async { drop(AccountTracker::builder(rest_client(), streams()).spot().build()) })
        }),
        ("AccountTracker::next", WITHOUT_TIME, || {
            work(async {
                AccountTracker::builder(rest_client(), streams()).spot().build().next().await
            })
        }),
        ("Sandbox::start", WITHOUT_IO, || {
            work(async { Sandbox::start(Config::new().market_maker(false)).await.is_ok() })
        }),
    ]
}

/// Polls a call and the tasks that it spawns for a while.
async fn run_for_a_while(mut work: Work) {
    for _ in 0..20 {
        let ready = std::future::poll_fn(|context| {
            std::task::Poll::Ready(work.as_mut().poll(context).is_ready())
        });
        if ready.await {
            return;
        }
        std::thread::sleep(Duration::from_millis(1)); // For other threads.
        tokio::task::yield_now().await;
    }
}

fn panics_in(runtime: &mut tokio::runtime::Builder, make: fn() -> Work) -> bool {
    let runtime = runtime.build().expect("a runtime");
    let panicked =
        catch_unwind(AssertUnwindSafe(|| runtime.block_on(run_for_a_while(make())))).is_err();
    runtime.shutdown_background();
    panicked
}

fn panics_outside(make: fn() -> Work) -> bool {
    let poll_once = || {
        let mut work = pin!(make());
        let _ = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    };
    catch_unwind(AssertUnwindSafe(poll_once)).is_err()
}

#[test]
fn functions_panic_without_the_documented_parts_of_a_runtime() {
    // Suppress the output of expected panics. This is the only test of the binary.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let mut wrong = Vec::new();
    for (name, expected, make) in cases() {
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
