//! The fuzz targets as functions that any toolchain can call. `fuzz/README.md` lists what each checks.

mod rest_responses;
mod sim_commands;
mod ws_book;
mod ws_frames;
mod ws_session;

pub use self::{
    rest_responses::run as rest_responses, sim_commands::run as sim_commands,
    ws_book::run as ws_book, ws_frames::run as ws_frames, ws_session::run as ws_session,
};

/// The name of a target and the function that runs an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 5] = [
    ("rest_responses", rest_responses),
    ("sim_commands", sim_commands),
    ("ws_book", ws_book),
    ("ws_frames", ws_frames),
    ("ws_session", ws_session),
];
