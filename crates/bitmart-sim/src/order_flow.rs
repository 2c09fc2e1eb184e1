//! The order-flow model of one market: its price, the spread and depth of its book, times and sizes of market orders.
//!
//! - Price: a random walk whose variance follows a GARCH(1,1) recursion, so that times of high and of low volatility
//!   come in clusters. It reverts weakly to its start, and stays within 5 % of it. A contract follows its spot pair
//!   with a basis of at most 0.1 %.
//! - Spread: a constant, and half a standard deviation of the next return, on each side.
//! - Depth: the distances between levels and their average sizes grow with the distance from the best price.
//! - Arrivals: a self-exciting (Hawkes) process with exponential decay. Every market order makes
//!   others more likely for some time, mostly of the same side, and moves the price a little.
//! - Sizes: a power law with an exponent of 1.7: a size that is 1.5 times as large is half as likely.
//!
//! All of it is integer arithmetic on a seeded generator. The result is the same on every machine, and does not depend
//! on the other markets of the exchange.

use serde::{Deserialize, Serialize};

use super::{book::Side, rng::Rng};

/// Prices, returns and distances are in billionths of the start price.
pub(super) const PRICE_UNIT: i64 = 1_000_000_000;
// Rule: A price is a random walk whose variance follows GARCH(1,1): 60 % a year in calm times, at most eight
// times that. Source: invented (a model)
/// Standard deviation of the return of one step at low volatility, in billionths: 60 % a year.
const CALM_DEVIATION: u64 = 34_000;
/// Largest standard deviation, in multiples of the lowest one.
const MAX_FACTOR: u64 = 8;
/// Weight of the current variance in the next one, in 256ths. Half of a shock is gone after 18 s.
const VARIANCE_WEIGHT: u64 = 252;
/// Weight of the latest squared return, in 256ths; the rest is the weight of the lowest variance.
const RETURN_WEIGHT: u64 = 3;

/// How a price returns to its start, or to the price of the market that it follows.
#[derive(Debug, Clone, Copy)]
struct Reversion {
    /// Each step returns the distance divided by this.
    divisor: i64,
    /// Largest distance, in billionths of the start price.
    max_distance: i64,
}

// Rule: A price stays within 5 % of its start, and a contract within 0.1 % of its pair. Source: invented (a
// model)
const TO_START: Reversion = Reversion { divisor: 1 << 17, max_distance: PRICE_UNIT / 20 };
const TO_LEADER: Reversion = Reversion { divisor: 1 << 10, max_distance: PRICE_UNIT / 1_000 };
/// Standard deviation of the change of the basis in one step, in billionths of the start price.
const BASIS_DEVIATION: i64 = 3_000;

// Rule: The spread is about 0.006 % and grows with the variance. Source: invented (a model)
/// Constant part of half the spread, in billionths of the start price.
const HALF_SPREAD: i64 = 30_000;

/// Intensities are in market orders per step, in 65,536ths.
const INTENSITY_UNIT: u64 = 1 << 16;
// Rule: Market orders are a Hawkes process: 0.6 a second, and each causes about 0.66 others. Source:
// invented (a model)
/// Base intensity: 0.6 orders a second.
const BASE_INTENSITY: u64 = 4_000;
/// What each order adds to the intensity: over time it causes about 0.66 others.
const EXCITEMENT: u64 = 2_700;
/// After each step the excitement is reduced by one part in this number.
const DECAY: u64 = 16;
// Rule: At most 8 market orders arrive in a step. Source: invented (a model)
/// Largest number of market orders in a step.
const MAX_ARRIVALS: u64 = 8;
// Rule: 60 % of market orders have the side of the one before. Source: invented (a model)
/// Probability in percent that a market order has the side of the previous one.
const SAME_SIDE_PERCENT: u64 = 60;
// Rule: A market order moves the price by a quarter of a standard deviation. Source: invented (a model)
/// A market order moves the price by the standard deviation divided by this.
const IMPACT_DIVISOR: i64 = 4;

/// State of the model for one market.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OrderFlow {
    rng: Rng,
    /// Distance of the leader from its start, in billionths of its start price; 0 without a leader.
    lead: i64,
    /// Distance of this market from its leader, or from its start.
    own: i64,
    /// Whether it follows a leader.
    follows: bool,
    /// Variance of the next return, in squared billionths.
    variance: u64,
    /// Expected market orders of the next step, in 65,536ths.
    intensity: u64,
    /// The side of the latest market order.
    side: Side,
}

impl OrderFlow {
    pub(super) fn new(seed: u64, symbol: &str, follows: bool) -> Self {
        Self {
            rng: Rng::new(mix(seed, symbol)),
            lead: 0,
            own: 0,
            follows,
            variance: CALM_DEVIATION * CALM_DEVIATION,
            intensity: BASE_INTENSITY,
            side: Side::Buy,
        }
    }

