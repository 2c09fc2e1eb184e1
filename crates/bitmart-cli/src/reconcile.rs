//! The outcome of requests with an effect: waiting for the response in spite of signals, and querying the
//! exchange afterwards if the response was lost.

mod advice;
mod evidence;
mod in_flight;
mod lost_response;
mod settle;

pub(crate) use advice::how_to_find_out;
pub(crate) use evidence::{Baseline, baseline};
pub(crate) use in_flight::wait;
pub(crate) use lost_response::{SentRequest, interrupted, resolve_failure};
pub(crate) use settle::{Resolution, settle};
