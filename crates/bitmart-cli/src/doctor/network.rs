//! The way to each host: name, TCP, TLS, HTTP.

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

/// Longest status line that is read.
const LINE: u64 = 1024;

/// Where a check ended, why, and what to do.
struct Stop(&'static str, String, &'static str);

/// All services that the environment has, at the same time; each has `limit` for each step.
pub(super) async fn check(target: &Target, limit: Duration) -> Vec<Finding> {
    let checks = SERVICES.into_iter().filter_map(|service| {
        let address = target.environment.address(service).ok()?.to_owned();
        let (environment, connector) = (target.environment.clone(), target.connector.clone());
        let check = async move { reach(&environment, &connector, &address, limit).await };
        Some((service, tokio::spawn(check)))
    });
    // Collected first, so that all of them run.
    let checks: Vec<_> = checks.collect();
    let mut findings = Vec::new();
    for (service, check) in checks {
        findings.push(match check.await {
            Ok(Ok(text)) => Finding::good(service.to_string(), text),
            Ok(Err(Stop(step, why, advice))) => {
                Finding::bad(service.to_string(), Exit::NotSent, format!("{step}: {why}"), advice)
            }
            Err(error) => Finding::bad(
                service.to_string(),
                Exit::Machine,
                chain(&error),
                "this is a fault of the program; please report it",
            ),
        });
    }
    findings
}

/// Goes all the way to one address and tells how long each step took.
async fn reach(
    environment: &Environment,
    connector: &Connector,
    address: &str,
    limit: Duration,
) -> Result<String, Stop> {
    let wrong = || Stop("address", format!("{address:?} is none"), "mend --env");
    let uri: Uri = address.parse().map_err(|_| wrong())?;
    let secure = matches!(uri.scheme_str(), Some("https" | "wss"));
    let host = uri.host().ok_or_else(wrong)?.trim_matches(['[', ']']).to_owned();
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });

    let dialled = net::Target::new(host.as_str(), port, secure).with_timeout(limit);
    let (stream, mut times) = match connector.proxy_for(&dialled) {
        Some(proxy) => through(&proxy, connector, &dialled).await?,
        None => straight(&host, port, limit).await?,
    };
    let started = Instant::now();
    let status = if secure {
        let config = TlsOptions::default().client_config(&environment.roots, &[b"http/1.1"]);
        let config = config.map_err(|error| {
            Stop("TLS", chain(&error), "no certificate is trusted: mend the roots")
        })?;
        let name = ServerName::try_from(host.clone()).map_err(|_| wrong())?;
        let connecting = TlsConnector::from(Arc::new(config)).connect(name, stream);
        let stream = step("TLS", limit, connecting, NO_TLS).await?;
        times += &format!(", TLS {} ms", started.elapsed().as_millis());
        ask(stream, &uri, limit, &mut times).await?
    } else {
        ask(stream, &uri, limit, &mut times).await?
    };
    Ok(format!("{times}; {status} ({host}:{port})"))
}

/// A connection to the host itself, and the time that its steps took.
async fn straight(host: &str, port: u16, limit: Duration) -> Result<(net::Stream, String), Stop> {
    let started = Instant::now();
    let found = step("DNS", limit, tokio::net::lookup_host((host, port)), NO_NAME).await?;
    let addresses: Vec<SocketAddr> = found.collect();
    let (dns, started) = (started.elapsed(), Instant::now());
    let stream = step("TCP", limit, TcpStream::connect(addresses.as_slice()), NO_TCP).await?;
    let tcp = started.elapsed();
    let times = format!("DNS {} ms, TCP {} ms", dns.as_millis(), tcp.as_millis());
    Ok((net::Stream::new(stream), times))
}

/// A connection through a proxy, which proxy that is and who named it, and the time that it took.
async fn through(
    proxy: &ProxyInUse,
    connector: &Connector,
    target: &net::Target,
) -> Result<(net::Stream, String), Stop> {
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
        Err(error) => Err(Stop("proxy", format!("{} (named by {named})", chain(&error)), NO_PROXY)),
    }
}

const NO_PROXY: &str = "mend the proxy, or list the host in NO_PROXY to do without it";
const NO_NAME: &str = "the name is not found: check the network, DNS and proxies";
const NO_TCP: &str = "nothing listens there, or a firewall is in between; is the address right?";
const NO_TLS: &str = "the certificate is not trusted, or something in between speaks for the host";
const NO_HTTP: &str = "it accepts connections but does not answer as the exchange does; is something \
                       else there, or in between?";

/// One step within its time.
async fn step<T>(
    name: &'static str,
    limit: Duration,
    work: impl Future<Output = std::io::Result<T>>,
    advice: &'static str,
) -> Result<T, Stop> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(|error| Stop(name, chain(&error), advice)),
        Err(_) => Err(Stop(name, format!("no answer in {} s", limit.as_secs()), advice)),
    }
}

/// Asks over HTTP: a WebSocket for its handshake, a REST host for its time. A REST host that has
/// no such path answers 404, which proves as much.
async fn ask(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    uri: &Uri,
    limit: Duration,
    times: &mut String,
) -> Result<String, Stop> {
    let socket = matches!(uri.scheme_str(), Some("ws" | "wss"));
    let path = if socket {
        uri.path_and_query().map_or("/", |path| path.as_str())
    } else {
        "/system/time"
    };
    let host = uri.authority().map_or("", |authority| authority.as_str());
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
    request += if socket {
        // Any sixteen bytes will do: nobody checks the answer to them here.
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    } else {
        "Connection: close\r\n\r\n"
    };
    let started = Instant::now();
    let answer = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut line = Vec::new();
        let mut bytes = (&mut stream).take(LINE);
        while !line.ends_with(b"\r\n") {
            line.push(bytes.read_u8().await?);
        }
        Ok(String::from_utf8_lossy(&line).trim().to_owned())
    };
    let what = if socket { "WebSocket" } else { "HTTP" };
    let line = step(what, limit, answer, NO_HTTP).await?;
    *times += &format!(", {what} {} ms", started.elapsed().as_millis());
    let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).unwrap_or_default();
    let is_good = if socket { status == "101" } else { matches!(status, "200" | "404" | "429") };
    if is_good { Ok(line) } else { Err(Stop(what, format!("it answers {line:?}"), NO_HTTP)) }
}
