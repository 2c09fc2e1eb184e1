//! A REST round trip over loopback TLS, HTTP/1.1: typed order to typed response, compared with
//! a bare hyper connection that sends prepared bytes.
//!
//! The goals: the median takes no more than 1.15 times as long, the client's thread no more than
//! 1.3 times as much processor time, and with 64 requests in flight no less than 0.75 times as many
//! requests are served per second. Both variants run in turns, the server in its own thread. Linux
//! only, because of the processor time.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use bitmart_auth::Credentials;
use bitmart_net::TlsOptions;
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::{Client, spot};
use bitmart_testkit::bench::{is_measuring, median, thread_processor_time};
use bitmart_testkit::canary;
use bitmart_types::{Decimal, Environment, Roots, Service};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, ServerName};
use tokio_rustls::{TlsAcceptor, TlsConnector};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

const RESPONSE: &str = r#"{"code":1000,"message":"OK","trace":"886fb6ae-456b-4654-b4e0-d681ac05cea1","data":{"order_id":"1223181"}}"#;
const IN_FLIGHT: usize = 64;

fn main() -> Result<(), BoxError> {
    let (rounds, batch) = if is_measuring() { (60, 200) } else { (1, 2) };

    let (address, root) = start_server()?;
    let roots = Roots::none().with_der(root);
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let client = client(address, roots.clone())?;
    let order = spot::NewOrder::limit_buy("BTC_USDT", Decimal::new(1, 3), Decimal::from(60_000));
    let order = spot::SubmitOrder::from(order);
    let prepared = prepared_request(address, &order)?;
    let mut bare = runtime.block_on(connect(address, &roots))?;

    let (mut baseline, mut candidate) = (Sample::default(), Sample::default());
    for _ in 0..rounds {
        baseline.batch(&runtime, batch, async || bare_trip(&mut bare, &prepared).await)?;
        candidate.batch(&runtime, batch, async || {
            client.send(order.clone()).await?;
            Ok(())
        })?;
    }
    println!("round trip over TLS, one at a time");
    report("median", "ns", baseline.median(), candidate.median());
    report("processor", "ns", baseline.processor(), candidate.processor());

    let mut connections = Vec::new();
    for _ in 0..IN_FLIGHT {
        connections.push(runtime.block_on(connect(address, &roots))?);
    }
    let (mut baseline, mut candidate) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        connections = runtime.block_on(bare_burst(connections, &prepared, batch / 8 + 1))?;
        baseline.push(start.elapsed().as_nanos());
        let start = Instant::now();
        runtime.block_on(burst(&client, &order, batch / 8 + 1))?;
        candidate.push(start.elapsed().as_nanos());
    }
    println!("{IN_FLIGHT} in flight");
    let requests = u128::try_from(IN_FLIGHT * (batch / 8 + 1))?;
    let per_second = |sample: &mut Vec<u128>| requests * 1_000_000_000 / median(sample).max(1);
    report("requests", "/s", per_second(&mut baseline), per_second(&mut candidate));
    Ok(())
}

fn report(what: &str, unit: &str, baseline: u128, candidate: u128) {
    let ratio = candidate * 100 / baseline.max(1);
    println!(
        "  {what:<10} bare hyper {baseline:>8} {unit}, client {candidate:>8} {unit}: {}.{:02} x",
        ratio / 100,
        ratio % 100
    );
}

/// Times of single requests, and processor times per request of whole batches.
#[derive(Default)]
struct Sample {
    latencies: Vec<u128>,
    processor: Vec<u128>,
}

impl Sample {
    fn batch(
        &mut self,
        runtime: &Runtime,
        count: usize,
        mut trip: impl AsyncFnMut() -> Result<(), BoxError>,
    ) -> Result<(), BoxError> {
        let before = thread_processor_time()?;
        runtime.block_on(async {
            for _ in 0..count {
                let start = Instant::now();
                trip().await?;
                self.latencies.push(start.elapsed().as_nanos());
            }
            Ok::<_, BoxError>(())
        })?;
        let used = thread_processor_time()? - before;
        self.processor.push(used / u128::try_from(count)?);
        Ok(())
    }
    fn median(&mut self) -> u128 {
        median(&mut self.latencies)
    }
    fn processor(&mut self) -> u128 {
        median(&mut self.processor)
    }
}

