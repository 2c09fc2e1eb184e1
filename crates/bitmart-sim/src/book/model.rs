//! A property test: the book and a plain list of orders give the same results for the same operations.

use proptest::prelude::*;

use super::{matching::MatchResult, stored::StoredBook, *};

/// A resting order of the model.
#[derive(Debug, Clone, Copy)]
struct Row {
    side: Side,
    price: Decimal,
    id: OrderId,
    account: AccountId,
    open: Decimal,
}

/// All resting orders, in order of arrival.
#[derive(Debug, Clone, Default)]
struct Model(Vec<Row>);

impl Model {
    /// Returns the orders with which one of `side` would trade, best price first and oldest first.
    fn opposite(&self, side: Side, limit: Option<Decimal>) -> Vec<Row> {
        let mut rows = self.best_first(side.opposite());
        rows.retain(|row| reaches(side, row.price, limit));
        rows
    }

    fn best_first(&self, side: Side) -> Vec<Row> {
        let mut rows: Vec<Row> = self.0.iter().filter(|row| row.side == side).copied().collect();
        // The sort is stable, so that older orders stay first.
        rows.sort_by(|one, two| match side {
            Side::Buy => two.price.cmp(&one.price),
            Side::Sell => one.price.cmp(&two.price),
        });
        rows
    }

    fn levels(&self, side: Side) -> Vec<(Decimal, Decimal)> {
        let mut levels: Vec<(Decimal, Decimal)> = Vec::new();
        for row in self.best_first(side) {
            match levels.last_mut() {
                Some(level) if level.0 == row.price => level.1 += row.open,
                _ => levels.push((row.price, row.open)),
            }
        }
        levels
    }

    fn remove(&mut self, id: OrderId) -> bool {
        let before = self.0.len();
        self.0.retain(|row| row.id != id);
        self.0.len() < before
    }

    fn take(&mut self, taker: &Taker) -> MatchResult {
        let mut left = match taker.quantity {
            Quantity::Size(size) => size,
            Quantity::Notional { amount, .. } => amount,
        };
        let mut result = MatchResult::default();
        for row in self.opposite(taker.side, taker.limit) {
            let wanted = match taker.quantity {
                Quantity::Size(_) => left,
                Quantity::Notional { lot, .. } => whole_lots(left / row.price, lot),
            };
            if wanted <= Decimal::ZERO {
                break;
            }
            if row.account == taker.account && taker.policy != SelfTradePrevention::Off {
                result.stopped = taker.policy != SelfTradePrevention::CancelMaker;
                if taker.policy != SelfTradePrevention::CancelTaker {
                    result.removed.push(row.id);
                    self.remove(row.id);
                }
                if result.stopped {
                    break;
                }
                continue;
            }
            let size = wanted.min(row.open);
            result.matches.push(Match { maker: row.id, price: row.price, size });
            left -= match taker.quantity {
                Quantity::Size(_) => size,
                Quantity::Notional { .. } => size * row.price,
            };
            if size < row.open {
                // The rest of the amount is less than a lot at this price.
                if let Some(resting) = self.0.iter_mut().find(|one| one.id == row.id) {
                    resting.open -= size;
                }
                break;
            }
            self.remove(row.id);
        }
        result.unmatched = left;
        result
    }

    fn matching_orders(&self, taker: &Taker) -> Vec<(OrderId, Decimal)> {
        let mut matching = Vec::new();
        for row in self.opposite(taker.side, taker.limit) {
            if row.account == taker.account && taker.policy != SelfTradePrevention::Off {
                if taker.policy == SelfTradePrevention::CancelMaker {
                    continue;
                }
                break;
            }
            matching.push((row.id, row.open));
        }
        matching
    }

    fn highest_match_price(&self, taker: &Taker, size: Decimal) -> Option<Decimal> {
        let (mut left, mut highest) = (size, None);
        for row in self.opposite(taker.side, taker.limit) {
            if row.account != taker.account && left > Decimal::ZERO {
                highest = highest.max(Some(row.price));
                left -= row.open;
            }
        }
        highest
    }
}

