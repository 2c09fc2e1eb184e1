//! A partition of real network interfaces, in network namespaces of this test. Skipped where it may not create any.

use std::process::{Command, Output};

use bitmart_fleet::nats;
use bitmart_sandbox::{Config, Sandbox};

use super::common::{BOOK, CollectorProcess, Nats, Recorder, Seen, TRADES};
use super::common::{collector, direct, publisher, until_set_up};

const CHILD: &str = "BITMART_FLEET_TEST_NAMESPACES";
/// NATS and the exchange, as the namespace of the collector sees them.
const NATS_HOST: &str = "10.231.1.1";
const EXCHANGE_HOST: &str = "10.231.2.1";

/// Two namespaces, which end with this: `hub` has everything but a collector, which is in `far`. Each has one interface
/// for NATS and one for the exchange.
struct Namespaces {
    hub: String,
    far: String,
}

fn ip(arguments: &str) -> std::io::Result<Output> {
    Command::new("ip").args(arguments.split_whitespace()).output()
}

impl Namespaces {
    /// The reason if the machine does not allow it.
    fn create() -> Result<Self, String> {
        let id = std::process::id();
        let this = Self { hub: format!("fleet{id}hub"), far: format!("fleet{id}far") };
        let (hub, far) = (&this.hub, &this.far);
        let mut steps = vec![format!("netns add {hub}"), format!("netns add {far}")];
        steps.extend([hub, far].map(|space| format!("-n {space} link set lo up")));
        for (name, network) in [("nats", 1), ("exchange", 2)] {
            steps.extend([
                format!("-n {hub} link add {name} type veth peer name {name} netns {far}"),
                format!("-n {hub} address add 10.231.{network}.1/24 dev {name}"),
                format!("-n {far} address add 10.231.{network}.2/24 dev {name}"),
                format!("-n {hub} link set {name} up"),
                format!("-n {far} link set {name} up"),
            ]);
        }
        for step in steps {
            let done = ip(&step).map_err(|error| format!("ip: {error}"))?;
            if !done.status.success() {
                let why = String::from_utf8_lossy(&done.stderr);
                return Err(format!("ip {step}: {}", why.trim()));
            }
        }
        Ok(this)
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        for space in [&self.hub, &self.far] {
            let _ = ip(&format!("netns delete {space}"));
        }
    }
}

/// Runs [`inside`] in one of two namespaces.
#[test]
#[ignore = "needs nats-server"]
fn a_collector_without_its_link_to_nats_is_replaced_and_comes_back() {
    let namespaces = match Namespaces::create() {
        Ok(namespaces) => namespaces,
        Err(why) => {
            // Not captured, so that nobody takes it for tested.
            let text = format!("SKIPPED: no network namespaces on this machine: {why}\n");
            std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).expect("written");
            return;
        }
    };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", &namespaces.hub]);
    command.arg(std::env::current_exe().expect("this program"));
    command.args(["namespaces::inside", "--exact", "--ignored", "--nocapture"]);
    let output = command.env(CHILD, &namespaces.far).output().expect("started");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("link is back"), "it did not run: {text}");
}

fn set_link(state: &str) {
    let done = ip(&format!("link set nats {state}")).expect("ip runs");
    assert!(done.status.success(), "{done:?}");
}

#[tokio::test]
#[ignore = "the body of a process of another test"]
async fn inside() {
    let Ok(far) = std::env::var(CHILD) else { return };
    let nats = Nats::start_at(NATS_HOST, "");
    let address = |port: u16| (EXCHANGE_HOST.parse::<std::net::IpAddr>().expect("valid"), port);
    let config = Config::new().rate_limits(false).expose_admin(false);
    let config = config.spot_address(address(0).into()).futures_address(address(0).into());
    let sandbox = Sandbox::start(config).await.expect("a sandbox");
    let _far = CollectorProcess::start_in(&far, &nats, &sandbox, "a", 1);
    until_set_up(&nats).await;
    let client = nats::connect(nats.options()).await.expect("connected");
    let mut original = Recorder::start(&direct(&sandbox), TRADES).await;
    let mut trades = Recorder::start(&client, TRADES).await;
    let mut book = Recorder::start(&client, BOOK).await;
    trades.events(1).await;
    book.events(3).await;
    assert_eq!(publisher(&nats, "bitmart.spot.trade.BTC_USDT").await, "a");
    set_link("down");
    // There is no other yet, and no connection ends: readers notice the silence.
    trades.next(&Seen::Reconnecting).await;
    book.next(&Seen::Reconnecting).await;
    let near = collector(&nats, &sandbox, "b", |builder| builder).await;
    trades.next(&Seen::Resynced).await;
    book.next(&Seen::Resynced).await;
    book.events(5).await;
    assert_eq!(near.status().leases, 4);
    set_link("up");
    println!("link is back");
    // What the first had published meanwhile arrives now. It gets its part of the shards again.
    while near.status().leases == 4 {
        book.events(1).await;
    }
    trades.events(3).await;
    book.has_no_gap_between_snapshots();
    trades.is_part_of(&mut original).await;
}
