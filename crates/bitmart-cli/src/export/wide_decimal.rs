//! Decimals of up to 76 digits: the decimal type of this library has 28.

/// Maximum number of digits of a decimal.
pub(super) const MAX_DIGITS: usize = 76;
/// Largest exponent that is read.
const MAX_EXPONENT: i32 = 100;

/// A decimal number, as its digits and its scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WideDecimal {
    is_negative: bool,
    /// From 0 to 9 each, without leading zeros.
    digits: Vec<u8>,
    /// Digits after the decimal point.
    scale: usize,
}

impl WideDecimal {
    /// Parses a number as JSON writes it. Rejects leading zeros: such a text is a name and not a number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (is_negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (number, exponent) = match rest.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
        let all = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !all(whole) || !all(part) || (whole.len() > 1 && whole.starts_with('0')) {
            return None;
        }
        if !(-MAX_EXPONENT..=MAX_EXPONENT).contains(&exponent) {
            return None;
        }
        let part = if number.contains('.') { part } else { "" };
        let mut digits: Vec<u8> = [whole, part].concat().bytes().map(|byte| byte - b'0').collect();
        let scale = i32::try_from(part.len()).ok()? - exponent;
        let missing = usize::try_from(-scale).unwrap_or_default();
        digits.extend(std::iter::repeat_n(0, missing));
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        Some(Self { is_negative, digits, scale: usize::try_from(scale).unwrap_or_default() })
    }

    /// Digits before the decimal point.
    pub(super) fn integer_digits(&self) -> usize {
        self.digits.len().saturating_sub(self.scale)
    }

    /// Digits after the decimal point, as written.
    pub(super) fn scale(&self) -> usize {
        self.scale
    }

    /// Returns the number times ten to the power of `scale` as a big-endian signed 256-bit number. `None` if
    /// digits would be lost.
    pub(super) fn to_be_bytes(&self, scale: usize) -> Option<[u8; 32]> {
        let more = scale.checked_sub(self.scale)?;
        if self.digits.len() + more > MAX_DIGITS {
            return None;
        }
        // Little-endian.
        let mut limbs = [0_u64; 4];
        for digit in self.digits.iter().copied().chain(std::iter::repeat_n(0, more)) {
            let mut carry = u128::from(digit);
            for limb in &mut limbs {
                carry += u128::from(*limb) * 10;
                *limb = u64::try_from(carry & u128::from(u64::MAX)).ok()?;
                carry >>= 64;
            }
        }
        if self.is_negative {
            let mut carry = true;
            for limb in &mut limbs {
                (*limb, carry) = (!*limb).overflowing_add(u64::from(carry));
            }
        }
        let mut bytes = [0; 32];
        for (place, limb) in bytes.chunks_exact_mut(8).zip(limbs.iter().rev()) {
            place.copy_from_slice(&limb.to_be_bytes());
        }
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::WideDecimal;

    fn low(text: &str, scale: usize) -> Option<i128> {
        let bytes = WideDecimal::parse(text)?.to_be_bytes(scale)?;
        let low: [u8; 16] = bytes[16..].try_into().expect("16 bytes");
        let sign = if bytes[16] & 0x80 == 0 { 0 } else { 0xff };
        assert!(bytes[..16].iter().all(|byte| *byte == sign), "{text}: {bytes:?}");
        Some(i128::from_be_bytes(low))
    }

    #[test]
    fn parses_numbers_without_losing_digits() {
        for (text, scale, wanted) in [
            ("0", 0, 0),
            ("-0.0", 3, 0),
            ("1.50", 2, 150),
            ("-1.5", 4, -15_000),
            ("0.000000000000000001", 18, 1),
            ("-0.000000000000000001", 18, -1),
            ("1e-18", 18, 1),
            ("1.5E3", 0, 1_500),
            ("12.345e1", 2, 12_345),
            (
                "9999999999999999999999999999",
                10,
                99_999_999_999_999_999_999_999_999_990_000_000_000,
            ),
        ] {
            assert_eq!(low(text, scale), Some(wanted), "{text}");
        }
        assert_eq!(low("1.25", 1), None, "a digit would be lost");
    }

    #[test]
    fn rejects_texts_that_are_no_numbers() {
        for text in ["", "-", ".5", "5.", "007", "1,5", "+1", "1e", "1e999", "NaN", "0x1", " 1"] {
            assert_eq!(WideDecimal::parse(text), None, "{text:?}");
        }
    }
}
