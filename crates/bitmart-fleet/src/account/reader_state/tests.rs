//! A publisher that is taken over, and a network that loses and repeats messages.

use std::collections::BTreeSet;

use bitmart_account::Market;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const TTL: Duration = Duration::from_secs(1);

fn order(id: u8, progress: &str) -> Order {
    let order = json!({
        "order_id": id.to_string(), "client_order_id": null, "instrument": {"Pair": "BTC_USDT"},
        "side": "buy", "progress": progress, "price": "60000.10", "size": "0.1", "notional": null,
        "filled_size": "0", "filled_notional": null, "create_time": null, "update_time": null,
    });
    serde_json::from_value(order).expect("an order")
}

fn completeness(live: bool) -> Markets {
    let first = Some(Timestamp::from_millis(1));
    vec![(Market::Spot, Completeness { live, complete_until: first, since: first })]
}

/// The account as the publishers know it: all of them track it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Account {
    open: BTreeSet<u8>,
    live: bool,
}

#[derive(Clone, Copy, Debug)]
enum Fate {
    Arrives,
    Repeated,
    Lost,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Open(u8, Fate),
    Finish(u8, Fate),
    Live(bool, Fate),
    /// Another publisher takes the lease.
    TakeOver(Fate),
    /// The publisher before, which does not know that it has lost the lease, still sends.
    Stale(u8),
    /// The reader requests a snapshot. Messages queue until it has arrived.
    Request,
    Arrive,
    Pass(u16),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![6 => Just(Fate::Arrives), 1 => Just(Fate::Repeated), 1 => Just(Fate::Lost)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..8_u8, fate()).prop_map(|(id, fate)| Step::Open(id, fate)),
        4 => (0..8_u8, fate()).prop_map(|(id, fate)| Step::Finish(id, fate)),
        3 => (any::<bool>(), fate()).prop_map(|(live, fate)| Step::Live(live, fate)),
        1 => fate().prop_map(Step::TakeOver),
        1 => (0..8_u8).prop_map(Step::Stale),
        3 => Just(Step::Request),
        3 => Just(Step::Arrive),
        3 => (0..600_u16).prop_map(Step::Pass),
    ]
}

