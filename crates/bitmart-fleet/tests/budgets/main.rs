//! Budgets in a Redis that the tests start. `cargo xtask test fleet` runs those that need `redis-server`.

mod fleet;
#[path = "../support/judge.rs"]
mod judge;
mod limits;
mod networks;
#[expect(dead_code, reason = "tests over NATS use more of it")]
#[path = "../support/proxy.rs"]
mod proxy;
#[path = "../support/redis.rs"]
mod server;
mod store;
mod worker;
