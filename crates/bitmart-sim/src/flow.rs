//! The order-flow model of one market: where its price goes, how wide and deep its book is, when
//! market orders arrive and how large they are.
//!
//! - Price: a random walk whose variance follows a GARCH(1,1) recursion, so that calm and wild times
//!   come in clusters. It is pulled back to its start, weakly, and never gets further than 5 % from it.
//!   A contract follows its spot pair; what it walks by itself is its basis, at most 0.1 %.
//! - Spread: a constant, and half a standard deviation of the next return, on each side.
//! - Depth: the distances between levels and their average sizes grow away from the touch.
//! - Arrivals: a self-exciting (Hawkes) process with exponential decay. Every market order makes
//!   others likelier for a while, more often of its own side, and moves the price a little.
//! - Sizes: a power law with an exponent of 1.7: half as large again is half as likely.
//!
//! All of it is integer arithmetic on one seeded generator: the same on every machine, and the same
//! for a symbol whatever else is listed.

use serde::{Deserialize, Serialize};

use super::{book::Side, rng::Rng};

/// Prices, returns and distances are counted in billionths of the start price.
pub(super) const WHOLE: i64 = 1_000_000_000;
/// Standard deviation of a return over one beat in calm times: 60 % a year.
const CALM: u64 = 34_000;
/// Most that the standard deviation grows to, in multiples of the calm one.
const WILD: u64 = 8;
/// Of 256 parts of the next variance, so many come from the present one and from the latest squared
/// return; the rest is calm. Half of a shock is gone after 18 s.
const KEPT: u64 = 252;
const TAKEN: u64 = 3;

/// How one market's price is bound to its start, or to the market that it follows.
#[derive(Debug, Clone, Copy)]
struct Tether {
    /// The part of the distance that is taken back on every beat is one in so many.
    pull: i64,
    reach: i64,
}

const START: Tether = Tether { pull: 1 << 17, reach: WHOLE / 20 };
const LEADER: Tether = Tether { pull: 1 << 10, reach: WHOLE / 1_000 };
/// Standard deviation of the basis over one beat.
const BASIS: i64 = 3_000;

/// Each side of the spread, without its part that follows volatility.
const HALF_SPREAD: i64 = 30_000;

/// Intensities are market orders per beat, in 65,536ths.
const UNIT: u64 = 1 << 16;
/// Without excitement: 0.6 a second.
const QUIET: u64 = 4_000;
/// What one order adds: over time it brings about 0.66 others.
const EXCITEMENT: u64 = 2_700;
/// One part in so many of the excitement is gone after a beat.
const DECAY: u64 = 16;
/// Most orders of one beat.
const ARRIVALS: u64 = 8;
/// A market order is of the same side as the one before in so many cases of 100.
const SAME_SIDE: u64 = 60;
/// A market order moves the price by one standard deviation divided by this.
const IMPACT: i64 = 4;

/// The state of the model.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Flow {
    rng: Rng,
    /// Where the leader is; 0 without one.
    lead: i64,
    /// Where this market is from there.
    own: i64,
    follows: bool,
    /// Of the next return.
    variance: u64,
    intensity: u64,
    side: Side,
}

impl Flow {
    pub(super) fn new(seed: u64, symbol: &str, follows: bool) -> Self {
        // FNV-1a, so that every symbol has its own course.
        let mixed = symbol.bytes().fold(0xCBF2_9CE4_8422_2325 ^ seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Self {
            rng: Rng::new(mixed),
            lead: 0,
            own: 0,
            follows,
            variance: CALM * CALM,
            intensity: QUIET,
            side: Side::Buy,
        }
    }

    /// The distance of the reference price from its start.
    pub(super) fn distance(&self) -> i64 {
        self.lead + self.own
    }

    fn deviation(&self) -> i64 {
        i64::try_from(self.variance.isqrt()).unwrap_or(i64::MAX)
    }

    fn tether(&self) -> Tether {
        if self.follows { LEADER } else { START }
    }

    fn move_by(&mut self, distance: i64) {
        let reach = self.tether().reach;
        self.own = (self.own + distance).clamp(-reach, reach);
    }

    /// Lets `root` squared beats pass in one step.
    pub(super) fn walk(&mut self, root: i64) {
        let deviation = if self.follows { BASIS } else { self.deviation() };
        let one = deviation * self.normal() / NORMAL;
        if !self.follows {
            let squared = one.unsigned_abs().pow(2);
            let calm = CALM * CALM;
            let next = self.variance * KEPT + squared * TAKEN + calm * (256 - KEPT - TAKEN);
            self.variance = (next / 256).min(calm * WILD * WILD);
        }
        let back = self.own * root * root / self.tether().pull;
        self.move_by(one * root - back);
    }

    /// Goes where the leader is, and is as wild.
    pub(super) fn follow(&mut self, leader: &Self) {
        self.lead = leader.distance();
        self.variance = leader.variance;
    }

    /// Half of the distance between the best bid and the best ask.
    pub(super) fn half_spread(&self) -> i64 {
        HALF_SPREAD + self.deviation() / 2
    }

    /// How many market orders come on this beat.
    pub(super) fn arrivals(&mut self) -> u64 {
        let expected = self.intensity;
        let count = (0..ARRIVALS).filter(|_| self.rng.below(ARRIVALS * UNIT) < expected).count();
        let count = u64::try_from(count).unwrap_or(ARRIVALS);
        let excited = expected.saturating_sub(QUIET);
        self.intensity = QUIET + excited - excited / DECAY + count * EXCITEMENT;
        count
    }

    /// The side of a market order, which moves the price that way.
    pub(super) fn take_side(&mut self) -> Side {
        if !self.rng.chance(SAME_SIDE) {
            self.side = self.side.opposite();
        }
        let impact = self.deviation() / IMPACT;
        self.move_by(if self.side == Side::Buy { impact } else { -impact });
        self.side
    }

    /// A size around `typical`: at least that, and at most 195 times as much.
    pub(super) fn size(&mut self, typical: u64) -> u64 {
        let bits = self.rng.draw();
        let grown = (0..bits.trailing_zeros().min(12)).fold(typical, |size, _| size + size / 2);
        grown + (grown / 2) * (bits >> 48) / UNIT
    }

    /// A number below `bound`, of which low ones are likelier.
    pub(super) fn near(&mut self, bound: u64) -> u64 {
        self.rng.below(bound).min(self.rng.below(bound))
    }

    /// A factor from 1/2 to 3/2, in 1,024ths.
    pub(super) fn jitter(&mut self) -> i64 {
        512 + i64::try_from(self.rng.below(1_024)).unwrap_or(0)
    }

    /// Nearly normal: the sum of four uniform numbers, around 0.
    fn normal(&mut self) -> i64 {
        let bits = self.rng.draw().to_le_bytes();
        let sum: i64 =
            bits.chunks_exact(2).map(|two| i64::from(u16::from_le_bytes([two[0], two[1]]))).sum();
        sum - 2 * i64::from(u16::MAX)
    }
}

/// The standard deviation of `normal`.
const NORMAL: i64 = 37_837;
