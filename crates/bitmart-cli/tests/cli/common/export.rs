//! An account that traded, and exports of it.

use std::path::Path;
use std::time::Duration;

use bitmart::Timestamp;
use bitmart::sandbox::Config;

use super::{Outcome, Place, bitmart, sandbox_of};

pub(crate) fn sandbox() -> Place {
    // An aborted run loses the state of its rate limiter.
    sandbox_of(Config::new().rate_limits(false))
}

/// Places orders that rest, are filled, and are canceled.
pub(crate) fn trade(place: &Place) {
    for side in ["buy", "sell"] {
        let market = ["spot", "submit-order", "BTC_USDT", side, "market", "-y"];
        let amount = if side == "buy" { ["--notional", "50"] } else { ["--size", "0.001"] };
        for _ in 0..3 {
            let sent = bitmart(place, &[&market[..], &amount].concat());
            assert_eq!(sent.code, 0, "{}", sent.err);
        }
    }
    let futures = [
        "futures",
        "submit-order",
        "BTCUSDT",
        "1",
        "1",
        "--type",
        "market",
        "--leverage",
        "10",
        "--open-type",
        "cross",
        "-y",
    ];
    assert_eq!(bitmart(place, &futures).code, 0);
}

/// A span around now, when the rows are created.
pub(crate) fn span() -> [String; 2] {
    let day = Duration::from_secs(86_400);
    [(Timestamp::now() - 30 * day).to_string(), (Timestamp::now() + day).to_string()]
}

pub(crate) fn export(place: &Place, folder: &Path, span: &[String; 2], more: &[&str]) -> Outcome {
    let folder = folder.to_str().expect("text");
    let words = ["export", "--no-pauses", "--out", folder, "--from", &span[0], "--to", &span[1]];
    bitmart(place, &[&words[..], more].concat())
}

pub(crate) fn rows(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(format!("{name}.jsonl"))).expect("rows")
}
