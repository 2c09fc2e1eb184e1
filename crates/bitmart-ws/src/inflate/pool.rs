//! A pool of inflaters for many connections.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{InflateError, Inflater};

/// The inflaters that the connections of a client share. One takes 47 KiB and its output buffer, more
/// than the rest of an idle connection. A connection needs one only while it processes a frame, so the
/// pool grows to the number of threads that do so simultaneously.
#[derive(Clone, Debug, Default)]
pub(crate) struct InflaterPool(Arc<Mutex<Vec<Inflater>>>);

impl InflaterPool {
    /// Inflates a frame and passes its text to `read`. Also returns the number of trailing bytes.
    pub(crate) fn inflate<R>(
        &self,
        frame: &[u8],
        read: impl FnOnce(&str) -> R,
    ) -> Result<(R, usize), InflateError> {
        let idle = self.lock().pop();
        let mut inflater = idle.unwrap_or_default();
        let result = read(inflater.inflate(frame)?);
        let trailing = inflater.trailing();
        // After an error the inflater is dropped: its buffer may have grown to the limit.
        self.lock().push(inflater);
        Ok((result, trailing))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Inflater>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::InflaterPool;
    use crate::inflate::InflateError;

    /// "hi", stored.
    const FRAME: &[u8] = &[1, 2, 0, 0xfd, 0xff, b'h', b'i'];

    #[test]
    fn reuses_an_idle_inflater_and_adds_one_for_nested_calls() {
        let inflaters = InflaterPool::default();
        for _ in 0..3 {
            assert_eq!(inflaters.inflate(FRAME, str::len), Ok((2, 0)));
        }
        assert_eq!(inflaters.lock().len(), 1);
        let nested = inflaters.inflate(FRAME, |_| inflaters.inflate(FRAME, str::len));
        assert_eq!(nested, Ok((Ok((2, 0)), 0)));
        assert_eq!(inflaters.lock().len(), 2);
    }

    #[test]
    fn drops_an_inflater_after_an_error() {
        let inflaters = InflaterPool::default();
        assert_eq!(inflaters.inflate(&[0xff], str::len), Err(InflateError::Corrupt));
        assert!(inflaters.lock().is_empty());
    }
}
