//! Clients on an exchange in the same process.

use std::time::Duration;

use bitmart::rest::{Client, spot};
use bitmart::sandbox::Config;
use bitmart::simulation::Simulation;
use bitmart::ws::{self, Update, topic};
use bitmart::{Environment, dec};

const START_MS: u64 = 1_700_000_000_000;

async fn start() -> (Simulation, Client, ws::Client) {
    let config = Config::new().stepped_clock(START_MS);
    let simulation = Simulation::start(config).await.expect("a simulation");
    let environment = || simulation.environment();
    let credentials = || simulation.credentials().expect("a key");
    let rest = Client::builder()
        .environment(environment())
        .credentials(credentials())
        .connector(simulation.connector())
        .clock(simulation.clock())
        .build()
        .expect("a client");
    let ws = ws::Client::builder()
        .environment(environment())
        .credentials(credentials())
        .connector(simulation.connector())
        .clock(simulation.clock())
        .build()
        .expect("a client");
    (simulation, rest, ws)
}

/// The sockets that this process holds.
#[cfg(target_os = "linux")]
fn sockets() -> usize {
    let files = std::fs::read_dir("/proc/self/fd").expect("the files of this process");
    let targets = files.filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:[")).count()
}

/// The only test of this program, so that nothing else opens sockets meanwhile.
#[tokio::test]
async fn clients_trade_and_listen_in_process_without_a_socket_while_days_pass() {
    // The runtime itself has one, for signals.
    #[cfg(target_os = "linux")]
    let before = sockets();
    let (simulation, rest, ws) = start().await;
    let mut orders = ws.subscribe(topic::spot::all_user_orders()).await.expect("subscribed");
    for day in 0..3 {
        let order = spot::NewOrder::market_buy("BTC_USDT", dec!(50));
        let placed = rest.spot().submit_order(order).await.expect("placed").order_id;
        loop {
            let update = orders.next().await.expect("connected").expect("no error");
            if let Update::Data(order) = update
                && order.order_id == placed
            {
                break;
            }
        }
        assert_eq!(simulation.exchange().now_ms(), START_MS + day * 86_400_000);
        simulation.exchange().advance(Duration::from_secs(86_400));
    }
    assert_eq!(simulation.exchange().orders().len(), 3);
    assert_eq!(simulation.exchange().sockets(), 1, "the stream is open");
    #[cfg(target_os = "linux")]
    assert_eq!(sockets(), before);

    let elsewhere = Client::builder()
        .environment(Environment::live())
        .connector(simulation.connector())
        .build()
        .expect("a client");
    assert!(elsewhere.system().time().await.is_err(), "the connector leads nowhere else");
    ws.shutdown().await;
}
