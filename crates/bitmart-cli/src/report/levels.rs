//! Changes over time: by day as long as there are few days, and by month or year beyond, so that a
//! page and the memory stay small however long the account has been there.

use std::collections::BTreeMap;

use bitmart::Decimal;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::plus;
use crate::failure::Failure;

/// Most days that are told one by one.
const DAYS: i32 = 186;
/// Most months.
const MONTHS: i32 = 400;

/// Letters of a date that are left: of the day, the month or the year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    #[default]
    Day,
    Month,
    Year,
}

impl Unit {
    fn of(self, day: &str) -> &str {
        let letters = match self {
            Self::Day => 10,
            Self::Month => 7,
            Self::Year => 4,
        };
        day.get(..letters).unwrap_or(day)
    }
}

/// Changes and levels of many things, each by the day or month that it is of.
#[derive(Debug)]
pub(super) struct Levels<K> {
    unit: Unit,
    /// The first and the last day that there is something of.
    span: Option<(String, String)>,
    things: BTreeMap<K, Thing>,
}

/// One of them.
#[derive(Debug, Default)]
pub(super) struct Thing {
    changes: BTreeMap<String, Decimal>,
    /// When somebody else said what the level is; the last of each day or month.
    told: BTreeMap<String, (String, Decimal)>,
    /// How many changes there were.
    pub(super) count: u64,
    /// Sum of all changes.
    pub(super) sum: Decimal,
}

impl<K> Default for Levels<K> {
    fn default() -> Self {
        Self { unit: Unit::default(), span: None, things: BTreeMap::new() }
    }
}

impl<K: Ord> Levels<K> {
    /// `day` is a date such as `2026-06-01`.
    pub(super) fn change(&mut self, key: K, day: &str, amount: Decimal) -> Result<(), Failure> {
        self.note(day)?;
        let thing = self.things.entry(key).or_default();
        thing.count += 1;
        plus(&mut thing.sum, amount)?;
        plus(thing.changes.entry(self.unit.of(day).to_owned()).or_default(), amount)
    }

    /// What the level was said to be, at a moment such as `2026-06-01T12:30`. To be given in the
    /// order of time.
    pub(super) fn told(&mut self, key: K, moment: &str, level: Decimal) -> Result<(), Failure> {
        self.note(Unit::Day.of(moment))?;
        let told = &mut self.things.entry(key).or_default().told;
        told.insert(self.unit.of(moment).to_owned(), (moment.to_owned(), level));
        Ok(())
    }

    /// The days, months or years from the first to the last.
    pub(super) fn points(&self) -> Vec<String> {
        let Some((first, last)) = &self.span else { return Vec::new() };
        let (Some(mut at), last) = (begin(self.unit, first), self.unit.of(last)) else {
            return Vec::new();
        };
        let mut points = Vec::new();
        loop {
            let day = at.to_string();
            let point = self.unit.of(&day);
            if point > last {
                return points;
            }
            points.push(point.to_owned());
            let next = match self.unit {
                Unit::Day => at.checked_add(1.day()),
                Unit::Month => at.checked_add(1.month()),
                Unit::Year => at.checked_add(1.year()),
            };
            let Ok(next) = next else { return points };
            at = next;
        }
    }

    /// What a point is: for the head of a column.
    pub(super) fn unit(&self) -> &'static str {
        match self.unit {
            Unit::Day => "Day",
            Unit::Month => "Month",
            Unit::Year => "Year",
        }
    }

    pub(super) fn things(&self) -> &BTreeMap<K, Thing> {
        &self.things
    }

    /// Widens the span, and takes longer units when there are too many.
    fn note(&mut self, day: &str) -> Result<(), Failure> {
        let date = |day: &str| {
            day.parse::<Date>().map_err(|error| Failure::machine(format!("{day:?}: {error}")))
        };
        let (first, last) = match &self.span {
            Some((first, last)) if first.as_str() <= day && day <= last.as_str() => return Ok(()),
            Some((first, last)) => (first.as_str().min(day), last.as_str().max(day)),
            None => (day, day),
        };
        let (begin, end) = (date(first)?, date(last)?);
        self.span = Some((first.to_owned(), last.to_owned()));
        let days = (end - begin).get_days();
        let unit = match days {
            _ if days <= DAYS => Unit::Day,
            _ if days <= MONTHS * 30 => Unit::Month,
            _ => Unit::Year,
        };
        if unit > self.unit {
            self.unit = unit;
            for thing in self.things.values_mut() {
                thing.coarsen(unit)?;
            }
        }
        Ok(())
    }
}

/// The first day of the unit that a day is in.
fn begin(unit: Unit, day: &str) -> Option<Date> {
    let date: Date = day.parse().ok()?;
    match unit {
        Unit::Day => Some(date),
        Unit::Month => Some(date.first_of_month()),
        Unit::Year => Some(date.first_of_year()),
    }
}

