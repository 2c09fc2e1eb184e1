//! What becomes of a request with an effect: waiting for its response whatever happens, and finding out
//! afterwards when the response was lost.

mod advice;
mod evidence;
mod in_flight;
mod settle;

pub(crate) use advice::how_to_find_out;
pub(crate) use evidence::{Before, before};
pub(crate) use in_flight::wait;
pub(crate) use settle::{Fate, settle};
