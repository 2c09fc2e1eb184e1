//! Random numbers that are the same in every run.

/// An xorshift generator.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number from 0 to `limit`, which is not included; 0 if `limit` is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % limit.max(1)
    }
}
