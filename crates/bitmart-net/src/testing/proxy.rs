//! Proxies to test with.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::proxy::is_loopback;
use crate::{Stream, Target};

/// A proxy on a loopback address that notes what it is asked for. It ends when it is dropped.
///
/// It leads to hosts of this machine, to others only if it is told where their connections shall end:
/// a test with it leaves the machine by no mistake.
#[derive(Debug)]
pub struct TestProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

/// Configures a [`TestProxy`].
#[derive(Clone, Default)]
#[must_use = "a builder does nothing until `start`"]
pub struct TestProxyBuilder {
    socks: bool,
    tls: Option<Arc<ServerConfig>>,
    user: Option<(String, String)>,
    leads_to: Option<SocketAddr>,
}

impl std::fmt::Debug for TestProxyBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestProxyBuilder").field("socks", &self.socks).finish_non_exhaustive()
    }
}

impl TestProxy {
    /// One that speaks HTTP `CONNECT`.
    pub fn http() -> TestProxyBuilder {
        TestProxyBuilder::default()
    }

    /// One that speaks SOCKS5.
    pub fn socks5() -> TestProxyBuilder {
        TestProxyBuilder { socks: true, ..TestProxyBuilder::default() }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The hosts that it was asked for so far, each `host:port`, as they were written.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestProxyBuilder {
    /// Wants this user name and password.
    pub fn user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.user = Some((name.into(), password.into()));
        self
    }

    /// Speaks TLS itself.
    pub fn tls(mut self, config: Arc<ServerConfig>) -> Self {
        self.tls = Some(config);
        self
    }

    /// Leads every connection here, whatever host it was asked for.
    pub fn leads_to(mut self, address: SocketAddr) -> Self {
        self.leads_to = Some(address);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no port.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub async fn start(self) -> io::Result<TestProxy> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let noted = Arc::clone(&asked);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (settings, noted) = (self.clone(), Arc::clone(&noted));
                // How a connection ends is the client's business.
                tokio::spawn(async move { drop(settings.serve(client, &noted).await) });
            }
        });
        Ok(TestProxy { address, asked, task })
    }

    async fn serve(self, client: TcpStream, asked: &Mutex<Vec<String>>) -> io::Result<()> {
        client.set_nodelay(true)?;
        let mut client = match &self.tls {
            Some(config) => {
                Stream::new(TlsAcceptor::from(Arc::clone(config)).accept(client).await?)
            }
            None => Stream::new(client),
        };
        let note = |host: &str| {
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(host.to_owned());
        };
        let host = if self.socks {
            socks(&mut client, self.user.as_ref(), note).await?
        } else {
            connect(&mut client, self.user.as_ref(), note).await?
        };
        let Some(target) = host else { return Ok(()) };
        let reached = match self.leads_to {
            Some(address) => TcpStream::connect(address).await,
            None if is_loopback(target.host()) => {
                TcpStream::connect((target.host(), target.port())).await
            }
            None => Err(io::ErrorKind::HostUnreachable.into()),
        };
        let answer: &[u8] = match (self.socks, reached.is_ok()) {
            (true, true) => &[5, 0, 0, 1, 127, 0, 0, 1, 0, 0],
            (true, false) => &[5, 4, 0, 1, 0, 0, 0, 0, 0, 0],
            (false, true) => b"HTTP/1.1 200 Connection established\r\n\r\n",
            (false, false) => b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
        };
        client.write_all(answer).await?;
        client.flush().await?;
        copy_bidirectional(&mut client, &mut reached?).await?;
        client.shutdown().await
    }
}

type Login = (String, String);

/// Reads a `CONNECT`.
async fn connect(
    client: &mut Stream,
    user: Option<&Login>,
    note: impl Fn(&str),
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
        note(host);
        let (host, port) = host.rsplit_once(':')?;
        Some(Target::new(host, port.parse().ok()?, false))
    });
    if let Some((name, password)) = user {
        let want = base64(format!("{name}:{password}").as_bytes());
        let has = head.lines().any(|line| {
            let field = line.split_once(": ");
            field.is_some_and(|(field, value)| {
                field.eq_ignore_ascii_case("proxy-authorization")
                    && value.strip_prefix("Basic ") == Some(&want)
            })
        });
        if !has {
            let answer = b"HTTP/1.1 407 Proxy Authentication Required\r\n\
                           Proxy-Authenticate: Basic realm=\"test\"\r\nContent-Length: 0\r\n\r\n";
            client.write_all(answer).await?;
            client.shutdown().await?;
            return Ok(None);
        }
    }
    if target.is_none() {
        client.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await?;
    }
    Ok(target)
}

/// Reads the questions of SOCKS5 (RFC 1928 and RFC 1929).
async fn socks(
    client: &mut Stream,
    user: Option<&Login>,
    note: impl Fn(&str),
) -> io::Result<Option<Target>> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidData);
    if client.read_u8().await? != 5 {
        return Err(wrong());
    }
    let methods = counted(client).await?;
    let method = if user.is_some() { 2 } else { 0 };
    if !methods.contains(&method) {
        client.write_all(&[5, 0xff]).await?;
        return Ok(None);
    }
    client.write_all(&[5, method]).await?;
    if let Some((name, password)) = user {
        let version = client.read_u8().await?;
        let same = counted(client).await? == name.as_bytes();
        let same = counted(client).await? == password.as_bytes() && same && version == 1;
        client.write_all(&[1, u8::from(!same)]).await?;
        if !same {
            return Ok(None);
        }
    }
    let mut head = [0; 4];
    client.read_exact(&mut head).await?;
    let host = match head {
        [5, 1, 0, 1] => std::net::Ipv4Addr::from(client.read_u32().await?).to_string(),
        [5, 1, 0, 4] => std::net::Ipv6Addr::from(client.read_u128().await?).to_string(),
        [5, 1, 0, 3] => String::from_utf8(counted(client).await?).map_err(|_| wrong())?,
        _ => return Err(wrong()),
    };
    let target = Target::new(host, client.read_u16().await?, false);
    note(&target.to_string());
    Ok(Some(target))
}

/// Bytes behind their number.
async fn counted(client: &mut Stream) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::from(client.read_u8().await?)];
    client.read_exact(&mut bytes).await?;
    Ok(bytes)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_usize, |word, &byte| word << 8 | usize::from(byte));
        let word = word << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[word >> (18 - 6 * place) & 63];
            text.push(if place > chunk.len() { '=' } else { digit.into() });
        }
    }
    text
}
