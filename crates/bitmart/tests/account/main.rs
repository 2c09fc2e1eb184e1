//! An account on live connections whose consumer and exchange behave badly, under virtual time.

mod gaps;
mod lab;
mod soak;
