//! The SDK against sandboxes. Tests that replace a subscriber, a logger or a panic hook of their process are
//! programs of their own, beside this folder. `cargo test -p bitmart --all-features --test facade trading::` runs the
//! tests of one file.

mod account;
mod channels;
mod coming_from_other_sdks;
mod dead_man_switch;
mod exchange_clock;
mod futures_account;
mod futures_engine;
mod history;
mod money;
mod network_faults;
mod reconcile;
#[cfg(feature = "testing")]
mod record_replay;
#[cfg(feature = "recording")]
mod recording;
mod rejections;
mod trading;
mod triggers;
