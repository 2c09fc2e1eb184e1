//! Endpoints without a client: requests are encoded, responses decoded, and the catalogues are complete.
//! `cargo test -p bitmart-rest --test endpoints drift::` runs the tests of one file.
// Helper functions of tests may unwrap, too.
#![allow(clippy::unwrap_used)]

mod account_requests;
mod catalog;
mod common;
mod drift;
mod error_catalogue;
mod futures;
mod futures_responses;
mod requests;
mod responses;
mod unverified;
