//! The cost of recording a request for the console: the same order is sent to a sandbox that records and to one
//! that does not, in turns, over streams in memory.
//!
//! The goal: less than 3 microseconds for a request. Each run sends two requests, so that the goal is 6 between the
//! two rows. The records are full before it is measured, so that each one replaces another.

use std::error::Error;

use bitmart_sandbox::{ApiKey, Config, Sandbox};
use bitmart_testkit::bench::{Comparison, is_measuring};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    runtime::{Builder, Runtime},
};

const NOW_MS: u64 = 1_700_000_000_000;
/// Runs of two requests each, which fill the records: 4,000 requests are kept.
const WARM_UP_RUNS: usize = 2_100;
const ORDER: &str =
    r#"{"symbol":"BTC_USDT","side":"buy","type":"limit","size":"0.001","price":"30000"}"#;
const CANCEL: &str = r#"{"symbol":"BTC_USDT"}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let warm_up_runs = if is_measuring() { WARM_UP_RUNS } else { 1 };
    let mut off = Measured::new(false)?;
    let mut on = Measured::new(true)?;
    for side in [&mut off, &mut on] {
        for _ in 0..warm_up_runs {
            side.order_and_cancel();
        }
    }
    let title = "an order and its cancellation";
    Comparison::new(title, "not recorded", || off.order_and_cancel())
        .candidate("recorded", || on.order_and_cancel())
        .rounds(10_000)
        .run();
    Ok(())
}

/// A sandbox and a connection to it.
struct Measured {
    runtime: Runtime,
    stream: DuplexStream,
    requests: [Vec<u8>; 2],
    response: Vec<u8>,
    _sandbox: Sandbox,
}

impl Measured {
    fn new(records: bool) -> Result<Self, Box<dyn Error>> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        let config = Config::new().stepped_clock(NOW_MS).rate_limits(false).console(records);
        let config = config.api_key(ApiKey::new("key", "secret", "memo"));
        let (sandbox, link) = runtime.block_on(Sandbox::start_in_process(config))?;
        let port = sandbox.spot().rest.rsplit_once(':').ok_or("no port")?.1.parse()?;
        let stream = link.connect(port).ok_or("no such host")?;
        let requests =
            [signed("/spot/v2/submit_order", ORDER)?, signed("/spot/v4/cancel_all", CANCEL)?];
        drop(entered);
        Ok(Self { runtime, stream, requests, response: vec![0; 4 << 10], _sandbox: sandbox })
    }

    fn order_and_cancel(&mut self) {
        let Self { runtime, stream, requests, response, .. } = self;
        runtime.block_on(async {
            for request in requests {
                stream.write_all(request).await.expect("the sandbox runs");
                // A response is written at once.
                let length = stream.read(response).await.expect("the sandbox runs");
                assert!(response[..length].starts_with(b"HTTP/1.1 200"), "it is accepted");
            }
        });
    }
}

/// A signed request with the headers that clients send.
fn signed(path: &str, body: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(b"secret")?;
    mac.update(format!("{NOW_MS}#memo#{body}").as_bytes());
    let digits: Vec<String> =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:8801\r\naccept: */*\r\naccept-encoding: gzip, deflate\r\n\
         user-agent: python-requests/2.32.3\r\nconnection: keep-alive\r\ncontent-type: application/json\r\n\
         x-bm-key: key\r\nx-bm-timestamp: {NOW_MS}\r\nx-bm-sign: {}\r\ncontent-length: {}\r\n\r\n{body}",
        digits.concat(),
        body.len(),
    );
    Ok(head.into_bytes())
}