#[derive(Debug, Clone)]
struct Taker {
    side: Side,
    limit: Option<Decimal>,
    quantity: Quantity,
    account: AccountId,
    policy: SelfTradePrevention,
}

#[derive(Debug, Clone)]
enum Action {
    Rest {
        side: Side,
        price: Decimal,
        account: AccountId,
        open: Decimal,
    },
    /// The order with this number, if it is still in the book.
    Remove(u64),
    Take(Taker),
    /// Serialize and deserialize the book.
    Restore,
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

/// A small range of prices with different numbers of decimals: 1 equals 1.00.
fn price() -> impl Strategy<Value = Decimal> {
    (90_i64..110, any::<bool>()).prop_map(|(units, is_padded)| {
        if is_padded { Decimal::new(units * 100, 3) } else { Decimal::new(units, 1) }
    })
}

fn account() -> impl Strategy<Value = AccountId> {
    (1_u32..4).prop_map(AccountId)
}

fn size() -> impl Strategy<Value = Decimal> {
    (1_i64..50).prop_map(|lots| Decimal::new(lots, 1))
}

fn taker() -> impl Strategy<Value = Taker> {
    let quantity = prop_oneof![
        size().prop_map(Quantity::Size),
        (1_i64..500).prop_map(|units| Quantity::Notional {
            amount: Decimal::from(units),
            lot: Decimal::new(1, 1)
        }),
    ];
    let policy = prop_oneof![
        Just(SelfTradePrevention::Off),
        Just(SelfTradePrevention::CancelMaker),
        Just(SelfTradePrevention::CancelTaker),
        Just(SelfTradePrevention::CancelBoth),
    ];
    (side(), proptest::option::of(price()), quantity, account(), policy).prop_map(
        |(side, limit, quantity, account, policy)| Taker { side, limit, quantity, account, policy },
    )
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        8 => (side(), price(), account(), size())
            .prop_map(|(side, price, account, open)| Action::Rest { side, price, account, open }),
        4 => (0_u64..200).prop_map(Action::Remove),
        4 => taker().prop_map(Action::Take),
        1 => Just(Action::Restore),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn book_and_list_give_the_same_results(actions in proptest::collection::vec(action(), 1..200)) {
        let (mut book, mut model) = (Book::default(), Model::default());
        for (at, action) in (0_u64..).zip(actions) {
            match action {
                Action::Rest { side, price, account, open } => {
                    let id = OrderId(at);
                    book.rest(side, price, id, account, open);
                    model.0.push(Row { side, price, id, account, open });
                }
                Action::Remove(id) => {
                    let id = OrderId(id);
                    prop_assert_eq!(book.remove(id), model.remove(id));
                }
                Action::Take(taker) => {
                    let Taker { side, limit, quantity, account, policy } = taker;
                    let matching: Vec<_> = book.matching_orders(side, limit, account, policy).collect();
                    prop_assert_eq!(matching, model.matching_orders(&taker));
                    if let Quantity::Size(size) = quantity {
                        let highest = book.highest_match_price(side, limit, size, account);
                        prop_assert_eq!(highest, model.highest_match_price(&taker, size));
                    }
                    let result = book.take(side, limit, quantity, account, policy);
                    prop_assert_eq!(result, model.take(&taker));
                }
                Action::Restore => {
                    let stored = StoredBook::of(&book);
                    let text = format!("{stored:?}");
                    book = Book::from(stored);
                    prop_assert_eq!(format!("{:?}", StoredBook::of(&book)), text);
                }
            }
            for side in [Side::Buy, Side::Sell] {
                prop_assert_eq!(book.levels(side, usize::MAX), model.levels(side));
            }
            prop_assert_eq!(book.places.len(), model.0.len());
        }
    }
}