fn client(address: SocketAddr, roots: Roots) -> Result<Client, BoxError> {
    let mut environment =
        Environment::custom("bench").with(Service::SpotRest, format!("https://{address}"));
    environment.roots = roots;
    let credentials = Credentials::new(canary::KEY, canary::SECRET, canary::MEMO)?;
    // The published limits would dominate the measurement.
    let limiter = Limiter::new(LimitPolicy::Off);
    let client = Client::builder().environment(environment).credentials(credentials);
    Ok(client.limiter(limiter).build()?)
}

/// The signed request of the order, as the bare connections send it again and again.
fn prepared_request(
    address: SocketAddr,
    order: &spot::SubmitOrder,
) -> Result<http::Request<Bytes>, BoxError> {
    let body = serde_json::to_vec(order)?;
    let credentials = Credentials::new(canary::KEY, canary::SECRET, canary::MEMO)?;
    let signature = credentials.sign_request(1_692_245_338_123, &body);
    let request = http::Request::post("/spot/v2/submit_order")
        .header("host", address.to_string())
        .header("user-agent", "bitmart-rust/0.1.0")
        .header("content-type", "application/json")
        .header("x-bm-key", canary::KEY)
        .header("x-bm-timestamp", signature.timestamp())
        .header("x-bm-sign", signature.as_str());
    Ok(request.body(body.into())?)
}

async fn connect(address: SocketAddr, roots: &Roots) -> Result<SendRequest<Full<Bytes>>, BoxError> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let config = TlsOptions::default().client_config(roots, &[b"http/1.1"])?;
    let name = ServerName::try_from(address.ip().to_string())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender)
}

async fn bare_trip(
    sender: &mut SendRequest<Full<Bytes>>,
    prepared: &http::Request<Bytes>,
) -> Result<(), BoxError> {
    sender.ready().await?;
    let response = sender.send_request(prepared.clone().map(Full::new)).await?;
    let status = response.status();
    response.into_body().collect().await?.to_bytes();
    // The client fails on any other status, too.
    if status == http::StatusCode::OK { Ok(()) } else { Err(format!("status {status}").into()) }
}

async fn bare_burst(
    connections: Vec<SendRequest<Full<Bytes>>>,
    prepared: &http::Request<Bytes>,
    requests_each: usize,
) -> Result<Vec<SendRequest<Full<Bytes>>>, BoxError> {
    let mut tasks = Vec::new();
    for mut sender in connections {
        let prepared = prepared.clone();
        tasks.push(tokio::spawn(async move {
            for _ in 0..requests_each {
                bare_trip(&mut sender, &prepared).await?;
            }
            Ok::<_, BoxError>(sender)
        }));
    }
    let mut connections = Vec::new();
    for task in tasks {
        connections.push(task.await??);
    }
    Ok(connections)
}

async fn burst(
    client: &Client,
    order: &spot::SubmitOrder,
    requests_each: usize,
) -> Result<(), BoxError> {
    let mut tasks = Vec::new();
    for _ in 0..IN_FLIGHT {
        let (client, order) = (client.clone(), order.clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..requests_each {
                client.send(order.clone()).await?;
            }
            Ok::<_, BoxError>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// Starts a TLS server in its own thread; returns its address and certificate.
fn start_server() -> Result<(SocketAddr, Vec<u8>), BoxError> {
    let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
    let root = certified.cert.der().to_vec();
    let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(config));

    let runtime = Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        runtime.block_on(async {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, tls.clone()));
            }
        });
    });
    Ok((address, root))
}

async fn serve(stream: TcpStream, tls: TlsAcceptor) -> Result<(), BoxError> {
    stream.set_nodelay(true)?;
    let stream = TokioIo::new(tls.accept(stream).await?);
    let response = service_fn(async |request: http::Request<Incoming>| {
        // A server reads the whole request before it responds.
        let body = request.into_body().collect().await;
        let status = if body.is_ok() { 200 } else { 400 };
        let mut response = http::Response::new(Full::new(Bytes::from_static(RESPONSE.as_bytes())));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        Ok::<_, Infallible>(response)
    });
    hyper::server::conn::http1::Builder::new().serve_connection(stream, response).await?;
    Ok(())
}
