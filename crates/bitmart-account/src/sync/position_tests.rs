//! Positions after losses: what a fetch lists, and what the stream sends before and while it runs. The
//! lists of the exchange lag behind by up to H.

use std::collections::BTreeMap;
use std::time::Duration;

use bitmart_types::futures::PositionMode;
use bitmart_types::{Decimal, Timestamp, dec};
use bitmart_ws::ReconnectReason;
use proptest::prelude::*;

use super::{Change, LossCause, Request, Snapshot};
use crate::convert::FlatContract;
use crate::sync::AccountSync;
use crate::{
    AccountEvent, AccountState, Assumptions, Health, MAX_HISTORY_LAG, Market, Position,
    PositionKey, PositionSide,
};

const FUTURES: Market = Market::Futures;
const LONG: PositionSide = PositionSide::Long;
const SHORT: PositionSide = PositionSide::Short;

type Sizes = BTreeMap<PositionSide, u8>;

fn position(
    side: PositionSide,
    size: u8,
    position_mode: Option<PositionMode>,
) -> (PositionKey, Position) {
    let key = PositionKey { symbol: "BTCUSDT".into(), side };
    let (size, entry_price, liquidation_price) = (Decimal::from(size), Some(dec!(5)), None);
    (key, Position { size, entry_price, liquidation_price, position_mode })
}

/// A tracker with one stream, and the positions of the exchange.
struct Harness {
    sync: AccountSync,
    now: Timestamp,
    /// The positions of the exchange since these times, oldest first.
    history: Vec<(Timestamp, Sizes)>,
    /// How far the lists lag behind.
    lag: Duration,
    one_way: bool,
    /// Whether messages contain the position mode.
    sends_mode: bool,
}

impl Harness {
    /// The market is live and has no positions.
    fn new(one_way: bool, sends_mode: bool) -> Self {
        let now = Timestamp::from_millis(0);
        let mut sync = AccountSync::new(AccountState::new(), Assumptions::default());
        sync.set_audit_interval(now, None);
        sync.follow(now, FUTURES);
        assert_eq!(sync.poll_request(now), Some(Request::Open { market: FUTURES }));
        sync.streams_opened(now, FUTURES, 1);
        let history = vec![(now, Sizes::new())];
        let mut harness = Self { sync, now, history, lag: Duration::ZERO, one_way, sends_mode };
        harness.catch_up(|_| {}, |_| {}, |_| {});
        harness
    }

    /// The positions of the exchange.
    fn open(&self) -> Sizes {
        self.history.last().expect("the first entry").1.clone()
    }

    fn mode(&self) -> PositionMode {
        if self.one_way { PositionMode::OneWay } else { PositionMode::Hedge }
    }

    /// The positions that a query returns now.
    fn listed(&self) -> Vec<(PositionKey, Position)> {
        let at = self.now - self.lag;
        let known = self.history.iter().rev().find(|(since, _)| *since <= at);
        let open = known.map(|(_, open)| open.clone()).unwrap_or_default();
        let row = |(side, size)| position(side, size, Some(self.mode()));
        open.into_iter().map(row).collect()
    }

    /// Changes a position at the exchange. Its message is lost.
    fn set_unnoticed(&mut self, side: PositionSide, size: u8) {
        let mut open = self.open();
        if size == 0 {
            open.remove(&side);
        } else {
            if self.one_way {
                open.clear();
            }
            open.insert(side, size);
        }
        self.history.push((self.now, open));
    }

