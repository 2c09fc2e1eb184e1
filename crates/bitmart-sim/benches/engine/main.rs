//! The engine alone, on one core: what a command costs, and how that depends on the number of open orders and of
//! orders that wait for a price.
//!
//! 1. `book`: limit orders, matches and cancellations on one spot book. The mix, in random order from a fixed seed: 15
//!    of 100 commands are limit orders that match at once (mostly one or two trades, the remainder rests), the others
//!    keep the number of open orders where it is: about as many limit orders that rest, at a random price within 1,000
//!    ticks of the middle, as cancellations of a random open order and trades together take away. Eight accounts, or
//!    one for every 2,000 orders; every command takes its events. The commands are generated before the measurement.
//! 2. `waiting`: the same at 1,000 open orders, while other orders wait for prices that do not come.
//! 3. `markets`: see [`markets`].
//!
//! The best wall time and processor time of several runs count. `cargo bench` measures. After `--` may follow the parts
//! to measure, numbers of orders that replace the usual ones, and `commands=` and `runs=` with a number: `cargo bench
//! --bench engine -- book 1000 commands=20000 runs=1`. The last column is a hash of the ledger, which changes only with
//! the rules.

mod markets;
mod waiting;

use std::{
    env, fs,
    hint::black_box,
    time::{Duration, Instant},
};

use bitmart_sim::{
    AccountId, Command, Decimal, Exchange, OrderId, Outcome, Setup, SpotPair, SpotRequest,
    book::Side,
    spot_order::{NewSpotOrder, SpotOrderType},
};

const START_MS: u64 = 1_700_000_000_000;
/// Fewest accounts.
const ACCOUNTS: usize = 8;
/// Open orders of an account on average, when there are many: it may have 5,000 on each of spot and futures.
const ORDERS_OF_ACCOUNT: usize = 2_000;
/// Largest distance of resting orders from the middle price, in ticks.
const TICKS: u64 = 1_000;
/// Takers in 100 commands.
const TAKERS: u64 = 15;
const COMMANDS: usize = 400_000;
const RUNS: usize = 5;

fn main() {
    let measuring = env::args().any(|argument| argument == "--bench");
    let chosen: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let number = |name: &str, usual| {
        let mut numbers = env::args().filter_map(|one| one.strip_prefix(name)?.parse().ok());
        numbers.next().unwrap_or(usual)
    };
    let (commands, runs) = if measuring { (COMMANDS, RUNS) } else { (1_000, 1) };
    let (commands, runs) = (number("commands=", commands), number("runs=", runs));
    let counts = |usual: &[usize]| {
        let usual = if measuring { usual.to_vec() } else { vec![100] };
        if chosen.is_empty() { usual } else { chosen.clone() }
    };
    let parts = ["book", "waiting", "markets"];
    let is_named = |part: &str| env::args().any(|argument| argument == part);
    let is_wanted = |part: &str| is_named(part) || !parts.into_iter().any(is_named);
    if is_wanted("book") {
        print_head("one book, with so many open orders");
        for depth in counts(&[1_000, 10_000, 100_000, 1_000_000]) {
            let script = Script::new(depth, commands);
            measure(&script, depth, runs, || Exchange::new(&setup(depth), START_MS));
        }
    }
    if is_wanted("waiting") {
        print_head("one book, with so many orders that wait for a price, and 1,000 open ones");
        for count in counts(&[0, 1_000, 100_000]) {
            let first = waiting::exchange(count);
            // Cancellations name ids, which continue after those of the waiting orders.
            let script = Script::on(first.clone(), 1_000, commands);
            measure(&script, count, runs, || first.clone());
        }
    }
    if is_wanted("markets") {
        print_head("all markets, with so many open orders");
        for depth in counts(&[1_000, 10_000]) {
            let script = markets::Script::new(depth, commands);
            let last = measure(&script, depth, runs, || markets::exchange(depth));
            if measuring {
                markets::check(&last);
            }
        }
    }
}

