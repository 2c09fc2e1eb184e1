//! Proxies for tests.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::base64;
use crate::proxy::is_loopback;
use crate::{Stream, Target};

/// A proxy on a loopback address that records the requested hosts. Dropping it stops it and cuts its
/// connections.
///
/// It connects to loopback hosts only, so that a test cannot reach the network by mistake. See
/// [`TestProxyBuilder::forward_to`] for other hosts.
#[derive(Debug)]
pub struct TestProxy {
    address: SocketAddr,
    requested: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

/// Configures a [`TestProxy`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `start`"]
pub struct TestProxyBuilder {
    socks: bool,
    tls: Option<Arc<ServerConfig>>,
    user: Option<(String, String)>,
    forward_to: Option<SocketAddr>,
}

impl std::fmt::Debug for TestProxyBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestProxyBuilder").field("socks", &self.socks).finish_non_exhaustive()
    }
}

impl TestProxy {
    /// Creates an HTTP `CONNECT` proxy.
    pub fn http() -> TestProxyBuilder {
        TestProxyBuilder::default()
    }

    /// Creates a SOCKS5 proxy.
    pub fn socks5() -> TestProxyBuilder {
        TestProxyBuilder { socks: true, ..TestProxyBuilder::default() }
    }

    /// Returns the address of the proxy.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the hosts requested so far, each as `host:port` in the client's spelling.
    pub fn requested_hosts(&self) -> Vec<String> {
        self.requested.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestProxyBuilder {
    /// Requires this user name and password.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.user = Some((name.into(), password.into()));
        self
    }

    /// Uses TLS between client and proxy.
    pub fn tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Connects to this address regardless of the requested host.
    pub fn forward_to(mut self, address: SocketAddr) -> Self {
        self.forward_to = Some(address);
        self
    }

    /// Starts the proxy.
    ///
    /// # Errors
    /// Binding fails.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> io::Result<TestProxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let requested = Arc::<Mutex<Vec<String>>>::default();
        let recorded = Arc::clone(&requested);
        let task = tokio::spawn(async move {
            // Ends with this task, so that dropping the proxy cuts its connections.
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let (settings, recorded) = (self.clone(), Arc::clone(&recorded));
                // Errors show at the client.
                connections.spawn(async move { drop(settings.serve(client, &recorded).await) });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(TestProxy { address, requested, task })
    }

    async fn serve(self, client: TcpStream, requested: &Mutex<Vec<String>>) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut client = match &self.tls {
            Some(config) => {
                Stream::new(TlsAcceptor::from(Arc::clone(config)).accept(client).await?)
            }
            None => Stream::new(client),
        };
        let record = |host: &str| {
            requested.lock().unwrap_or_else(PoisonError::into_inner).push(host.to_owned());
        };
        let host = if self.socks {
            socks(&mut client, self.user.as_ref(), record).await?
        } else {
            connect(&mut client, self.user.as_ref(), record).await?
        };
        let Some(target) = host else { return Ok(()) };
        let connected = match self.forward_to {
            Some(address) => TcpStream::connect(address).await,
            None if is_loopback(target.host()) => {
                TcpStream::connect((target.host(), target.port())).await
            }
            None => Err(io::ErrorKind::HostUnreachable.into()),
        };
        let response: &[u8] = match (self.socks, connected.is_ok()) {
            (true, true) => &[5, 0, 0, 1, 127, 0, 0, 1, 0, 0],
            (true, false) => &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0],
            (false, true) => b"HTTP/1.1 200 Connection established\r\n\r\n",
            (false, false) => b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        };
        client.write_all(response).await?;
        client.flush().await?;
        copy_bidirectional(&mut client, &mut connected?).await?;
        client.shutdown().await
    }
}

type Login = (String, String);

/// Reads a `CONNECT` request.
async fn connect(
    client: &mut Stream,
    user: Option<&Login>,
    record: impl Fn(&str),
) -> io::Result<Option<Target>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > 8192 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(client.read_u8().await?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default();
    let host = line.strip_prefix("CONNECT ").and_then(|rest| rest.strip_suffix(" HTTP/1.1"));
    let target = host.and_then(|host| {
        record(host);
        let (host, port) = host.rsplit_once(':')?;
        Some(Target::plain_text(host, port.parse().ok()?))
    });
    if let Some((name, password)) = user {
        let expected = base64::encode(format!("{name}:{password}").as_bytes());
        let authorized = head.lines().any(|line| {
            let field = line.split_once(": ");
            field.is_some_and(|(field, value)| {
                field.eq_ignore_ascii_case("proxy-authorization")
                    && value.strip_prefix("Basic ") == Some(&expected)
            })
        });
        if !authorized {
            let response = b"HTTP/1.1 407 Proxy Authentication Required\r\n\
                           Proxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n";
            client.write_all(response).await?;
            client.shutdown().await?;
            return Ok(None);
        }
    }
    if target.is_none() {
        client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await?;
    }
    Ok(target)
}

/// Performs the server side of a SOCKS5 handshake (RFC 1928 and RFC 1929).
async fn socks(
    client: &mut Stream,
    user: Option<&Login>,
    record: impl Fn(&str),
) -> io::Result<Option<Target>> {
    let invalid = || io::Error::from(io::ErrorKind::InvalidData);
    if client.read_u8().await? != 5 {
        return Err(invalid());
    }
    let methods = read_prefixed(client).await?;
    let method = if user.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        client.write_all(&[5, 0xff]).await?;
        return Ok(None);
    }
    client.write_all(&[5, method]).await?;
    if let Some((name, password)) = user {
        let version = client.read_u8().await?;
        let matches = read_prefixed(client).await? == name.as_bytes();
        let matches =
            read_prefixed(client).await? == password.as_bytes() && matches && version == 1;
        client.write_all(&[1, u8::from(!matches)]).await?;
        if !matches {
            return Ok(None);
        }
    }
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let host = match head {
        [5, 1, 0, 1] => std::net::Ipv4Addr::from(client.read_u32().await?).to_string(),
        [5, 1, 0, 4] => std::net::Ipv6Addr::from(client.read_u128().await?).to_string(),
        [5, 1, 0, 3] => String::from_utf8(read_prefixed(client).await?).map_err(|_| invalid())?,
        _ => return Err(invalid()),
    };
    let target = Target::plain_text(host, client.read_u16().await?);
    record(&target.to_string());
    Ok(Some(target))
}

/// Reads bytes with a length prefix.
async fn read_prefixed(client: &mut Stream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}
