//! Budgets in a Redis that the tests start. `cargo xtask test fleet` runs those that need `redis-server`.

mod judge;
mod limits;
mod server;
mod store;
mod worker;
