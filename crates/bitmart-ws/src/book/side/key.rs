//! Integer keys of prices.
//!
//! A key is the price times a power of ten, truncated to an integer and clamped to the range of an
//! `i64`. A better price never has a smaller key, whatever the power, so the power affects speed only.
//! Prices with few enough decimals have distinct keys. Others may share one, and then decimals are
//! compared.

use std::{cmp::Ordering, marker::PhantomData};

use bitmart_types::Decimal;

use super::Direction;

const POWERS_OF_TEN: [i64; 19] = {
    let mut powers = [1; 19];
    let mut index = 1;
    while index < powers.len() {
        powers[index] = powers[index - 1] * 10;
        index += 1;
    }
    powers
};

/// A price and its key on a side.
#[derive(Debug)]
pub(super) struct PriceKey<D> {
    value: i64,
    price: Decimal,
    direction: PhantomData<D>,
}

impl<D> Clone for PriceKey<D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D> Copy for PriceKey<D> {}

impl<D: Direction> PriceKey<D> {
    pub(super) fn new(price: Decimal, scale: u32) -> Self {
        let scaled = scaled(price, scale);
        let value = if D::LOWER_IS_BETTER { -scaled } else { scaled };
        Self { value, price, direction: PhantomData }
    }

    pub(super) fn value(self) -> i64 {
        self.value
    }

    /// Compares another price and its key: `Greater` if it is better.
    pub(super) fn compare_to(self, key: i64, price: Decimal) -> Ordering {
        key.cmp(&self.value).then_with(|| D::compare(price, self.price))
    }

    /// Compares another price with an equal key: `Greater` if it is better.
    pub(super) fn compare_tie(self, price: Decimal) -> Ordering {
        // Nearly always the same decimal, which is quick to check.
        let same = price.scale() == self.price.scale() && price.mantissa() == self.price.mantissa();
        if same { Ordering::Equal } else { D::compare(price, self.price) }
    }
}

/// Returns the price in units of `10^-scale`, truncated. Never `i64::MIN`, so that it can be negated.
fn scaled(price: Decimal, scale: u32) -> i64 {
    let mantissa = price.mantissa();
    let shift = scale.abs_diff(price.scale());
    let power = POWERS_OF_TEN.get(shift as usize).copied();
    let (Ok(short), Some(power)) = (i64::try_from(mantissa), power) else {
        let upscales = scale > price.scale();
        return scaled_wide(mantissa, shift, upscales);
    };
    let scaled = if scale >= price.scale() { short.saturating_mul(power) } else { short / power };
    scaled.max(-i64::MAX)
}

#[cold]
fn scaled_wide(mantissa: i128, shift: u32, upscales: bool) -> i64 {
    // A decimal has at most 28 places, and 10^28 fits.
    let power = 10_i128.pow(shift);
    let scaled = if upscales { mantissa.saturating_mul(power) } else { mantissa / power };
    let limit = i128::from(i64::MAX);
    i64::try_from(scaled.clamp(-limit, limit)).unwrap_or(i64::MAX)
}

/// Returns the largest scale, up to that of `price`, at which neither `price` nor `others` overflow.
pub(super) fn finer_scale(
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
