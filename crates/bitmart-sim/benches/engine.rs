//! The cost of a command on one core and one spot book, and how it depends on the number of open orders.
//!
//! The mix, in random order from a fixed seed: 15 of 100 commands are limit orders that match at once (mostly
//! one or two trades, the remainder rests), the others keep the number of open orders where it is: about as
//! many limit orders that rest, at a random price within 1,000 ticks of the middle, as cancellations of a
//! random open order and trades together take away. Eight accounts; every command takes its events. The
//! commands are generated before the measurement.
//!
//! The best wall time and processor time of several runs count. `cargo bench` measures; a list of numbers
//! after `--` replaces the numbers of open orders. The last column is a hash of the ledger, which changes only
//! with the rules.

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
const ACCOUNTS: u64 = 8;
/// Largest distance of resting orders from the middle price, in ticks.
const TICKS: u64 = 1_000;
/// Takers in 100 commands.
const TAKERS: u64 = 15;
const COMMANDS: usize = 400_000;
const RUNS: usize = 5;

fn main() {
    let measuring = env::args().any(|argument| argument == "--bench");
    let chosen: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (depths, commands, runs) = match (measuring, chosen.is_empty()) {
        (false, _) => (vec![100], 1_000, 1),
        (true, true) => (vec![1_000, 10_000, 100_000, 1_000_000], COMMANDS, RUNS),
        (true, false) => (chosen, COMMANDS, RUNS),
    };
    println!("    open   ns wall    ns cpu  commands/s (cpu)  bytes/order  ledger");
    for depth in depths {
        measure(depth, commands, runs);
    }
}

fn measure(depth: usize, commands: usize, runs: usize) {
    let script = Script::new(depth, commands);
    let (mut wall, mut cpu, mut bytes, mut hash) = (Duration::MAX, Duration::MAX, 0, 0);
    for run in 0..runs {
        let mut exchange = Exchange::new(&setup(), START_MS);
        let before = resident();
        let filled = run_all(&mut exchange, &script.fill, 0);
        if run == 0 {
            bytes = resident().saturating_sub(before) / depth;
        }
        let (start, busy) = (Instant::now(), processor_time());
        run_all(&mut exchange, &script.mix, filled);
        wall = wall.min(start.elapsed());
        cpu = cpu.min(processor_time().saturating_sub(busy));
        hash = digest(&exchange);
    }
    let each = |time: Duration| time.as_nanos() / commands as u128;
    let rate = commands as u128 * 1_000_000_000 / cpu.as_nanos().max(1);
    let (wall, cpu) = (each(wall), each(cpu));
    println!("{depth:>8} {wall:>9} {cpu:>9} {rate:>17} {bytes:>12}  {hash:016x}");
}

fn setup() -> Setup {
    let balance = Decimal::from(1_000_000_000_000_u64);
    let setup = Setup::new()
        .without_market_maker()
        .pairs([SpotPair::new("BTC", "USDT", 2, 5, Decimal::from(60_000))])
        .contracts([])
        .spot_balance("USDT", balance)
        .spot_balance("BTC", balance);
    (1..=ACCOUNTS).filter_map(|id| u32::try_from(id).ok()).fold(setup, |setup, id| {
        let setup = setup.account(AccountId(id));
        Setup { history_limit: 1_000, ..setup }
    })
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
                    client_id: None,
                    stp: None,
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
fn run_all(exchange: &mut Exchange, steps: &[Step], first: u64) -> u64 {
    for (step, number) in steps.iter().zip(first..) {
        run(exchange, *step, number);
    }
    first + steps.len() as u64
}

/// Commands that fill the book, and the measured mix.
struct Script {
    fill: Vec<Step>,
    mix: Vec<Step>,
}

impl Script {
    fn new(depth: usize, commands: usize) -> Self {
        let (mut random, mut exchange) = (Random(17), Exchange::new(&setup(), START_MS));
        let mut script = Self { fill: Vec::new(), mix: Vec::new() };
        let mut placed: Vec<Step> = Vec::new();
        let mut number = 0;
        while script.mix.len() < commands {
            let accounts = exchange.accounts.values();
            let open: usize = accounts.map(|account| account.spot_orders.open.len()).sum();
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
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }

    fn order(&mut self, takes: bool) -> Step {
        let account = AccountId(u32::try_from(self.below(ACCOUNTS) + 1).unwrap_or(1));
        let buy = self.below(2) == 0;
        // A taker reaches 50 ticks into the other side.
        let away = if takes { -50 } else { i64::try_from(self.below(TICKS) + 1).unwrap_or(1) };
        let ticks = if buy { -away } else { away };
        Step::Place { account, buy, ticks, lots: 10 + i64::try_from(self.below(20)).unwrap_or(0) }
    }

    /// Returns the cancellation of a random open order, which is removed from `placed`.
    fn open_order(&mut self, placed: &mut Vec<Step>, exchange: &Exchange) -> Step {
        loop {
            let at = usize::try_from(self.below(placed.len() as u64)).unwrap_or(0);
            let step = placed.swap_remove(at);
            if let Step::Cancel { id, .. } = step
                && exchange.spot_orders.get(&id).is_some_and(|order| order.state.is_open())
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