impl Thing {
    fn coarsen(&mut self, unit: Unit) -> Result<(), Failure> {
        let mut changes: BTreeMap<String, Decimal> = BTreeMap::new();
        for (point, amount) in &self.changes {
            plus(changes.entry(unit.of(point).to_owned()).or_default(), *amount)?;
        }
        self.changes = changes;
        // They are in the order of time: the last stays.
        let told = std::mem::take(&mut self.told).into_values();
        self.told = told.map(|told| (unit.of(&told.0).to_owned(), told)).collect();
        Ok(())
    }

    /// The change of each point.
    pub(super) fn changes(&self, points: &[String]) -> Vec<Decimal> {
        points.iter().map(|point| self.changes.get(point).copied().unwrap_or_default()).collect()
    }

    /// The level at the end of each point, when it was `opening` before the first change.
    pub(super) fn levels(
        &self,
        points: &[String],
        opening: Decimal,
    ) -> Result<Vec<Decimal>, Failure> {
        let mut level = opening;
        let mut levels = Vec::with_capacity(points.len());
        for change in self.changes(points) {
            plus(&mut level, change)?;
            levels.push(level);
        }
        Ok(levels)
    }

    /// What was told of each point, and where within it that was, in thousandths.
    pub(super) fn told(&self, points: &[String]) -> (Vec<Option<Decimal>>, Vec<u16>) {
        let told = |point: &String| match self.told.get(point) {
            Some((moment, level)) => (Some(*level), within(point, moment)),
            None => (None, 0),
        };
        points.iter().map(told).unzip()
    }
}

/// Where in a day, month or year a moment is, in thousandths.
fn within(point: &str, moment: &str) -> u16 {
    let number = |range: std::ops::Range<usize>| -> u32 {
        moment.get(range).and_then(|digits| digits.parse().ok()).unwrap_or_default()
    };
    let minutes = number(11..13) * 60 + number(14..16);
    let days = number(8..10).saturating_sub(1);
    let (part, whole) = match point.len() {
        10 => (minutes, 1_440),
        7 => (days * 1_440 + minutes, 31 * 1_440),
        _ => (number(5..7).saturating_sub(1) * 31 + days, 12 * 31),
    };
    u16::try_from(part * 1_000 / whole).unwrap_or(1_000)
}

#[cfg(test)]
mod tests {
    use bitmart::Decimal;
    use jiff::ToSpan as _;
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::Levels;

    #[test]
    fn few_days_are_days_and_many_are_months() {
        let mut levels = Levels::default();
        for day in ["2026-06-29", "2026-07-01"] {
            levels.change("USDT", day, Decimal::ONE).expect("a sum");
        }
        levels.told("USDT", "2026-07-01T06:00", Decimal::TWO).expect("a level");
        assert_eq!(levels.points(), ["2026-06-29", "2026-06-30", "2026-07-01"]);
        let thing = &levels.things()["USDT"];
        let points = levels.points();
        let one = |number: i64| Decimal::from(number);
        assert_eq!(thing.levels(&points, one(5)).expect("a sum"), [one(6), one(6), one(7)]);
        assert_eq!(thing.told(&points), (vec![None, None, Some(Decimal::TWO)], vec![0, 0, 250]));
        levels.change("USDT", "2027-01-31", Decimal::ONE).expect("a sum");
        assert_eq!(levels.points().len(), 8, "{:?}", levels.points());
        let changes = levels.things()["USDT"].changes(&levels.points());
        assert_eq!(changes[..2], [one(1), one(1)]);
        assert_eq!(changes[7], one(1));
    }

    proptest! {
        /// Whatever comes in whatever order: no change is lost, points are few, and the last level
        /// is the sum.
        #[test]
        fn sums_stay_what_they_are(
            rows in prop::collection::vec((0_i64..20_000, 0_u8..3, -1_000_000_i64..1_000_000), 1..60),
        ) {
            let mut levels = Levels::default();
            for (day, coin, amount) in &rows {
                let day = date(1990, 1, 1).saturating_add((*day).days()).to_string();
                levels.change(*coin, &day, Decimal::new(*amount, 4)).expect("a sum");
            }
            let points = levels.points();
            prop_assert!(points.len() <= 403, "{} points", points.len());
            prop_assert!(points.is_sorted());
            for (coin, thing) in levels.things() {
                let mine = rows.iter().filter(|(_, other, _)| other == coin);
                let sum: Decimal = mine.clone().map(|(.., amount)| Decimal::new(*amount, 4)).sum();
                prop_assert_eq!(thing.changes(&points).into_iter().sum::<Decimal>(), sum);
                prop_assert_eq!(thing.sum, sum);
                prop_assert_eq!(thing.count, mine.count() as u64);
                let levels = thing.levels(&points, Decimal::TEN).expect("a sum");
                prop_assert_eq!(levels.last().copied(), Some(sum + Decimal::TEN));
            }
        }
    }
}