/// Commands that are ready to be applied: first those that fill the books, then those that are measured.
trait Commands {
    /// Fills the books.
    fn fill(&self, exchange: &mut Exchange);
    /// Applies the commands that are measured.
    fn mix(&self, exchange: &mut Exchange);
    /// How many are measured.
    fn count(&self) -> usize;
}

fn print_head(title: &str) {
    println!("{title}");
    println!("   count   ns wall    ns cpu  commands/s (cpu)  bytes/order  ledger");
}

/// Measures a script and prints a row. Returns the exchange after the last run.
fn measure(
    script: &impl Commands,
    count: usize,
    runs: usize,
    new_exchange: impl Fn() -> Exchange,
) -> Exchange {
    let mut last = new_exchange();
    let (mut wall, mut cpu, mut bytes, mut hash) = (Duration::MAX, Duration::MAX, 0, 0);
    for run in 0..runs {
        let mut exchange = new_exchange();
        let before = resident();
        script.fill(&mut exchange);
        if run == 0 {
            bytes = resident().saturating_sub(before) / count.max(1);
        }
        let (start, busy) = (Instant::now(), processor_time());
        script.mix(&mut exchange);
        wall = wall.min(start.elapsed());
        cpu = cpu.min(processor_time().saturating_sub(busy));
        hash = digest(&exchange);
        last = exchange;
    }
    let commands = script.count() as u128;
    let rate = commands * 1_000_000_000 / cpu.as_nanos().max(1);
    let (wall, cpu) = (wall.as_nanos() / commands, cpu.as_nanos() / commands);
    println!("{count:>8} {wall:>9} {cpu:>9} {rate:>17} {bytes:>12}  {hash:016x}");
    last
}

/// The number of accounts for so many open orders.
fn accounts(depth: usize) -> u32 {
    u32::try_from(ACCOUNTS.max(depth / ORDERS_OF_ACCOUNT)).unwrap_or(u32::MAX)
}

fn setup(depth: usize) -> Setup {
    let balance = Decimal::from(1_000_000_000_000_u64);
    let setup = Setup::new()
        .without_market_maker()
        .pairs([SpotPair::new("BTC", "USDT", 2, 5, Decimal::from(60_000))])
        .contracts([])
        .spot_balance("USDT", balance)
        .spot_balance("BTC", balance);
    let setup = Setup { history_limit: 1_000, ..setup };
    (1..=accounts(depth)).map(AccountId).fold(setup, Setup::account)
}

/// A compact command.
#[derive(Debug, Clone, Copy)]
enum Step {
    Place { account: AccountId, buy: bool, ticks: i64, lots: i64 },
    Cancel { account: AccountId, id: OrderId },
}

impl Step {
    fn command(self) -> Command {
        let (account, request) = match self {
            Self::Place { account, buy, ticks, lots } => {
                let order = NewSpotOrder {
                    symbol: "BTC_USDT".into(),
                    margin: false,
                    side: if buy { Side::Buy } else { Side::Sell },
                    kind: SpotOrderType::Limit,
                    client_order_id: None,
                    self_trade_prevention: None,
                    size: Decimal::new(lots, 5),
                    price: Decimal::new(6_000_000 + ticks, 2),
                    notional: Decimal::ZERO,
                };
                (account, SpotRequest::Place(order))
            }
            Self::Cancel { account, id } => (account, SpotRequest::Cancel(id)),
        };
        Command::Customer { account, request: request.into() }
    }
}

/// Runs a step. A thousand commands arrive in a millisecond.
fn run(exchange: &mut Exchange, step: Step, number: u64) -> Option<Outcome> {
    let outcome = exchange.apply(step.command(), START_MS + number / 1_000);
    black_box(exchange.take_events());
    outcome.ok()
}

#[inline(never)]
fn run_all(exchange: &mut Exchange, steps: &[Step], first: u64) {
    for (step, number) in steps.iter().zip(first..) {
        run(exchange, *step, number);
    }
}

