//! A mark by which two runs of an exchange are compared.

use std::fmt::{self, Write};

use super::Exchange;

/// FNV-1a over text, so that nothing is put together in memory first.
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
    /// A number that follows from what has just happened (events that nobody took yet: orders, fills,
    /// trades) and from the state of the exchange (ids to give out, books of the house). Two runs that differ get
    /// different marks, now or as soon as the difference shows.
    pub fn mark(&self) -> u64 {
        let mut hash = Hash(0xcbf2_9ce4_8422_2325);
        let books: Vec<_> = self.ledger.house_books().collect();
        let standing = (&self.counters, books);
        // Writing into a number cannot fail.
        let _ = write!(hash, "{:?} {standing:?}", self.events);
        hash.0
    }
}