    fn wait(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    fn set(&mut self, side: PositionSide, size: u8) {
        self.set_unnoticed(side, size);
        let (key, position) = position(side, size, self.sends_mode.then(|| self.mode()));
        self.sync.apply(self.now, FUTURES, 0, Change::Position(key, position));
    }

    fn lose(&mut self, lost: impl FnOnce(&mut Self)) {
        let cause = LossCause::Reconnecting(ReconnectReason::Closed { code: None, text: None });
        self.sync.stream_lost(self.now, FUTURES, 0, Some(self.now), cause);
        lost(self);
        self.sync.stream_up(self.now, FUTURES, 0, self.now);
    }

    /// Fetches until the market is live, with messages immediately before each fetch, and before and
    /// after its snapshot is taken.
    fn catch_up(
        &mut self,
        earlier: impl Fn(&mut Self),
        before: impl Fn(&mut Self),
        after: impl Fn(&mut Self),
    ) {
        while self.sync.health(FUTURES) != Some(Health::Live) {
            self.now = self.now.max(self.sync.deadline().expect("a fetch is due"));
            earlier(self);
            let Some(Request::Fetch { id, .. }) = self.sync.poll_request(self.now) else {
                panic!("a fetch")
            };
            before(self);
            let snapshot = Snapshot { positions: Some(self.listed()), ..Snapshot::default() };
            after(self);
            self.sync.fetch_completed(self.now, FUTURES, id, snapshot);
        }
    }

    fn tracked(&self) -> Sizes {
        let size = |size: Decimal| size.to_string().parse().expect("a small size");
        let all = self.sync.state().all_positions();
        all.map(|(key, position)| (key.side, size(position.size))).collect()
    }
}

#[test]
fn a_message_about_one_hedge_position_does_not_keep_the_other_open() {
    for sends_mode in [true, false] {
        let mut harness = Harness::new(false, sends_mode);
        harness.set(LONG, 5);
        harness.set(SHORT, 2);
        harness.lose(|harness| harness.set_unnoticed(LONG, 0));
        harness.catch_up(|_| {}, |_| {}, |harness| harness.set(SHORT, 1));
        assert_eq!(harness.tracked(), Sizes::from([(SHORT, 1)]));
        // The same if the size of the other position changed.
        harness.set(LONG, 5);
        harness.lose(|harness| harness.set_unnoticed(LONG, 3));
        harness.catch_up(|_| {}, |harness| harness.set(SHORT, 2), |_| {});
        assert_eq!(harness.tracked(), Sizes::from([(LONG, 3), (SHORT, 2)]));
    }
}

#[test]
fn a_one_way_position_that_reverses_after_the_snapshot_is_not_restored() {
    let mut harness = Harness::new(true, true);
    harness.set(LONG, 5);
    harness.lose(|_| {});
    harness.catch_up(
        |_| {},
        |harness| harness.set(LONG, 5),
        |harness| {
            harness.set(SHORT, 2);
            harness.set(SHORT, 0);
        },
    );
    assert_eq!(harness.tracked(), Sizes::new());
}

#[test]
fn a_closed_one_way_position_does_not_keep_the_opposite_one_open() {
    let mut harness = Harness::new(true, true);
    harness.set(LONG, 5);
    // The reversal is lost. Only the end of the new position is received.
    harness.lose(|harness| harness.set_unnoticed(SHORT, 2));
    harness.catch_up(|_| {}, |harness| harness.set(SHORT, 0), |_| {});
    assert_eq!(harness.tracked(), Sizes::new());
}

#[test]
fn a_lagging_list_does_not_undo_a_message_before_the_fetch() {
    let mut harness = Harness::new(false, true);
    harness.set(LONG, 5);
    harness.lose(|_| {});
    harness.lag = MAX_HISTORY_LAG;
    // The loss was long ago, so a single fetch is enough.
    harness.wait(2 * MAX_HISTORY_LAG);
    let close_and_open = |harness: &mut Harness| {
        harness.set(LONG, 0);
        harness.set(SHORT, 2);
        harness.wait(MAX_HISTORY_LAG / 2);
    };
    harness.catch_up(close_and_open, |_| {}, |_| {});
    assert_eq!(harness.tracked(), Sizes::from([(SHORT, 2)]));
}

#[test]
fn a_row_with_the_mode_closes_a_position_that_a_message_without_it_reversed() {
    let mut harness = Harness::new(true, false);
    harness.set(LONG, 5);
    harness.lose(|_| {});
    harness.lag = MAX_HISTORY_LAG;
    harness.wait(2 * MAX_HISTORY_LAG);
    harness.set(SHORT, 2);
    assert_eq!(harness.tracked(), Sizes::from([(LONG, 5), (SHORT, 2)]), "no mode is known");
    harness.catch_up(|_| {}, |_| {}, |_| {});
    assert_eq!(harness.tracked(), Sizes::from([(SHORT, 2)]));
}

#[test]
fn a_message_before_a_loss_does_not_hide_the_list_after_it() {
    let mut harness = Harness::new(false, true);
    harness.set(LONG, 5);
    harness.set(SHORT, 5);
    harness.lose(|harness| {
        harness.set_unnoticed(LONG, 0);
        harness.set_unnoticed(SHORT, 2);
    });
    // Less than H after the messages.
    harness.now = harness.sync.deadline().expect("a fetch is due");
    let Some(Request::Fetch { id, .. }) = harness.sync.poll_request(harness.now) else {
        panic!("a fetch")
    };
    let snapshot = Snapshot { positions: Some(harness.listed()), ..Snapshot::default() };
    harness.sync.fetch_completed(harness.now, FUTURES, id, snapshot);
    assert_eq!(harness.tracked(), Sizes::from([(SHORT, 2)]));
}

/// Pause in milliseconds, side and new size.
type Updates = Vec<(u64, bool, u8)>;

fn updates() -> impl Strategy<Value = Updates> {
    let pause = prop_oneof![Just(0), 0..4_000_u64];
    prop::collection::vec((pause, any::<bool>(), 0..3_u8), 0..4)
}

fn set_all(harness: &mut Harness, updates: &Updates, set: fn(&mut Harness, PositionSide, u8)) {
    for (pause, is_long, size) in updates {
        harness.wait(Duration::from_millis(*pause));
        set(harness, if *is_long { LONG } else { SHORT }, *size);
    }
}

proptest! {
    #[test]
    fn positions_of_a_live_market_are_those_of_the_exchange(
        (one_way, sends_mode) in prop_oneof![
            Just((true, true)), Just((false, true)), Just((false, false)),
        ],
        lag in 0..=5_000_u64,
        rounds in prop::collection::vec(
            (updates(), updates(), updates(), updates(), updates()),
            1..4,
        ),
    ) {
        let mut harness = Harness::new(one_way, sends_mode);
        harness.lag = Duration::from_millis(lag);
        for (received, lost, earlier, before, after) in rounds {
            set_all(&mut harness, &received, Harness::set);
            harness.lose(|harness| set_all(harness, &lost, Harness::set_unnoticed));
            harness.catch_up(
                |harness| set_all(harness, &earlier, Harness::set),
                |harness| set_all(harness, &before, Harness::set),
                |harness| set_all(harness, &after, Harness::set),
            );
            prop_assert_eq!(harness.tracked(), harness.open());
        }
    }
}

/// The positions after a message that the contract is flat, without a side, and what is malformed.
fn after_flat(
    stored: &[(PositionSide, Option<PositionMode>)],
    position_mode: Option<PositionMode>,
) -> (usize, usize, Option<Health>) {
    let mut harness = Harness::new(true, true);
    for (side, mode) in stored {
        let (key, position) = position(*side, 3, mode.clone());
        harness.sync.apply(harness.now, FUTURES, 0, Change::Position(key, position));
    }
    while harness.sync.poll_event().is_some() {}
    let flat = FlatContract { symbol: "BTCUSDT".into(), position_mode };
    harness.sync.apply_flat(harness.now, FUTURES, 0, flat);
    let events = std::iter::from_fn(|| harness.sync.poll_event());
    let malformed = events.filter(|event| matches!(event, AccountEvent::Malformed { .. })).count();
    let open = harness.sync.state().all_positions().count();
    (open, malformed, harness.sync.health(FUTURES))
}

#[test]
fn a_flat_position_without_a_side_closes_only_what_is_certain() {
    let (one_way, hedge) = (Some(PositionMode::OneWay), Some(PositionMode::Hedge));
    let live = Some(Health::Live);
    assert_eq!(after_flat(&[], None), (0, 0, live), "nothing is stored");
    assert_eq!(after_flat(&[(SHORT, None)], one_way.clone()), (0, 0, live), "the message says it");
    assert_eq!(after_flat(&[(LONG, one_way)], None), (0, 0, live), "the stored position says it");
    for stored in
        [vec![(LONG, hedge.clone())], vec![(LONG, hedge), (SHORT, None)], vec![(LONG, None)]]
    {
        let (open, malformed, health) = after_flat(&stored, None);
        assert_eq!((open, malformed), (stored.len(), 1), "it may be the other side: {stored:?}");
        assert_ne!(health, live, "the positions are fetched");
    }
}
