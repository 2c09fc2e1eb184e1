//! All 20 pairs and 10 contracts of the default setup, with margin orders and trigger orders. There is no market maker:
//! only the commands of customers are measured.
//!
//! Of 100 commands 50 are about spot orders, 15 about margin orders of two pairs in which every account has a loan, 25
//! about futures orders (every tenth of them with a take-profit and a stop-loss), and 10 about trigger orders: algo
//! orders, plan orders and trailing orders near the price, some of which it reaches. 15 of 100 orders match at once.
//! The other commands cancel an order when enough are open, and place one when not. 10,000 commands arrive in a
//! second, so that mark prices are sampled and positions are checked.

use bitmart_sim::{
    AccountId, Command, Contract, Decimal, Exchange, FuturesRequest, OrderId, Outcome, Request,
    Setup, SpotPair, SpotRequest, WalletRequest,
    account::WalletKind,
    book::{SelfTradePrevention, Side},
    futures_order::{FuturesSide, MarginType, NewFuturesOrder, OrderMode},
    margin::{MarginTransfer, PairAmount},
    position::PositionSide,
    spot_order::NewSpotOrder,
    trigger::{
        Algo, AlgoKind, Condition, Direction, NewAlgo, NewPlan, Plan, PlanKind, Preset,
        PresetPrice, PriceType, Trail, Trigger, TriggerState,
    },
};

use super::{Commands, Random, START_MS, TAKERS, accounts};

/// Largest distance of resting orders from the start price, in parts of ten thousand.
const REACH: u64 = 100;
/// About so many trigger orders wait.
const WAITING: usize = 800;
const MARGIN_PAIRS: [&str; 2] = ["BTC_USDT", "ETH_USDT"];

pub(crate) fn exchange(depth: usize) -> Exchange {
    let balance = Decimal::from(1_000_000_000);
    let setup = Setup::new().without_market_maker();
    let setup = SpotPair::listed()
        .iter()
        .fold(setup, |setup, pair| setup.spot_balance(&pair.base, balance * Decimal::from(1_000)));
    let setup = setup.spot_balance("USDT", balance).futures_balance("USDT", balance);
    let setup = Setup { history_limit: 1_000, ..setup };
    let setup = (1..=accounts(depth)).map(AccountId).fold(setup, Setup::account);
    Exchange::new(&setup, START_MS)
}

/// An account and its request.
type Step = (AccountId, Request);

pub(crate) struct Script {
    fill: Vec<Step>,
    mix: Vec<Step>,
}

impl Commands for Script {
    fn fill(&self, exchange: &mut Exchange) {
        run_all(exchange, &self.fill, 0);
    }

    fn mix(&self, exchange: &mut Exchange) {
        run_all(exchange, &self.mix, self.fill.len());
    }

    fn count(&self) -> usize {
        self.mix.len()
    }
}

/// Runs a step. Ten commands arrive in a millisecond.
fn run(exchange: &mut Exchange, (account, request): Step, number: usize) -> Option<Outcome> {
    let now_ms = START_MS + number as u64 / 10;
    let outcome = exchange.apply(Command::Customer { account, request }, now_ms);
    std::hint::black_box(exchange.take_events());
    outcome.ok()
}

#[inline(never)]
fn run_all(exchange: &mut Exchange, steps: &[Step], first: usize) {
    for (step, number) in steps.iter().zip(first..) {
        run(exchange, step.clone(), number);
    }
}

impl Script {
    pub(crate) fn new(depth: usize, commands: usize) -> Self {
        let (mut exchange, mut generator) = (exchange(depth), Generator::new(depth));
        let mut script = Self { fill: Vec::new(), mix: Vec::new() };
        for step in loans(depth) {
            run(&mut exchange, step.clone(), script.fill.len()).expect("accepted");
            script.fill.push(step);
        }
        // Before the mix, about as many commands as make the books full.
        while script.mix.len() < commands {
            let (kind, step) = generator.next(&exchange, depth);
            let filling = script.fill.len() < depth * 3;
            let steps = if filling { &mut script.fill } else { &mut script.mix };
            steps.push(step.clone());
            let number = script.fill.len() + script.mix.len() - 1;
            if let Some(Outcome::Order(id)) = run(&mut exchange, step.clone(), number) {
                generator.placed[kind as usize].push((step.0, id));
            }
        }
        script
    }
}

/// Every account moves money into its margin accounts, and borrows.
fn loans(depth: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for account in (1..=accounts(depth)).map(AccountId) {
        for symbol in MARGIN_PAIRS {
            let sum = |currency: &str, amount: u32| PairAmount {
                symbol: symbol.into(),
                currency: currency.into(),
                amount: amount.into(),
            };
            let base = symbol.trim_end_matches("_USDT");
            for sum in [sum(base, 10_000), sum("USDT", 10_000_000)] {
                let request = WalletRequest::TransferMargin { sum, direction: MarginTransfer::In };
                steps.push((account, request.into()));
            }
            steps.push((account, WalletRequest::Borrow(sum("USDT", 1_000)).into()));
        }
    }
    steps
}

