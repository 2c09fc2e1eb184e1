//! A fingerprint by which two runs of an exchange are compared.
//!
//! Fingerprints are stored in journals. What they are made of is therefore defined here and in [`events`], value by
//! value, and does not depend on names, on derived code, or on the machine. [`Include`] says how values go in.

mod events;
#[cfg(test)]
mod tests;

use rust_decimal::Decimal;
use smol_str::SmolStr;

use super::{AccountId, Exchange, OrderId, exchange::Counters, ledger::HouseBook};

/// FNV-1a with 64 bits.
struct Fingerprint(u64);

impl Fingerprint {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// A value that is included in a fingerprint:
///
/// - a number, length or truth value as 64 bits, the lowest byte first;
/// - a decimal as its unscaled value of 128 bits, then its number of decimals, so that 0.5 differs from 0.50;
/// - a text, list or option as its length (an option has 0 or 1), then its bytes or elements;
/// - a struct as its fields, in a fixed order;
/// - an enum as the fixed number of the variant, then its fields.
///
/// A new variant gets a new number. Any other change makes stored fingerprints invalid, which needs a new format of the
/// journal.
trait Include {
    fn include(&self, fingerprint: &mut Fingerprint);
}

impl Include for u64 {
    fn include(&self, fingerprint: &mut Fingerprint) {
        fingerprint.bytes(&self.to_le_bytes());
    }
}

impl Include for u32 {
    fn include(&self, fingerprint: &mut Fingerprint) {
        u64::from(*self).include(fingerprint);
    }
}

impl Include for bool {
    fn include(&self, fingerprint: &mut Fingerprint) {
        u64::from(*self).include(fingerprint);
    }
}

impl Include for Decimal {
    fn include(&self, fingerprint: &mut Fingerprint) {
        fingerprint.bytes(&self.mantissa().to_le_bytes());
        self.scale().include(fingerprint);
    }
}

impl Include for SmolStr {
    fn include(&self, fingerprint: &mut Fingerprint) {
        (self.len() as u64).include(fingerprint);
        fingerprint.bytes(self.as_bytes());
    }
}

impl Include for AccountId {
    fn include(&self, fingerprint: &mut Fingerprint) {
        self.0.include(fingerprint);
    }
}

impl Include for OrderId {
    fn include(&self, fingerprint: &mut Fingerprint) {
        self.0.include(fingerprint);
    }
}

impl<T: Include + ?Sized> Include for &T {
    fn include(&self, fingerprint: &mut Fingerprint) {
        (**self).include(fingerprint);
    }
}

impl<T: Include> Include for Box<T> {
    fn include(&self, fingerprint: &mut Fingerprint) {
        (**self).include(fingerprint);
    }
}

impl<T: Include> Include for Option<T> {
    fn include(&self, fingerprint: &mut Fingerprint) {
        self.as_slice().include(fingerprint);
    }
}

impl<T: Include> Include for [T] {
    fn include(&self, fingerprint: &mut Fingerprint) {
        (self.len() as u64).include(fingerprint);
        for value in self {
            value.include(fingerprint);
        }
    }
}

impl<A: Include, B: Include> Include for (A, B) {
    fn include(&self, fingerprint: &mut Fingerprint) {
        self.0.include(fingerprint);
        self.1.include(fingerprint);
    }
}

impl<A: Include, B: Include, C: Include> Include for (A, B, C) {
    fn include(&self, fingerprint: &mut Fingerprint) {
        self.0.include(fingerprint);
        self.1.include(fingerprint);
        self.2.include(fingerprint);
    }
}

impl Include for Counters {
    fn include(&self, fingerprint: &mut Fingerprint) {
        for number in self.all() {
            number.include(fingerprint);
        }
    }
}

impl Include for HouseBook {
    fn include(&self, fingerprint: &mut Fingerprint) {
        let number: u64 = match self {
            Self::Grants => 0,
            Self::Deposits => 1,
            Self::Withdrawals => 2,
            Self::Fees => 3,
            Self::Interest => 4,
            Self::Loans => 5,
            Self::Insurance => 6,
            Self::Profit => 7,
            Self::Clearing => 8,
        };
        number.include(fingerprint);
    }
}

impl Exchange {
    /// Returns a hash of the events that were not taken yet, the counters, and the books of the exchange. Runs that
    /// differ have different fingerprints, at the latest when the difference affects one of these.
    ///
    /// It is the same in every version of this crate that reads the same journals, and on every machine.
    pub fn fingerprint(&self) -> u64 {
        let mut fingerprint = Fingerprint::new();
        self.events.as_slice().include(&mut fingerprint);
        self.counters.include(&mut fingerprint);
        let books: Vec<_> = self.ledger.books().collect();
        books.as_slice().include(&mut fingerprint);
        fingerprint.0
    }
}
