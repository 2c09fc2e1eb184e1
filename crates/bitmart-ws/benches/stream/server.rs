//! A server in its own process, so that it does not count for processor time and memory of the client.
//! The path selects its behavior: `/blast?frames=N` sends N frames after the first subscription,
//! `/paced?each_second=N` sends N frames a second, `/idle` only acknowledges.

use std::fmt::Write as _;
use std::io::{self, BufRead as _, Write as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bitmart_net::base64_encode;
use flate2::Compression;
use flate2::write::DeflateEncoder;
use ring::digest;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, BufReader};
use tokio::io::{AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::BoxError;

/// Number of levels on each side of a book.
const LEVELS: i64 = 50;

/// A running server. Dropping it kills the process.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Its certificate in DER.
    pub(crate) certificate: Vec<u8>,
}

impl Server {
    pub(crate) fn start() -> Result<Self, BoxError> {
        let mut child =
            Command::new(std::env::current_exe()?).arg("--serve").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        io::BufReader::new(output).read_line(&mut line)?;
        let (address, certificate) = line.trim().split_once(' ').ok_or("no address")?;
        let certificate = hex::decode(certificate).map_err(|error| error.to_string())?;
        let address = address.parse()?;
        Ok(Self { child, address, certificate })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves until killed. Without TLS when `plain`, for clients in other languages.
pub(crate) fn serve(plain: bool) -> Result<(), BoxError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async move {
        let certified = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])?;
        let key = PrivateKeyDer::Pkcs8(certified.signing_key.serialize_der().into());
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut output = io::stdout().lock();
        writeln!(output, "{} {}", listener.local_addr()?, hex::encode(certified.cert.der()))?;
        output.flush()?;
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            let acceptor = acceptor.clone();
            // A disconnecting client ends the task with an error.
            tokio::spawn(async move {
                if plain {
                    serve_connection(socket).await
                } else {
                    serve_connection(acceptor.accept(socket).await?).await
                }
            });
        }
    })
}

async fn serve_connection<S: AsyncRead + AsyncWrite + Send + 'static>(
    stream: S,
) -> Result<(), BoxError> {
    let (reader, mut writer) = tokio::io::split(stream);
    let mut reader = BufReader::new(reader);
    let (mut path, mut key) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).await?;
        if line.trim().is_empty() {
            break;
        }
        if path.is_empty() {
            line.split(' ').nth(1).unwrap_or_default().clone_into(&mut path);
        }
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("sec-websocket-key")
        {
            value.trim().clone_into(&mut key);
        }
    }
    let digest = digest::digest(
        &digest::SHA1_FOR_LEGACY_USE_ONLY,
        format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11").as_bytes(),
    );
    let response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        base64_encode(digest.as_ref())
    );
    writer.write_all(response.as_bytes()).await?;
    writer.flush().await?;
    let number = |name: &str| {
        path.split_once(name).and_then(|(_, value)| value.parse::<u64>().ok()).unwrap_or_default()
    };
    let (frames, each_second) = (number("frames="), number("each_second="));
    let levels = if path.contains("levels=1&") { 1 } else { LEVELS };
    if frames > 0 {
        acknowledge_next(&mut reader, &mut writer, &mut Vec::new()).await?;
        blast(&mut writer, frames).await?;
        loop {
            acknowledge_next(&mut reader, &mut writer, &mut Vec::new()).await?;
        }
    }
    pace(&mut reader, &mut writer, each_second, levels).await
}

/// Sends the same compressed frame repeatedly, many in one write.
async fn blast<S: AsyncWrite>(writer: &mut WriteHalf<S>, frames: u64) -> Result<(), BoxError> {
    let frame = encode(2, &deflate(&depth("S0_USDT", 1, LEVELS), Compression::default()));
    let burst = frame.repeat(64);
    for _ in 0..frames / 64 {
        writer.write_all(&burst).await?;
    }
    writer.flush().await?;
    Ok(())
}

