//! The program `bitmart` against sandboxes. One program for all of these tests, because linking takes longer than
//! most of them: `cargo test -p bitmart-cli --test cli report::` runs those of one file.

mod api;
mod archive;
mod archive_explains;
mod auth;
mod changing_lists;
#[cfg(all(unix, feature = "fleet"))]
mod collect;
mod commands;
mod common;
mod completions;
mod doctor;
mod export;
mod flat_memory;
#[cfg(unix)]
mod guard;
mod lasting_export;
mod long_export;
mod month;
mod probe;
mod proxy;
#[cfg(unix)]
mod recipes;
#[cfg(unix)]
mod record;
mod report;
mod sandbox;
mod secrets;
#[cfg(target_os = "linux")]
mod sign;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod tables;
mod tax;
#[cfg(all(unix, feature = "tui"))]
mod tui;
mod unattended;
#[cfg(unix)]
mod watch;
#[cfg(unix)]
mod wind_down;
#[cfg(unix)]
mod withdraw;
