//! Changes and levels over time: by day for short spans, by month or year for longer ones, so that the page and the
//! memory stay small for old accounts.

use std::collections::BTreeMap;

use bitmart::Decimal;
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::plus;
use crate::failure::Failure;

/// Longest span, in days, that is shown by day.
const MAX_DAYS: i32 = 186;
/// Longest span, in months, that is shown by month.
const MAX_MONTHS: i32 = 400;

/// The period that a point of a timeline covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Unit {
    #[default]
    Day,
    Month,
    Year,
}

impl Unit {
    /// The name of the point that contains a day: the day itself, its month or its year.
    fn point(self, day: &str) -> &str {
        let letters = match self {
            Self::Day => 10,
            Self::Month => 7,
            Self::Year => 4,
        };
        day.get(..letters).unwrap_or(day)
    }
}

/// Series of changes and levels, by key. All have the same points: days, months or years.
#[derive(Debug)]
pub(super) struct Timeline<K> {
    unit: Unit,
    /// The first and the last day.
    span: Option<(String, String)>,
    series: BTreeMap<K, LevelSeries>,
}

/// The changes of one key, and levels that were observed.
#[derive(Debug, Default)]
pub(super) struct LevelSeries {
    changes: BTreeMap<String, Decimal>,
    /// The last observed level of each point, with its time.
    observed: BTreeMap<String, (String, Decimal)>,
    /// Number of changes.
    pub(super) count: u64,
    /// Sum of all changes.
    pub(super) sum: Decimal,
}

impl<K> Default for Timeline<K> {
    fn default() -> Self {
        Self { unit: Unit::default(), span: None, series: BTreeMap::new() }
    }
}

impl<K: Ord> Timeline<K> {
    /// Adds a change on a date such as `2026-06-01`.
    pub(super) fn change(&mut self, key: K, day: &str, amount: Decimal) -> Result<(), Failure> {
        self.include(day)?;
        let series = self.series.entry(key).or_default();
        series.count += 1;
        plus(&mut series.sum, amount)?;
        plus(series.changes.entry(self.unit.point(day).to_owned()).or_default(), amount)
    }

    /// Adds a level that was observed at a time such as `2026-06-01T12:30`. Times must not decrease.
    pub(super) fn observe(&mut self, key: K, time: &str, level: Decimal) -> Result<(), Failure> {
        self.include(Unit::Day.point(time))?;
        let observed = &mut self.series.entry(key).or_default().observed;
        observed.insert(self.unit.point(time).to_owned(), (time.to_owned(), level));
        Ok(())
    }

    /// All days, months or years from the first to the last.
    pub(super) fn points(&self) -> Vec<String> {
        let Some((first, last)) = &self.span else { return Vec::new() };
        let (Some(mut at), last) = (begin(self.unit, first), self.unit.point(last)) else {
            return Vec::new();
        };
        let mut points = Vec::new();
        loop {
            let day = at.to_string();
            let point = self.unit.point(&day);
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

    /// The name of a point, as the title of a column.
    pub(super) fn unit(&self) -> &'static str {
        match self.unit {
            Unit::Day => "Day",
            Unit::Month => "Month",
            Unit::Year => "Year",
        }
    }

    pub(super) fn series(&self) -> &BTreeMap<K, LevelSeries> {
        &self.series
    }

    /// Extends the span to a day, and switches to a longer unit if it gets too long.
    fn include(&mut self, day: &str) -> Result<(), Failure> {
        let date = |day: &str| {
            day.parse::<Date>().map_err(|error| Failure::io(format!("{day:?}: {error}")))
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
            _ if days <= MAX_DAYS => Unit::Day,
            _ if days <= MAX_MONTHS * 30 => Unit::Month,
            _ => Unit::Year,
        };
        if unit > self.unit {
            self.unit = unit;
            for series in self.series.values_mut() {
                series.merge_points(unit)?;
            }
        }
        Ok(())
    }
}

/// Returns the first day of the unit that contains a day.
fn begin(unit: Unit, day: &str) -> Option<Date> {
    let date: Date = day.parse().ok()?;
    match unit {
        Unit::Day => Some(date),
        Unit::Month => Some(date.first_of_month()),
        Unit::Year => Some(date.first_of_year()),
    }
}

impl LevelSeries {
    /// Merges the points that are in the same month or year.
    fn merge_points(&mut self, unit: Unit) -> Result<(), Failure> {
        let mut changes: BTreeMap<String, Decimal> = BTreeMap::new();
        for (point, amount) in &self.changes {
            plus(changes.entry(unit.point(point).to_owned()).or_default(), *amount)?;
        }
        self.changes = changes;
        // In the order of time, so that the last level of a point remains.
        let observed = std::mem::take(&mut self.observed).into_values();
        self.observed = observed.map(|level| (unit.point(&level.0).to_owned(), level)).collect();
        Ok(())
    }