    /// Whether the model can have reached this state.
    pub(super) fn is_consistent(&self) -> bool {
        let calm = CALM_DEVIATION * CALM_DEVIATION;
        self.own.unsigned_abs() <= self.reversion().max_distance.unsigned_abs()
            && self.lead.unsigned_abs() <= PRICE_UNIT.unsigned_abs()
            && self.variance <= calm * MAX_FACTOR * MAX_FACTOR
            && (BASE_INTENSITY..=BASE_INTENSITY + 2 * MAX_ARRIVALS * EXCITEMENT * DECAY)
                .contains(&self.intensity)
    }

    /// Returns the distance of the reference price from its start.
    pub(super) fn distance(&self) -> i64 {
        self.lead + self.own
    }

    /// Returns the standard deviation of the next return.
    fn deviation(&self) -> i64 {
        i64::try_from(self.variance.isqrt()).unwrap_or(i64::MAX)
    }

    fn reversion(&self) -> Reversion {
        if self.follows { TO_LEADER } else { TO_START }
    }

    /// Moves the price, within its largest distance.
    fn move_by(&mut self, distance: i64) {
        let max = self.reversion().max_distance;
        self.own = (self.own + distance).clamp(-max, max);
    }

    /// Moves the price by several steps at once. `sqrt_steps` is the square root of their number.
    pub(super) fn walk(&mut self, sqrt_steps: i64) {
        let deviation = if self.follows { BASIS_DEVIATION } else { self.deviation() };
        let step_return = deviation * self.normal() / NORMAL_DEVIATION;
        if !self.follows {
            let squared = step_return.unsigned_abs().pow(2);
            let calm = CALM_DEVIATION * CALM_DEVIATION;
            let next = self.variance * VARIANCE_WEIGHT
                + squared * RETURN_WEIGHT
                + calm * (256 - VARIANCE_WEIGHT - RETURN_WEIGHT);
            self.variance = (next / 256).min(calm * MAX_FACTOR * MAX_FACTOR);
        }
        let reversion = self.own * sqrt_steps * sqrt_steps / self.reversion().divisor;
        self.move_by(step_return * sqrt_steps - reversion);
    }

    /// Takes price and variance of the leader.
    pub(super) fn follow(&mut self, leader: &Self) {
        self.lead = leader.distance();
        self.variance = leader.variance;
    }

    /// Returns half of the spread.
    pub(super) fn half_spread(&self) -> i64 {
        HALF_SPREAD + self.deviation() / 2
    }

    /// Returns the number of market orders of this step.
    pub(super) fn arrivals(&mut self) -> u64 {
        let expected = self.intensity;
        let count = (0..MAX_ARRIVALS)
            .filter(|_| self.rng.below(MAX_ARRIVALS * INTENSITY_UNIT) < expected)
            .count();
        let count = u64::try_from(count).unwrap_or(MAX_ARRIVALS);
        let excited = expected.saturating_sub(BASE_INTENSITY);
        self.intensity = BASE_INTENSITY + excited - excited / DECAY + count * EXCITEMENT;
        count
    }

    /// Chooses the side of a market order, and moves the price by its impact.
    pub(super) fn next_side(&mut self) -> Side {
        if !self.rng.chance(SAME_SIDE_PERCENT) {
            self.side = self.side.opposite();
        }
        let impact = self.deviation() / IMPACT_DIVISOR;
        self.move_by(if self.side == Side::Buy { impact } else { -impact });
        self.side
    }

    /// Returns a random size, from `typical` to 195 times as much.
    pub(super) fn size(&mut self, typical: u64) -> u64 {
        let bits = self.rng.next_u64();
        let grown = (0..bits.trailing_zeros().min(12)).fold(typical, |size, _| size + size / 2);
        grown + (grown / 2) * (bits >> 48) / INTENSITY_UNIT
    }

    /// Returns a number below `bound`; low numbers are more likely.
    pub(super) fn near(&mut self, bound: u64) -> u64 {
        self.rng.below(bound).min(self.rng.below(bound))
    }

    /// Returns a factor from 1/2 to 3/2, in 1,024ths.
    pub(super) fn jitter(&mut self) -> i64 {
        512 + i64::try_from(self.rng.below(1_024)).unwrap_or(0)
    }

    /// Approximates a normal distribution around 0 by the sum of four uniform numbers.
    fn normal(&mut self) -> i64 {
        let bits = self.rng.next_u64().to_le_bytes();
        let sum: i64 =
            bits.chunks_exact(2).map(|two| i64::from(u16::from_le_bytes([two[0], two[1]]))).sum();
        sum - 2 * i64::from(u16::MAX)
    }
}

/// Mixes seed and symbol (FNV-1a), so that every symbol has its own price path.
fn mix(seed: u64, symbol: &str) -> u64 {
    symbol.bytes().fold(0xCBF2_9CE4_8422_2325 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// Returns the seed of the price path before the start.
pub(super) fn path_seed(symbol: &str) -> u64 {
    mix(0, symbol)
}

/// The standard deviation of `normal`.
const NORMAL_DEVIATION: i64 = 37_837;
