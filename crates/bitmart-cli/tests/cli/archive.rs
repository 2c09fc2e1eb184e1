//! The archive that `export` writes: continued with the same command, from an older format, without overwriting
//! foreign files, and from several accounts.

mod continued;
mod foreign_files;
mod format_1;
mod sources;

use std::path::Path;

use bitmart::sandbox::Config;

use crate::common::{Outcome, Place, bitmart, sandbox_of};

fn sandbox() -> Place {
    sandbox_of(Config::new().rate_limits(false))
}

/// Buys for 50 USDT at the market.
fn market_buy(place: &Place) {
    let words = ["spot", "submit-order", "BTC_USDT", "buy", "market", "--notional", "50", "-y"];
    let sent = bitmart(place, &words);
    assert_eq!(sent.code, 0, "{}", sent.err);
}

fn export(place: &Place, folder: &Path, more: &[&str]) -> Outcome {
    let words = ["export", "--no-pauses", "--unlimited", "--days", "3", "--to", "now", "--out"];
    bitmart(place, &[&words[..], &[folder.to_str().expect("text")], more].concat())
}

fn verify(place: &Place, folder: &Path, more: &[&str]) -> Outcome {
    bitmart(place, &[&["verify", folder.to_str().expect("text")], more].concat())
}

fn read(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn lines(folder: &Path, name: &str) -> usize {
    read(folder, name).lines().count()
}