    /// The change of each point.
    pub(super) fn changes(&self, points: &[String]) -> Vec<Decimal> {
        points.iter().map(|point| self.changes.get(point).copied().unwrap_or_default()).collect()
    }

    /// The level at the end of each point, if it was `opening` before the first change.
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

    /// The level that was observed in each point, and its time within the point, in thousandths.
    pub(super) fn observed(&self, points: &[String]) -> (Vec<Option<Decimal>>, Vec<u16>) {
        let observed = |point: &String| match self.observed.get(point) {
            Some((time, level)) => (Some(*level), within(point, time)),
            None => (None, 0),
        };
        points.iter().map(observed).unzip()
    }
}

/// Returns the position of a time within its day, month or year, in thousandths.
fn within(point: &str, time: &str) -> u16 {
    let number = |range: std::ops::Range<usize>| -> u32 {
        time.get(range).and_then(|digits| digits.parse().ok()).unwrap_or_default()
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

    use super::Timeline;

    #[test]
    fn switches_from_days_to_months() {
        let mut levels = Timeline::default();
        for day in ["2026-06-29", "2026-07-01"] {
            levels.change("USDT", day, Decimal::ONE).expect("a sum");
        }
        levels.observe("USDT", "2026-07-01T06:00", Decimal::TWO).expect("a level");
        assert_eq!(levels.points(), ["2026-06-29", "2026-06-30", "2026-07-01"]);
        let series = &levels.series()["USDT"];
        let points = levels.points();
        let one = |number: i64| Decimal::from(number);
        assert_eq!(series.levels(&points, one(5)).expect("a sum"), [one(6), one(6), one(7)]);
        assert_eq!(
            series.observed(&points),
            (vec![None, None, Some(Decimal::TWO)], vec![0, 0, 250])
        );
        levels.change("USDT", "2027-01-31", Decimal::ONE).expect("a sum");
        assert_eq!(levels.points().len(), 8, "{:?}", levels.points());
        let changes = levels.series()["USDT"].changes(&levels.points());
        assert_eq!(changes[..2], [one(1), one(1)]);
        assert_eq!(changes[7], one(1));
    }

    proptest! {
        /// For random changes: none is lost, points are few, and the last level is the sum.
        #[test]
        fn keeps_sums_for_any_order_and_unit(
            rows in prop::collection::vec((0_i64..20_000, 0_u8..3, -1_000_000_i64..1_000_000), 1..60),
        ) {
            let mut levels = Timeline::default();
            for (day, coin, amount) in &rows {
                let day = date(1990, 1, 1).saturating_add((*day).days()).to_string();
                levels.change(*coin, &day, Decimal::new(*amount, 4)).expect("a sum");
            }
            let points = levels.points();
            prop_assert!(points.len() <= 403, "{} points", points.len());
            prop_assert!(points.is_sorted());
            for (coin, series) in levels.series() {
                let mine = rows.iter().filter(|(_, other, _)| other == coin);
                let sum: Decimal = mine.clone().map(|(.., amount)| Decimal::new(*amount, 4)).sum();
                prop_assert_eq!(series.changes(&points).into_iter().sum::<Decimal>(), sum);
                prop_assert_eq!(series.sum, sum);
                prop_assert_eq!(series.count, mine.count() as u64);
                let levels = series.levels(&points, Decimal::TEN).expect("a sum");
                prop_assert_eq!(levels.last().copied(), Some(sum + Decimal::TEN));
            }
        }
    }
}