struct World {
    account: Account,
    term: u64,
    number: u64,
    /// The account before each message of a term.
    history: BTreeMap<(u64, u64), Account>,
    finished: BTreeSet<u8>,
    reader: ReaderState,
    requested: Option<(Snapshot, Instant)>,
    queue: Vec<Message>,
    now: Instant,
    received: Instant,
}

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let mut world = Self {
            account: Account::default(),
            term: 1,
            number: 0,
            history: BTreeMap::new(),
            finished: BTreeSet::new(),
            reader: ReaderState::new(TTL, now),
            requested: None,
            queue: Vec::new(),
            now,
            received: now,
        };
        world.history.insert((1, 0), Account::default());
        world
    }

    fn publish(&mut self, body: Body, fate: Fate) {
        let message = Message { term: self.term, number: self.number, body };
        self.number += 1;
        self.history.insert((self.term, self.number), self.account.clone());
        let copies = match fate {
            Fate::Arrives => 1,
            Fate::Repeated => 2,
            Fate::Lost => return,
        };
        for _ in 0..copies {
            self.deliver(message.clone());
        }
    }

    fn deliver(&mut self, message: Message) {
        if self.requested.is_some() {
            self.queue.push(message);
        } else {
            self.received = self.now;
            self.reader.message(message, self.now);
        }
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            term: self.term,
            next: self.number,
            open: self.account.open.iter().map(|id| order(*id, "Open")).collect(),
            recent: self.finished.iter().map(|id| Update::Order(order(*id, "Canceled"))).collect(),
            balances: Vec::new(),
            positions: Vec::new(),
            markets: completeness(self.account.live),
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Open(id, fate) => {
                if !self.finished.contains(&id) && self.account.open.insert(id) {
                    self.publish(Body::Update(Box::new(Update::Order(order(id, "Open")))), fate);
                }
            }
            Step::Finish(id, fate) => {
                if self.account.open.remove(&id) {
                    self.finished.insert(id);
                    self.publish(
                        Body::Update(Box::new(Update::Order(order(id, "Canceled")))),
                        fate,
                    );
                }
            }
            Step::Live(live, fate) => {
                self.account.live = live;
                self.publish(Body::Completeness(completeness(live)), fate);
            }
            Step::TakeOver(fate) => {
                (self.term, self.number) = (self.term + 1, 0);
                self.history.insert((self.term, 0), self.account.clone());
                self.publish(Body::Completeness(completeness(self.account.live)), fate);
            }
            Step::Stale(id) => {
                let body = Body::Update(Box::new(Update::Order(order(100 + id, "Open"))));
                // It continues its numbers, which the reader may wait for.
                let number = self.reader.next.unwrap_or(0);
                if self.reader.term == self.term && self.requested.is_none() {
                    let message = Message { term: self.term - 1, number, body };
                    self.reader.message(message, self.now);
                }
            }
            Step::Request => {
                if !self.reader.is_synced() && self.requested.is_none() {
                    self.requested = Some((self.snapshot(), self.now));
                }
            }
            Step::Arrive => {
                if let Some((snapshot, at)) = self.requested.take() {
                    if self.reader.snapshot(snapshot, self.term, at, self.now) {
                        self.received = self.received.max(at);
                    }
                    for message in std::mem::take(&mut self.queue) {
                        self.deliver(message);
                    }
                }
            }
            Step::Pass(ms) => {
                self.now += Duration::from_millis(ms.into());
                // A reader that waits for a snapshot is not polled for messages.
                self.reader.check(self.now);
            }
        }
    }

    fn judge(&self) -> Result<(), TestCaseError> {
        if !self.reader.is_live(Market::Spot, self.now) {
            return Ok(());
        }
        prop_assert!(
            self.now.duration_since(self.received) < TTL,
            "live, and nothing was received"
        );
        let next = self.reader.next.expect("synced");
        let expected = &self.history[&(self.reader.term, next)];
        prop_assert!(expected.live, "live, and its publisher is not");
        let open: BTreeSet<u8> = self
            .reader
            .state
            .open_orders(Market::Spot)
            .map(|order| order.order_id.as_str().parse().expect("a number"))
            .collect();
        prop_assert_eq!(&open, &expected.open);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_live_reader_has_the_state_of_its_publisher(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in steps {
            world.step(step);
            world.judge()?;
        }
    }
}

fn synced() -> World {
    let mut world = World::new();
    for step in
        [Step::Open(1, Fate::Arrives), Step::Live(true, Fate::Arrives), Step::Request, Step::Arrive]
    {
        world.step(step);
    }
    assert!(world.reader.is_live(Market::Spot, world.now));
    world
}

fn updates(reader: &mut ReaderState) -> Vec<Update> {
    std::iter::from_fn(|| reader.poll_update()).collect()
}

#[test]
fn a_reader_is_not_live_after_a_lost_message_until_it_has_a_snapshot() {
    let mut world = synced();
    updates(&mut world.reader);
    world.step(Step::Finish(1, Fate::Lost));
    world.step(Step::Live(true, Fate::Arrives));
    let live = |live| Update::Live { market: Market::Spot, live };
    assert_eq!(updates(&mut world.reader), [live(false)]);
    world.step(Step::Live(true, Fate::Arrives));
    assert_eq!(updates(&mut world.reader), []);
    world.step(Step::Request);
    world.step(Step::Arrive);
    let finished = Update::Order(order(1, "Canceled"));
    assert_eq!(updates(&mut world.reader), [finished, live(true)]);
}