/// What an order is: an index of [`Generator::placed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OrderKind {
    Spot,
    Margin,
    Futures,
    Algo,
    Plan,
}

/// Generates commands.
struct Generator {
    random: Random,
    pairs: Vec<SpotPair>,
    contracts: Vec<Contract>,
    /// The orders that may still be open, by kind.
    placed: [Vec<(AccountId, OrderId)>; 5],
}

impl Generator {
    fn new(depth: usize) -> Self {
        let (pairs, contracts) = (SpotPair::listed(), Contract::listed());
        Self { random: Random::new(depth), pairs, contracts, placed: Default::default() }
    }

    /// Returns the next command, and the kind of its order.
    fn next(&mut self, exchange: &Exchange, depth: usize) -> (OrderKind, Step) {
        let account = self.random.account();
        let takes = self.random.below(100) < TAKERS;
        let (kind, most) = match self.random.below(100) {
            0..50 => (OrderKind::Spot, depth * 50 / 90),
            50..65 => (OrderKind::Margin, depth * 15 / 90),
            65..90 => (OrderKind::Futures, depth * 25 / 90),
            90..95 => (OrderKind::Algo, WAITING / 2),
            _ => (OrderKind::Plan, WAITING / 2),
        };
        let waits = kind == OrderKind::Algo || kind == OrderKind::Plan;
        if (waits || !takes)
            && self.placed[kind as usize].len() > most
            && let Some(step) = self.cancellation(exchange, kind, most)
        {
            return (kind, step);
        }
        let request = match kind {
            OrderKind::Spot => SpotRequest::Place(self.spot_order(false, takes)).into(),
            OrderKind::Margin => SpotRequest::Place(self.spot_order(true, takes)).into(),
            OrderKind::Algo => self.algo().into(),
            OrderKind::Plan => self.plan().into(),
            OrderKind::Futures => self.futures_order(exchange, account, takes).into(),
        };
        (kind, (account, request))
    }

    /// Returns the cancellation of a random order that is still open, or `None` when too few are.
    fn cancellation(&mut self, exchange: &Exchange, kind: OrderKind, most: usize) -> Option<Step> {
        while self.placed[kind as usize].len() > most {
            let at = self.random.below(self.placed[kind as usize].len() as u64);
            let (account, id) = self.placed[kind as usize].swap_remove(usize::try_from(at).ok()?);
            let spot = || exchange.spot_order(id).is_some_and(|one| one.state.is_open());
            let futures = || exchange.futures_order(id).is_some_and(|one| one.open);
            let request: Request = match kind {
                OrderKind::Spot | OrderKind::Margin if spot() => SpotRequest::Cancel(id).into(),
                OrderKind::Futures if futures() => FuturesRequest::Cancel(id).into(),
                OrderKind::Algo
                    if exchange.triggers().spot.get(id).is_some_and(Trigger::is_waiting) =>
                {
                    SpotRequest::CancelTrigger(id).into()
                }
                OrderKind::Plan => {
                    let plan = exchange.triggers().futures.get(id).filter(|one| one.is_waiting());
                    let Some(plan) = plan else { continue };
                    let (symbol, kinds) = (plan.terms.order.symbol.clone(), vec![plan.terms.kind]);
                    FuturesRequest::CancelPlan { symbol, id, kinds }.into()
                }
                _ => continue,
            };
            return Some((account, request));
        }
        None
    }

    /// Returns a price that is so many parts of ten thousand above another one.
    fn price(start: Decimal, decimals: u32, parts: i64) -> Decimal {
        (start + start * Decimal::new(parts, 4)).round_dp(decimals).max(Decimal::new(1, decimals))
    }

    /// Returns a distance from the start price: below it for a buyer whose order rests, above it for one that takes.
    fn distance(&mut self, buys: bool, takes: bool) -> i64 {
        let away = i64::try_from(self.random.below(REACH) + 1).unwrap_or(1);
        let below = if takes { -away / 10 - 1 } else { away };
        if buys { -below } else { below }
    }

    fn spot_order(&mut self, margin: bool, takes: bool) -> NewSpotOrder {
        let count = if margin { MARGIN_PAIRS.len() } else { self.pairs.len() };
        let at = usize::try_from(self.random.below(count as u64)).unwrap_or(0);
        let buys = self.random.below(2) == 0;
        let distance = self.distance(buys, takes);
        let worth = Decimal::from(100 + self.random.below(200));
        let pair = &self.pairs[at];
        let price = Self::price(pair.start_price, pair.price_decimals, distance);
        let size = (worth / pair.start_price).round_dp(pair.size_decimals);
        let size = size.max(Decimal::new(1, pair.size_decimals));
        let side = if buys { Side::Buy } else { Side::Sell };
        NewSpotOrder { margin, ..NewSpotOrder::limit(pair.symbol(), side, size, price) }
    }

