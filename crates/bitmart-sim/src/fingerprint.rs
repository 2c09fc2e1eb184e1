//! A fingerprint by which two runs of an exchange are compared.

use std::fmt::{self, Write};

use super::Exchange;

/// FNV-1a over formatted text, without building the text in memory.
struct Hash(u64);

impl Write for Hash {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        Ok(())
    }
}

impl Exchange {
    /// Returns a hash of the events that were not taken yet, the counters, and the books of the exchange. Runs that
    /// differ have different fingerprints, at the latest when the difference affects one of these.
    ///
    /// It is a hash of their debug output. A new name of a type, field or variant in there therefore makes stored
    /// fingerprints invalid.
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Hash(0xcbf2_9ce4_8422_2325);
        let books: Vec<_> = self.ledger.books().collect();
        let state = (&self.counters, books);
        // Cannot fail: `write_str` never returns an error.
        let _ = write!(hash, "{:?} {state:?}", self.events);
        hash.0
    }
}