#[test]
fn the_snapshot_of_a_publisher_without_the_lease_is_ignored() {
    let mut world = World::new();
    let snapshot = world.snapshot();
    assert!(!world.reader.snapshot(snapshot, 2, world.now, world.now));
    assert!(!world.reader.is_synced());
}

fn spot(live: bool, complete_until: Option<Timestamp>, since: Option<Timestamp>) -> Markets {
    vec![(Market::Spot, Completeness { live, complete_until, since })]
}

/// A publisher may give a snapshot before it has subscribed to anything.
#[test]
fn what_a_publisher_has_missed_is_reported_when_it_knows_since_when() {
    let time = |second: i64| Timestamp::from_millis(second * 1_000);
    let mut world = World::new();
    let mut first = world.snapshot();
    first.markets = spot(true, Some(time(100)), Some(time(0)));
    assert!(world.reader.snapshot(first, 1, world.now, world.now));
    let mut second = world.snapshot();
    (second.term, second.next) = (2, 0);
    second.markets = spot(false, None, None);
    assert!(world.reader.snapshot(second, 2, world.now, world.now));
    assert_eq!(world.reader.complete_until(Market::Spot), Some(time(100)), "it is not taken away");
    updates(&mut world.reader);
    let completeness =
        |number, markets| Message { term: 2, number, body: Body::Completeness(markets) };
    world.reader.message(completeness(0, spot(true, None, None)), world.now);
    assert!(!world.reader.is_live(Market::Spot, world.now), "it does not say since when");
    let markets = spot(true, Some(time(200)), Some(time(150)));
    world.reader.message(completeness(1, markets), world.now);
    assert!(world.reader.is_live(Market::Spot, world.now));
    let missed =
        Update::Missed { market: Market::Spot, from: time(100), until: time(150) + MAX_CLOCK_SKEW };
    assert_eq!(updates(&mut world.reader)[0], missed);
}

#[test]
fn fills_that_no_publisher_has_seen_are_reported_as_missed() {
    let time = |second: i64| Timestamp::from_millis(second * 1_000);
    // Another publisher may have another clock.
    for (term, since, is_missed) in
        [(1, 99, false), (1, 101, true), (2, 90, false), (2, 94, false), (2, 96, true)]
    {
        let mut world = World::new();
        let mut first = world.snapshot();
        first.markets = spot(true, Some(time(100)), Some(time(0)));
        assert!(world.reader.snapshot(first, 1, world.now, world.now));
        let mut second = world.snapshot();
        second.term = term;
        second.markets = spot(true, Some(time(200)), Some(time(since)));
        updates(&mut world.reader);
        assert!(world.reader.snapshot(second, term, world.now, world.now));
        let is_loss =
            |update: &Update| matches!(update, Update::Missed { from, .. } if *from == time(100));
        assert_eq!(updates(&mut world.reader).iter().any(is_loss), is_missed, "{term} {since}");
    }
}

#[test]
fn nothing_is_missed_while_all_messages_arrive_and_the_publisher_forgets_old_ones() {
    let now = Instant::now();
    let at = |millis| Some(Timestamp::from_millis(millis));
    let markets =
        |since| vec![(Market::Spot, Completeness { live: true, complete_until: at(10), since })];
    let mut reader = ReaderState::new(TTL, now);
    let snapshot = Snapshot {
        term: 1,
        next: 0,
        open: Vec::new(),
        recent: Vec::new(),
        balances: Vec::new(),
        positions: Vec::new(),
        markets: markets(at(5)),
    };
    assert!(reader.snapshot(snapshot, 1, now, now));
    for number in 0..3 {
        // Its log is full of updates that are newer than what it is complete until.
        let body = Body::Completeness(markets(at(20)));
        reader.message(Message { term: 1, number, body }, now);
    }
    let updates: Vec<_> = std::iter::from_fn(|| reader.poll_update()).collect();
    assert_eq!(updates, [Update::Live { market: Market::Spot, live: true }]);
}