/// Acknowledges commands, and sends frames of the subscribed topics in turn, each with the current time
/// as its version.
async fn pace<S: AsyncRead + AsyncWrite>(
    reader: &mut BufReader<ReadHalf<S>>,
    writer: &mut WriteHalf<S>,
    each_second: u64,
    levels: i64,
) -> Result<(), BoxError> {
    let mut topics: Vec<String> = Vec::new();
    let mut turn = 0;
    let mut interval = tokio::time::interval(Duration::from_millis(10));
    let mut due = 0;
    loop {
        let command = tokio::select! {
            buffer = reader.fill_buf() => !buffer?.is_empty(),
            _ = interval.tick() => false,
        };
        if command {
            acknowledge_next(reader, writer, &mut topics).await?;
            continue;
        }
        due += each_second;
        while due >= 100 && !topics.is_empty() {
            due -= 100;
            turn = (turn + 1) % topics.len();
            let symbol = topics[turn].split_once(':').map_or("", |(_, symbol)| symbol);
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
            let text = depth(symbol, u64::try_from(now)?, levels);
            writer.write_all(&encode(2, &deflate(&text, Compression::none()))).await?;
        }
        writer.flush().await?;
    }
}

/// Reads one frame of the client and acknowledges it.
async fn acknowledge_next<S: AsyncRead + AsyncWrite>(
    reader: &mut BufReader<ReadHalf<S>>,
    writer: &mut WriteHalf<S>,
    topics: &mut Vec<String>,
) -> Result<(), BoxError> {
    let opcode = reader.read_u8().await? & 0x0f;
    let length = match reader.read_u8().await? & 0x7f {
        126 => u64::from(reader.read_u16().await?),
        127 => reader.read_u64().await?,
        short => u64::from(short),
    };
    let mut mask = [0; 4];
    reader.read_exact(&mut mask).await?;
    let mut payload = vec![0; usize::try_from(length)?];
    reader.read_exact(&mut payload).await?;
    payload.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
    if opcode != 1 {
        return Ok(());
    }
    if payload == b"ping" {
        writer.write_all(&encode(1, b"pong")).await?;
    } else {
        let command: serde_json::Value = serde_json::from_slice(&payload)?;
        for topic in command["args"].as_array().into_iter().flatten() {
            let topic = topic.as_str().unwrap_or_default();
            let acknowledgement = format!(r#"{{"event":"subscribe","topic":"{topic}"}}"#);
            writer.write_all(&encode(1, acknowledgement.as_bytes())).await?;
            topics.push(topic.to_owned());
        }
    }
    writer.flush().await?;
    Ok(())
}

/// Returns a book with this number of levels on each side, as BitMart sends it.
fn depth(symbol: &str, version: u64, levels: i64) -> String {
    let mut seed = 7_u32;
    let mut side = |sign: i64| {
        let mut rows = String::new();
        for level in 0..levels {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let price = 6_700_000 + sign * (level * 13 + i64::from(seed >> 29));
            let comma = if level == 0 { "" } else { "," };
            let (whole, cents, size) = (price / 100, price % 100, seed >> 12);
            // Writing to memory does not fail.
            let _ = write!(
                rows,
                r#"{comma}["{whole}.{cents:02}","{}.{:05}"]"#,
                size / 100_000,
                size % 100_000
            );
        }
        rows
    };
    let (asks, bids) = (side(1), side(-1));
    format!(
        r#"{{"data":[{{"asks":[{asks}],"bids":[{bids}],"ms_t":1698292343610,"symbol":"{symbol}","type":"snapshot","version":{version}}}],"table":"spot/depth/increase100"}}"#
    )
}

fn deflate(text: &str, level: Compression) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), level);
    let written = encoder.write_all(text.as_bytes()).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// An unmasked frame.
fn encode(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x80 | opcode];
    match payload.len() {
        length @ 0..126 => bytes.push(u8::try_from(length).unwrap_or_default()),
        length => {
            bytes.push(126);
            bytes.extend(u16::try_from(length).unwrap_or_default().to_be_bytes());
        }
    }
    bytes.extend(payload);
    bytes
}
