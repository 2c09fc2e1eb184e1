//! Numbers with a limited width.

use bitmart::Decimal;

/// Powers of ten with their suffixes.
const SUFFIXES: [(u32, &str); 4] = [(12, "T"), (9, "G"), (6, "M"), (3, "k")];

/// A size in at most `width` characters: decimals are cut first, then a suffix replaces thousands.
pub(super) fn short(number: Decimal, width: usize) -> String {
    let plain = number.normalize().to_string();
    if plain.len() <= width {
        return plain;
    }
    let whole = number.trunc().to_string();
    if whole.len() <= width {
        let digits = u32::try_from(width.saturating_sub(whole.len() + 1)).unwrap_or(0);
        return number.trunc_with_scale(digits).normalize().to_string();
    }
    for (digits, name) in SUFFIXES {
        let unit = Decimal::from(10_u64.pow(digits));
        let Some(scaled) = number.checked_div(unit).filter(|scaled| scaled.abs() >= Decimal::ONE)
        else {
            continue;
        };
        let whole = scaled.trunc().to_string();
        let decimals = width.saturating_sub(whole.len() + name.len() + 1);
        let scaled = scaled.trunc_with_scale(u32::try_from(decimals).unwrap_or(0)).normalize();
        return format!("{scaled}{name}");
    }
    whole
}

/// A price with at least `decimals` decimals.
pub(super) fn price(price: Decimal, decimals: u32) -> String {
    let mut price = price;
    if price.scale() < decimals {
        price.rescale(decimals);
    }
    price.to_string()
}

#[cfg(test)]
mod tests {
    use bitmart::dec;

    use super::{price, short};

    #[test]
    fn numbers_fit_the_width_and_keep_their_magnitude() {
        for (number, width, text) in [
            (dec!(0.00100), 8, "0.001"),
            (dec!(1.23456789), 6, "1.2345"),
            (dec!(4502114000), 8, "4.50211G"),
            (dec!(123456789), 6, "123.4M"),
            (dec!(1234567), 6, "1.234M"),
            (dec!(99999), 5, "99999"),
            (dec!(0), 3, "0"),
        ] {
            let shortened = short(number, width);
            assert_eq!(shortened, text);
            assert!(shortened.len() <= width, "{shortened}");
        }
        assert_eq!(price(dec!(60000.1), 2), "60000.10");
        assert_eq!(price(dec!(60000.123), 2), "60000.123");
    }
}
