//! Recordings of a user: recorded against the sandbox, checked as fixtures, and replayed.

use std::fs;
use std::path::{Path, PathBuf};

use bitmart::rest::limit::{LimitPolicy, Limiter};
use bitmart::rest::testing::{Recorder, Replayer};
use bitmart::rest::transport::HyperTransport;
use bitmart::rest::{Client, Outcome, spot};
use bitmart::sandbox::{self, Config, Sandbox};
use bitmart::{ClientOrderId, dec};

type TestResult<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn files(folder: &Path) -> TestResult<Vec<PathBuf>> {
    let paths = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut paths = paths.collect::<TestResult<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

#[tokio::test]
async fn recordings_conform_and_can_be_replayed() -> TestResult {
    let exchange = Sandbox::start(Config::new()).await?;
    let folder = tempfile::tempdir()?;
    let recorded = folder.path().join("recorded");
    let environment = sandbox::environment(&exchange);
    let transport = HyperTransport::builder().roots(environment.roots.clone()).build()?;
    let recorder = Recorder::new(transport, &recorded)?;
    let keys = sandbox::credentials(&exchange)?;
    let build = || {
        Client::builder()
            .environment(environment.clone())
            .credentials(keys.clone())
            .limiter(Limiter::new(LimitPolicy::Off))
    };
    let client = build().transport(recorder.clone()).build()?;

    client.system().time().await?;
    let ticker = client.spot().ticker("BTC_USDT").await?;
    client.account().spot_wallet().await?;
    let id = ClientOrderId::new("CANARYorder1")?;
    let order = || {
        spot::NewOrder::limit_buy("BTC_USDT", dec!(0.01), dec!(1000))
            .with_client_order_id(id.clone())
    };
    let placed = client.spot().submit_order(order()).await?;
    let canceled = client
        .spot()
        .cancel_order(spot::CancelOrder::new("BTC_USDT", placed.order_id.clone()))
        .await?;
    assert_eq!(canceled.canceled, Some(true));
    let rejected = client.spot().ticker("NO_SUCH").await.expect_err("it is not listed");
    assert_eq!(rejected.outcome(), Outcome::Rejected);
    let summary = recorder.summary();
    assert_eq!((summary.files, summary.not_recorded.as_slice()), (6, &[][..]));

    // Copy them into a folder of fixtures, as a contributor does.
    let fixtures = folder.path().join("fixtures");
    fs::create_dir(&fixtures)?;
    let (key, order_id) = (keys.key().to_owned(), placed.order_id.to_string());
    for path in files(&recorded.join("rest"))? {
        let text = fs::read_to_string(&path)?;
        for secret in [key.as_str(), "CANARY", order_id.as_str(), "X-BM", "x-bm"] {
            assert!(!text.contains(secret), "{secret} in {}", path.display());
        }
        fs::copy(&path, fixtures.join(path.file_name().ok_or("a name")?))?;
    }
    let report = conformance::check(std::slice::from_ref(&fixtures), false)?;
    assert_eq!((report.passed, report.failed, report.skipped), (6, 0, 0), "{report}");

    // Without the exchange, the recordings provide the responses.
    drop(exchange);
    let replayer = Replayer::open(&fixtures)?;
    let replayer = replayer.ignore("client_order_id").ignore("size").ignore("price");
    let client = build().transport(replayer.clone()).build()?;
    assert_eq!(client.spot().ticker("BTC_USDT").await?.symbol, ticker.symbol);
    client.account().spot_wallet().await?;
    // Ids are pseudonyms, consistent between the recordings.
    let again = client.spot().submit_order(order()).await?;
    assert_ne!(again.order_id, placed.order_id);
    let canceled =
        client.spot().cancel_order(spot::CancelOrder::new("BTC_USDT", again.order_id)).await?;
    assert_eq!(canceled.canceled, Some(true));
    let error = client.spot().ticker("ETH_USDT").await.expect_err("it was not recorded");
    assert_eq!(error.outcome(), Outcome::NotSent);
    let unused: Vec<_> = replayer
        .unused()
        .iter()
        .filter_map(|path| path.file_name().map(ToOwned::to_owned))
        .collect();
    assert_eq!(unused, ["spot_ticker-2.json", "system_time-1.json"]);
    Ok(())
}