/// Commands that fill the book, and the measured mix.
struct Script {
    fill: Vec<Step>,
    mix: Vec<Step>,
}

impl Commands for Script {
    fn fill(&self, exchange: &mut Exchange) {
        run_all(exchange, &self.fill, 0);
    }

    fn mix(&self, exchange: &mut Exchange) {
        run_all(exchange, &self.mix, self.fill.len() as u64);
    }

    fn count(&self) -> usize {
        self.mix.len()
    }
}

impl Script {
    fn new(depth: usize, commands: usize) -> Self {
        Self::on(Exchange::new(&setup(depth), START_MS), depth, commands)
    }

    /// The commands for an exchange in this state.
    fn on(mut exchange: Exchange, depth: usize, commands: usize) -> Self {
        let mut random = Random::new(depth);
        let mut script = Self { fill: Vec::new(), mix: Vec::new() };
        let mut placed: Vec<Step> = Vec::new();
        let mut number = 0;
        while script.mix.len() < commands {
            let accounts = exchange.accounts();
            let open: usize = accounts.map(|account| account.spot_orders.open().len()).sum();
            let filling = script.mix.is_empty() && open < depth;
            let step = if !filling && random.below(100) < TAKERS {
                random.order(true)
            } else if !filling && open > depth {
                random.open_order(&mut placed, &exchange)
            } else {
                random.order(false)
            };
            let outcome = run(&mut exchange, step, number);
            number += 1;
            if let (Step::Place { account, .. }, Some(Outcome::Order(id))) = (step, outcome) {
                placed.push(Step::Cancel { account, id });
            }
            if filling { script.fill.push(step) } else { script.mix.push(step) }
        }
        script
    }
}

/// An xorshift generator.
struct Random {
    state: u64,
    accounts: u64,
}

impl Random {
    fn new(depth: usize) -> Self {
        Self { state: 17, accounts: accounts(depth).into() }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 16) % limit
    }

    fn account(&mut self) -> AccountId {
        AccountId(u32::try_from(self.below(self.accounts) + 1).unwrap_or(1))
    }

    fn order(&mut self, takes: bool) -> Step {
        let account = self.account();
        let buy = self.below(2) == 0;
        // A taker reaches through all of the other side: it trades at every number of open orders, also where the
        // takers before it have emptied the best prices.
        let away = if takes { TICKS } else { self.below(TICKS) + 1 };
        let away = i64::try_from(away).unwrap_or(1) * if takes { -1 } else { 1 };
        let ticks = if buy { -away } else { away };
        Step::Place { account, buy, ticks, lots: 10 + i64::try_from(self.below(20)).unwrap_or(0) }
    }

    /// Returns the cancellation of a random open order, which is removed from `placed`.
    fn open_order(&mut self, placed: &mut Vec<Step>, exchange: &Exchange) -> Step {
        loop {
            let at = usize::try_from(self.below(placed.len() as u64)).unwrap_or(0);
            let step = placed.swap_remove(at);
            if let Step::Cancel { id, .. } = step
                && exchange.spot_order(id).is_some_and(|order| order.state.is_open())
            {
                return step;
            }
        }
    }
}

/// FNV-1a over orders, fills, balances and books.
fn digest(exchange: &Exchange) -> u64 {
    let orders = (exchange.fill_rows(), exchange.order_rows(), exchange.balance_rows());
    let text = format!(
        "{orders:?}{:?}{:?}",
        exchange.ledger().books().collect::<Vec<_>>(),
        exchange.book_rows("BTC_USDT")
    );
    let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    text.bytes().fold(0xCBF2_9CE4_8422_2325, mix)
}

/// Time for which this process was on a processor; Linux only.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = text.split_whitespace().next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// Bytes in memory; Linux only.
fn resident() -> usize {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|number| number.parse::<usize>().ok());
    pages.unwrap_or(0) * 4_096
}
