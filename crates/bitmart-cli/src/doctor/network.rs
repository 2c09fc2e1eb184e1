//! Checks each host: DNS, TCP, TLS, HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bitmart::Environment;
use bitmart::net::{self, Connect as _, Connector, ProxyInUse, TlsOptions};
use bitmart::rest::http::Uri;
use bitmart::types::Service;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::Finding;
use crate::failure::{Exit, chain};
use crate::target::Target;

const SERVICES: [Service; 6] = [
    Service::SpotRest,
    Service::FuturesRest,
    Service::SpotWsPublic,
    Service::SpotWsPrivate,
    Service::FuturesWsPublic,
    Service::FuturesWsPrivate,
];

/// Maximum length of a status line in bytes.
const MAX_LINE: u64 = 1024;

/// The step that failed, the reason, and advice.
struct FailedStep(&'static str, String, &'static str);

/// Checks all services of the environment concurrently, with `timeout` for each step.
pub(super) async fn check(target: &Target, timeout: Duration) -> Vec<Finding> {
    let checks = SERVICES.into_iter().filter_map(|service| {
        let address = target.environment.address(service).ok()?.to_owned();
        let (environment, connector) = (target.environment.clone(), target.connector.clone());
        let check = async move { check_service(&environment, &connector, &address, timeout).await };
        Some((service, tokio::spawn(check)))
    });
    // Collected first, so that all checks run.
    let checks: Vec<_> = checks.collect();
    let mut findings = Vec::new();
    for (service, check) in checks {
        findings.push(match check.await {
            Ok(Ok(text)) => Finding::ok(service.to_string(), text),
            Ok(Err(FailedStep(step, why, advice))) => Finding::failed(
                service.to_string(),
                Exit::NotSent,
                format!("{step}: {why}"),
                advice,
            ),
            Err(error) => Finding::failed(
                service.to_string(),
                Exit::Io,
                chain(&error),
                "this is a bug; please report it",
            ),
        });
    }
    findings
}

/// Connects to an address and returns the duration of each step.
async fn check_service(
    environment: &Environment,
    connector: &Connector,
    address: &str,
    timeout: Duration,
) -> Result<String, FailedStep> {
    let invalid = || FailedStep("address", format!("{address:?} is not valid"), "correct --env");
    let uri: Uri = address.parse().map_err(|_| invalid())?;
    let secure = matches!(uri.scheme_str(), Some("https" | "wss"));
    let host = uri.host().ok_or_else(invalid)?.trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });

    let make_target = if secure { net::Target::tls } else { net::Target::plain_text };
    let dialed = make_target(host.as_str(), port).with_timeout(timeout);
    let (stream, mut times) = match connector.proxy_for(&dialed) {
        Some(proxy) => connect_through(&proxy, connector, &dialed).await?,
        None => connect_directly(&host, port, timeout).await?,
    };
    let started = Instant::now();
    let status = if secure {
        let config = TlsOptions::default().client_config(&environment.roots, &[b"http/1.1"]);
        let config = config.map_err(|error| {
            FailedStep(
                "TLS",
                chain(&error),
                "no certificate is trusted: correct the root certificates",
            )
        })?;
        let name = ServerName::try_from(host.clone()).map_err(|_| invalid())?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = step("TLS", timeout, connecting, NO_TLS).await?;
        times += &format!(", TLS {} ms", started.elapsed().as_millis());
        request(stream, &uri, timeout, &mut times).await?
    } else {
        request(stream, &uri, timeout, &mut times).await?
    };
    Ok(format!("{times}; {status} ({host}:{port})"))
}

/// Connects to a host directly. Returns the durations as well.
async fn connect_directly(
    host: &str,
    port: u16,
    timeout: Duration,
) -> Result<(net::Stream, String), FailedStep> {
    let started = Instant::now();
    let found = step("DNS", timeout, tokio::net::lookup_host((host, port)), NO_NAME).await?;
    let addresses: Vec<SocketAddr> = found.collect();
    let (dns, started) = (started.elapsed(), Instant::now());
    let stream = step("TCP", timeout, TcpStream::connect(addresses.as_slice()), NO_TCP).await?;
    let tcp = started.elapsed();
    let times = format!("DNS {} ms, TCP {} ms", dns.as_millis(), tcp.as_millis());
    Ok((net::Stream::new(stream), times))
}

/// Connects through a proxy. Returns a description of the proxy with the duration as well.
async fn connect_through(
    proxy: &ProxyInUse,
    connector: &Connector,
    target: &net::Target,
) -> Result<(net::Stream, String), FailedStep> {
    let named = match proxy.origin() {
        "proxy" => "--proxy",
        variable => variable,
    };
    let started = Instant::now();
    match connector.connect(target).await {
        Ok(stream) => {
            let time = started.elapsed().as_millis();
            Ok((stream, format!("through proxy {proxy} of {named} in {time} ms")))
        }
        Err(error) => {
            Err(FailedStep("proxy", format!("{} (named by {named})", chain(&error)), NO_PROXY))
        }
    }
}

const NO_PROXY: &str = "correct the proxy, or list the host in NO_PROXY to connect directly";
const NO_NAME: &str = "the host name cannot be resolved: check network, DNS and proxy";
const NO_TCP: &str =
    "no server is listening, or a firewall blocks the connection: check the address";
const NO_TLS: &str = "the certificate is not trusted, or a middlebox intercepts TLS";
const NO_HTTP: &str = "the server does not respond like the exchange: another server or a middlebox may \
                       be responding";

/// Runs a step with a timeout.
async fn step<T>(
    name: &'static str,
    timeout: Duration,
    work: impl Future<Output = std::io::Result<T>>,
    advice: &'static str,
) -> Result<T, FailedStep> {
    match tokio::time::timeout(timeout, work).await {
        Ok(result) => result.map_err(|error| FailedStep(name, chain(&error), advice)),
        Err(_) => {
            Err(FailedStep(name, format!("no response within {} s", timeout.as_secs()), advice))
        }
    }
}

/// Sends an HTTP request: the handshake of a WebSocket, or the server time of a REST host. A 404 of a host
/// without that path proves the connection as well.
async fn request(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    uri: &Uri,
    timeout: Duration,
    times: &mut String,
) -> Result<String, FailedStep> {
    let socket = matches!(uri.scheme_str(), Some("ws" | "wss"));
    let path = if socket {
        uri.path_and_query().map_or("/", |path| path.as_str())
    } else {
        "/system/time"
    };
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
    request += if socket {
        // The key is arbitrary: the accept key is not verified here.
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    } else {
        "Connection: close\r\n\r\n"
    };
    let started = Instant::now();
    let status_line = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut line = Vec::new();
        let mut bytes = (&mut stream).take(MAX_LINE);
        while !line.ends_with(b"\r\n") {
            line.push(bytes.read_u8().await?);
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    };
    let what = if socket { "WebSocket" } else { "HTTP" };
    let line = step(what, timeout, status_line, NO_HTTP).await?;
    *times += &format!(", {what} {} ms", started.elapsed().as_millis());
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or_default();
    let is_ok = if socket { status == "101" } else { matches!(status, "200" | "404" | "429") };
    if is_ok {
        Ok(line)
    } else {
        Err(FailedStep(what, format!("the response is {line:?}"), NO_HTTP))
    }
}
