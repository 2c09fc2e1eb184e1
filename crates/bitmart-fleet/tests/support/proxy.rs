//! A TCP proxy in front of a server. Its network is slow, partitioned or broken when a test wants it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Chunks in flight in one direction of a connection. Beyond them the sender has to wait, as on TCP.
const CHUNKS: usize = 1024;

/// What the proxy does with bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Passes,
    /// Each byte arrives so much later, in both directions.
    Late(Duration),
    /// Nothing arrives, and connections stay open. What was sent arrives when the network passes again, since TCP
    /// repeats it.
    Partitioned,
    /// Every n-th chunk for the client ends in the middle, and its connection with it.
    Cuts(usize),
}

#[derive(Clone, Debug)]
enum Target {
    Tcp(String),
    Unix(PathBuf),
}

#[derive(Clone, Debug)]
struct Control {
    network: Network,
    target: Target,
    /// Connections end when this changes.
    generation: u64,
}

/// Forwards connections to its own address on a thread of its own, whatever the test waits for.
pub(crate) struct Proxy {
    address: SocketAddr,
    control: watch::Sender<Control>,
    runtime: Option<Runtime>,
}

impl Proxy {
    /// A proxy for the server at `host:port`.
    pub(crate) fn to_tcp(address: impl Into<String>) -> Self {
        Self::start(Target::Tcp(address.into()))
    }

    /// A proxy for the server on this socket.
    pub(crate) fn to_unix(socket: &Path) -> Self {
        Self::start(Target::Unix(socket.to_owned()))
    }

    fn start(target: Target) -> Self {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().expect("a runtime");
        let (control, receiver) =
            watch::channel(Control { network: Network::Passes, target, generation: 0 });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        listener.set_nonblocking(true).expect("a socket");
        runtime.spawn(accept(listener, receiver));
        Self { address, control, runtime: Some(runtime) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Sets what the proxy does with bytes from now on, also with those in flight.
    pub(crate) fn set(&self, network: Network) {
        self.control.send_modify(|control| control.network = network);
    }

    /// Ends all connections. New ones lead to another server.
    pub(crate) fn move_to_unix(&self, socket: &Path) {
        self.control.send_modify(|control| {
            control.target = Target::Unix(socket.to_owned());
            control.generation += 1;
        });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // A test may drop it within its own runtime, which must not block.
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: std::net::TcpListener, control: watch::Receiver<Control>) {
    let listener = TcpListener::from_std(listener).expect("a socket");
    let chunks = Arc::new(AtomicUsize::new(0));
    while let Ok((client, _)) = listener.accept().await {
        tokio::spawn(forward(client, control.clone(), Arc::clone(&chunks)));
    }
}

type Reads = Box<dyn AsyncRead + Send + Unpin>;
type Writes = Box<dyn AsyncWrite + Send + Unpin>;

async fn forward(
    client: TcpStream,
    mut control: watch::Receiver<Control>,
    chunks: Arc<AtomicUsize>,
) {
    // New connections get no reply in a partition.
    let is_open = |control: &Control| control.network != Network::Partitioned;
    let Ok(Control { target, generation, .. }) = control.wait_for(is_open).await.map(|c| c.clone())
    else {
        return;
    };
    let Ok((from_server, to_server)) = connect(&target).await else { return };
    let _ = client.set_nodelay(true);
    let (from_client, to_client) = client.into_split();
    let (up, down) = (control.clone(), control.clone());
    tokio::select! {
        () = pump(Box::new(from_client), to_server, up, None) => {}
        () = pump(from_server, Box::new(to_client), down, Some(&chunks)) => {}
        _ = control.wait_for(|control| control.generation != generation) => {}
    }
}

async fn connect(target: &Target) -> std::io::Result<(Reads, Writes)> {
    Ok(match target {
        Target::Tcp(address) => {
            let server = TcpStream::connect(address).await?;
            server.set_nodelay(true)?;
            let (from, to) = server.into_split();
            (Box::new(from), Box::new(to))
        }
        Target::Unix(socket) => {
            let (from, to) = UnixStream::connect(socket).await?.into_split();
            (Box::new(from), Box::new(to))
        }
    })
}

/// Forwards one direction until its connection ends. `chunks` counts what goes to clients.
async fn pump(
    mut from: Reads,
    mut to: Writes,
    mut control: watch::Receiver<Control>,
    chunks: Option<&AtomicUsize>,
) {
    let (sender, mut receiver) = mpsc::channel(CHUNKS);
    let read = async move {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            if sender.send((Instant::now(), buffer[..count].to_vec())).await.is_err() {
                return;
            }
        }
        // What is in flight still arrives.
        drop(sender);
        std::future::pending::<()>().await;
    };
    let write = async {
        while let Some((sent, bytes)) = receiver.recv().await {
            let network = until_due(sent, &mut control).await;
            if let (Network::Cuts(every), Some(chunks)) = (network, chunks)
                && (chunks.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(every)
            {
                let _ = to.write_all(&bytes[..bytes.len() / 2]).await;
                return;
            }
            if to.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = read => {}
        () = write => {}
    }
}

/// Waits until bytes that were sent at this time arrive.
async fn until_due(sent: Instant, control: &mut watch::Receiver<Control>) -> Network {
    loop {
        let network = control.borrow_and_update().network;
        let due = match network {
            Network::Passes | Network::Cuts(_) => return network,
            Network::Late(delay) => Some(sent + delay),
            Network::Partitioned => None,
        };
        tokio::select! {
            () = async {
                match due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            } => return network,
            changed = control.changed() => if changed.is_err() {
                std::future::pending::<()>().await;
            },
        }
    }
}
