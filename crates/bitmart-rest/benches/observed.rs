//! The cost of spans and metrics in an order's round trip over loopback, plain HTTP/1.1.
//!
//! Build it three times and compare: the commit before a change, the change without the feature
//! `metrics`, and with it, where a recorder of atomic counters is installed. Run the programs in
//! turns. `observed 2000 --bench` sends 2000 orders in batches of 100 and prints the median, and the
//! processor time of the client's thread. For instruction counts run it in callgrind with two order
//! counts and divide the difference. Linux only, because of the processor time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Instant;
use std::{env, thread};

use bitmart_auth::Credentials;
use bitmart_rest::endpoint::{
    Auth, Effect, EncodeError, Endpoint, Host, Metadata, Method, Payload,
};
use bitmart_rest::{Client, spot};
use bitmart_testkit::bench::{median, thread_processor_time};
use bitmart_testkit::canary;
use bitmart_types::{Decimal, Environment, Service};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const RESPONSE: &str = r#"{"code":1000,"message":"OK","trace":"886fb6ae-456b-4654-b4e0-d681ac05cea1","data":{"order_id":"1223181"}}"#;
const BATCH: usize = 100;

/// An order without its published limit, which would dominate the measurement. The limiter is still used.
#[derive(Clone)]
struct Unlimited(spot::SubmitOrder);

impl Endpoint for Unlimited {
    type Response = <spot::SubmitOrder as Endpoint>::Response;
    const METADATA: Metadata =
        Metadata::new("unlimited", Method::Post, Host::Spot, "/spot/v2/submit_order")
            .auth(Auth::Signed)
            .effect(Effect::Trade);
    fn encode(&self, payload: &mut Payload) -> Result<(), EncodeError> {
        self.0.encode(payload)
    }
}

fn main() -> Result<(), BoxError> {
    let orders = env::args().find_map(|argument| argument.parse::<usize>().ok()).unwrap_or(10);
    #[cfg(feature = "metrics")]
    recorder::install()?;
    let address = start_server()?;
    let environment =
        Environment::custom("bench").with(Service::SpotRest, format!("http://{address}"));
    let client = Client::builder()
        .environment(environment)
        .credentials(Credentials::new(canary::KEY, canary::SECRET, canary::MEMO)?)
        .build()?;
    let order = spot::NewOrder::limit_buy("BTC_USDT", Decimal::new(1, 3), Decimal::from(60_000));
    let order = Unlimited(spot::SubmitOrder::from(order));
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (mut times, mut processor) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        let mut left = orders;
        while left > 0 {
            let count = left.min(BATCH);
            let before = thread_processor_time()?;
            for _ in 0..count {
                let start = Instant::now();
                client.send(order.clone()).await?;
                times.push(start.elapsed().as_nanos());
            }
            processor.push((thread_processor_time()? - before) / u128::try_from(count)?);
            left -= count;
        }
        Ok::<_, BoxError>(())
    })?;
    println!("{} {}", median(&mut times), median(&mut processor));
    Ok(())
}

fn start_server() -> Result<SocketAddr, BoxError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                let response = service_fn(async |request: http::Request<Incoming>| {
                    let _ = request.into_body().collect().await;
                    let body = Full::new(Bytes::from_static(RESPONSE.as_bytes()));
                    Ok::<_, Infallible>(http::Response::new(body))
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), response);
                tokio::spawn(connection);
            }
        });
    });
    Ok(address)
}

/// A recorder of atomic counters.
#[cfg(feature = "metrics")]
mod recorder {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    use metrics::{Counter, Gauge, Histogram, HistogramFn};
    use metrics::{Key, KeyName, Metadata, Recorder, SharedString, Unit};

    struct Atomic;

    /// Counts up to each bound, and in total.
    #[derive(Default)]
    struct Buckets([AtomicU64; 10]);

    const BOUNDS: [f64; 9] = [1e-4, 1e-3, 5e-3, 0.02, 0.05, 0.1, 0.25, 1.0, 10.0];

    impl HistogramFn for Buckets {
        fn record(&self, value: f64) {
            let place = BOUNDS.partition_point(|bound| *bound < value);
            if let Some(count) = self.0.get(place) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    impl Recorder for Atomic {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
            Counter::from_arc(Arc::<AtomicU64>::default())
        }
        fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
            Gauge::from_arc(Arc::<AtomicU64>::default())
        }
        fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
            Histogram::from_arc(Arc::<Buckets>::default())
        }
    }

    pub(super) fn install() -> Result<(), super::BoxError> {
        Ok(metrics::set_global_recorder(Atomic).map_err(|error| error.to_string())?)
    }
}
