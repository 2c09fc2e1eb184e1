//! The account tracker under virtual time, with a slow consumer and a faulty exchange.

mod gaps;
mod harness;
mod soak;
