//! Decimals of any length, with all their digits: the types of this library stop at 28.

/// Digits of the largest decimal that is written.
pub(super) const LONGEST: usize = 76;
/// Largest exponent that is read.
const FARTHEST: i32 = 100;

/// A number as its digits, and how many of them stand behind the point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exact {
    is_negative: bool,
    /// From 0 to 9 each, the first one not 0.
    digits: Vec<u8>,
    scale: usize,
}

impl Exact {
    /// Reads digits with perhaps a sign in front, a point within and an exponent behind, as JSON has them.
    /// Leading zeros are not read: they are those of a name, not of a number.
    pub(super) fn read(text: &str) -> Option<Self> {
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
        if !(-FARTHEST..=FARTHEST).contains(&exponent) {
            return None;
        }
        let part = if number.contains('.') { part } else { "" };
        let mut digits: Vec<u8> = [whole, part].concat().bytes().map(|byte| byte - b'0').collect();
        let behind = i32::try_from(part.len()).ok()? - exponent;
        let missing = usize::try_from(-behind).unwrap_or_default();
        digits.extend(std::iter::repeat_n(0, missing));
        let zeros = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..zeros);
        Some(Self { is_negative, digits, scale: usize::try_from(behind).unwrap_or_default() })
    }

    /// Digits in front of the point.
    pub(super) fn whole(&self) -> usize {
        self.digits.len().saturating_sub(self.scale)
    }

    /// Digits behind the point, as they were written.
    pub(super) fn scale(&self) -> usize {
        self.scale
    }

    /// The number times ten to the power of `scale`, as a signed number of 256 bits, the highest byte first.
    /// `None` when digits would be lost.
    pub(super) fn bytes(&self, scale: usize) -> Option<[u8; 32]> {
        let more = scale.checked_sub(self.scale)?;
        if self.digits.len() + more > LONGEST {
            return None;
        }
        // The lowest first.
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
    use super::Exact;

    fn low(text: &str, scale: usize) -> Option<i128> {
        let bytes = Exact::read(text)?.bytes(scale)?;
        let low: [u8; 16] = bytes[16..].try_into().expect("16 bytes");
        let sign = if bytes[16] & 0x80 == 0 { 0 } else { 0xff };
        assert!(bytes[..16].iter().all(|byte| *byte == sign), "{text}: {bytes:?}");
        Some(i128::from_be_bytes(low))
    }

    #[test]
    fn numbers_are_read_with_all_their_digits() {
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
    fn what_is_no_number_is_not_read() {
        for text in ["", "-", ".5", "5.", "007", "1,5", "+1", "1e", "1e999", "NaN", "0x1", " 1"] {
            assert_eq!(Exact::read(text), None, "{text:?}");
        }
    }
}