    fn algo(&mut self) -> SpotRequest {
        let order = self.spot_order(false, true);
        let pair = self.pairs.iter().find(|pair| order.symbol == pair.symbol()).expect("listed");
        let parts = i64::try_from(self.random.below(2 * REACH)).unwrap_or(0);
        let parts = parts - i64::try_from(REACH).unwrap_or(0);
        let trigger_price = Self::price(pair.start_price, pair.price_decimals, parts);
        let terms = Algo { kind: AlgoKind::Trigger, order };
        SpotRequest::PlaceTrigger(NewAlgo { trigger_price, terms })
    }

    /// Returns an order that closes the opposite position, if there is one, or else opens one; and start price and
    /// decimals of its contract.
    fn new_futures(
        &mut self,
        holds: impl Fn(&str, PositionSide) -> bool,
        takes: bool,
    ) -> (NewFuturesOrder, Decimal, u32) {
        let at = usize::try_from(self.random.below(self.contracts.len() as u64)).unwrap_or(0);
        let buys = self.random.below(2) == 0;
        let distance = self.distance(buys, takes);
        let size = Decimal::from(1 + self.random.below(20));
        let contract = &self.contracts[at];
        let (symbol, start) = (contract.symbol(), contract.start_price);
        let side = match (
            buys,
            holds(&symbol, if buys { PositionSide::Short } else { PositionSide::Long }),
        ) {
            (true, true) => FuturesSide::CloseShort,
            (true, false) => FuturesSide::OpenLong,
            (false, true) => FuturesSide::CloseLong,
            (false, false) => FuturesSide::OpenShort,
        };
        let order = NewFuturesOrder {
            symbol: symbol.into(),
            side,
            price: Some(Self::price(start, contract.price_decimals, distance)),
            size,
            mode: OrderMode::GoodTillCanceled,
            leverage: 10,
            margin_type: MarginType::Cross,
            client_order_id: None,
            self_trade_prevention: SelfTradePrevention::CancelMaker,
        };
        (order, start, contract.price_decimals)
    }

    fn futures_order(
        &mut self,
        exchange: &Exchange,
        account: AccountId,
        takes: bool,
    ) -> FuturesRequest {
        let holds = |symbol: &str, side| {
            let owner = exchange.account(account);
            let position = owner.and_then(|owner| owner.position(&symbol.into(), side));
            position.is_some_and(|one| one.size - one.closing > Decimal::from(20))
        };
        let (order, start, decimals) = self.new_futures(holds, takes);
        let leg = |parts| {
            let price = Self::price(start, decimals, parts);
            Some(PresetPrice { price, price_type: PriceType::Last })
        };
        let preset = if order.side.opens() && self.random.below(10) == 0 {
            let away = if order.side.position_side().is_long() { 300 } else { -300 };
            Preset { take_profit: leg(away), stop_loss: leg(-away) }
        } else {
            Preset::default()
        };
        FuturesRequest::Place { order, preset }
    }

    /// Returns a plan order; every fifth is a trailing order.
    fn plan(&mut self) -> FuturesRequest {
        let (order, start, decimals) = self.new_futures(|_, _| false, true);
        let trails = self.random.below(5) == 0;
        let rises = order.side == FuturesSide::OpenShort;
        let away = i64::try_from(self.random.below(REACH) + 1).unwrap_or(1);
        let price = Self::price(start, decimals, if rises { away } else { -away });
        let direction = if rises { Direction::Rise } else { Direction::Fall };
        let price_type = if self.random.below(2) == 0 { PriceType::Last } else { PriceType::Mark };
        let condition = if trails {
            let callback_rate = Decimal::new(5, 1);
            Condition::Trail(Trail {
                activation: price,
                callback_rate,
                price_type,
                direction,
                extreme: None,
            })
        } else {
            Condition::Reach { price, direction, price_type }
        };
        let kind = if trails { PlanKind::Trailing } else { PlanKind::Plan };
        let preset = Preset::default();
        let terms = Plan { kind, order, whole_position: false, preset };
        FuturesRequest::PlacePlan(NewPlan { client_order_id: None, condition, terms })
    }
}

/// Checks that the mix did what its description says.
pub(crate) fn check(exchange: &Exchange) {
    let wallets = exchange.wallets(AccountId(1), WalletKind::Futures).count();
    assert!(wallets > 0 && exchange.spot_fills().len() > 0 && exchange.futures_fills().len() > 0);
    assert!(exchange.spot_fills().any(|fill| fill.request.margin), "no margin trade");
    // Of the orders that they became, few are kept.
    let mut plans = exchange.accounts().flat_map(|owner| exchange.triggers().futures.of(owner.id));
    let is_placed = |plan: &Trigger<Plan>| matches!(plan.state, TriggerState::Placed(_));
    assert!(plans.any(is_placed), "no plan was triggered");
}
