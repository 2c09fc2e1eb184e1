//! Integer keys of prices.
//!
//! A key is the price times a power of ten, cut to a whole number and to the range of an `i64`. A
//! better price never has a smaller key, whatever the power; so the power decides about speed only.
//! Prices that fit it have keys of their own. Others may share one, and then the decimals decide.

use std::{cmp::Ordering, marker::PhantomData};

use bitmart_types::Decimal;

use super::Direction;

const POWERS: [i64; 19] = {
    let mut powers = [1; 19];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// A price to look for, with its key.
#[derive(Debug)]
pub(super) struct Place<D> {
    key: i64,
    price: Decimal,
    direction: PhantomData<D>,
}

impl<D> Clone for Place<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for Place<D> {}

impl<D: Direction> Place<D> {
    pub(super) fn new(price: Decimal, scale: u32) -> Self {
        let scaled = scaled(price, scale);
        let key = if D::LOWER_IS_BETTER { -scaled } else { scaled };
        Self { key, price, direction: PhantomData }
    }

    pub(super) fn key(self) -> i64 {
        self.key
    }

    /// How another price compares: `Greater` when it is better.
    pub(super) fn compare_to(self, key: i64, price: Decimal) -> Ordering {
        key.cmp(&self.key).then_with(|| D::compare(price, self.price))
    }

    /// The same for a price that has this key.
    pub(super) fn compare_tie(self, price: Decimal) -> Ordering {
        // Nearly always the very same decimal, which is quick to see.
        let same = price.scale() == self.price.scale() && price.mantissa() == self.price.mantissa();
        if same { Ordering::Equal } else { D::compare(price, self.price) }
    }
}

/// The price in units of `10^-scale`, cut. Never `i64::MIN`, so that it can be negated.
fn scaled(price: Decimal, scale: u32) -> i64 {
    let mantissa = price.mantissa();
    let shift = scale.abs_diff(price.scale());
    let power = POWERS.get(shift as usize).copied();
    let (Ok(short), Some(power)) = (i64::try_from(mantissa), power) else {
        return scaled_wide(mantissa, shift, scale > price.scale());
    };
    let scaled = if scale >= price.scale() { short.saturating_mul(power) } else { short / power };
    scaled.max(-i64::MAX)
}

#[cold]
fn scaled_wide(mantissa: i128, shift: u32, up: bool) -> i64 {
    // A decimal has at most 28 places, and 10^28 fits.
    let power = 10_i128.pow(shift);
    let scaled = if up { mantissa.saturating_mul(power) } else { mantissa / power };
    let limit = i128::from(i64::MAX);
    i64::try_from(scaled.clamp(-limit, limit)).unwrap_or(i64::MAX)
}

/// The finest scale up to that of `price` at which neither it nor `others` leave the range.
pub(super) fn grown_scale(
    scale: u32,
    price: Decimal,
    others: impl Iterator<Item = Decimal>,
) -> u32 {
    let widest = others.map(|other| other.abs()).fold(price.abs(), Decimal::max);
    (scale + 1..=price.scale())
        .rev()
        .find(|&scale| scaled(widest, scale) < i64::MAX)
        .unwrap_or(scale)
}
