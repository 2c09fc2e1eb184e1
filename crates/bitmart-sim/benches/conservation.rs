//! How many cases of a conservation property are checked in a second: an exchange, and random commands, after each of
//! which the balances of every currency add up to zero. With market makers and without.

use std::{
    env,
    time::{Duration, Instant},
};

use bitmart_sim::{Decimal, Setup};

use self::script::{run, setup};

#[path = "../tests/ledger/script.rs"]
mod script;

/// Commands of a case.
const COMMANDS: u64 = 100;

/// Checks cases for some time and prints how many.
fn measure(name: &str, setup: &Setup, time: Duration) {
    let (started, mut cases) = (Instant::now(), 0);
    while started.elapsed() < time {
        cases += 1;
        let exchange = run(setup, cases, COMMANDS, |exchange, _| {
            assert!(exchange.ledger().sums().values().all(Decimal::is_zero));
        });
        assert_eq!(exchange.check_consistency(), Ok(()));
    }
    let per_second = |count: u64| u128::from(count) * 1_000 / started.elapsed().as_millis().max(1);
    let (of_cases, of_commands) = (per_second(cases), per_second(cases * COMMANDS));
    println!(
        "{name}: {of_cases} cases a second of {COMMANDS} commands, {of_commands} commands a second"
    );
}

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_measuring = env::args().any(|argument| argument == "--bench");
    let time = Duration::from_millis(if is_measuring { 5_000 } else { 1 });
    measure("without market makers", &setup().without_market_maker(), time);
    measure("with market makers", &setup(), time);
}
