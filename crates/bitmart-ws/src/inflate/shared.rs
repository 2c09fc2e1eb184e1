//! Inflaters for many connections.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{InflateError, Inflater};

/// The inflaters that the connections of a client share. One holds 47 KiB and its output, which is
/// more than all else of an idle connection; a connection needs one only while it reads a frame, so
/// there are as many as threads that read at the same time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inflaters(Arc<Mutex<Vec<Inflater>>>);

impl Inflaters {
    /// Inflates a frame and gives its text to `read`. Also says how many bytes came after the end of
    /// the compressed stream.
    pub(crate) fn inflate<R>(
        &self,
        frame: &[u8],
        read: impl FnOnce(&str) -> R,
    ) -> Result<(R, usize), InflateError> {
        let idle = self.lock().pop();
        let mut inflater = idle.unwrap_or_default();
        let result = read(inflater.inflate(frame)?);
        let trailing = inflater.trailing();
        // One that met a bomb is not put back, and its memory is free again.
        self.lock().push(inflater);
        Ok((result, trailing))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Inflater>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Inflaters;
    use crate::inflate::InflateError;

    /// "hi", stored.
    const FRAME: &[u8] = &[1, 2, 0, 0xfd, 0xff, b'h', b'i'];

    #[test]
    fn one_inflater_serves_connections_in_turn_and_those_within_need_their_own() {
        let inflaters = Inflaters::default();
        for _ in 0..3 {
            assert_eq!(inflaters.inflate(FRAME, str::len), Ok((2, 0)));
        }
        assert_eq!(inflaters.lock().len(), 1);
        let within = inflaters.inflate(FRAME, |_| inflaters.inflate(FRAME, str::len));
        assert_eq!(within, Ok((Ok((2, 0)), 0)));
        assert_eq!(inflaters.lock().len(), 2);
    }

    #[test]
    fn an_inflater_that_met_a_broken_frame_is_dropped() {
        let inflaters = Inflaters::default();
        assert_eq!(inflaters.inflate(&[0xff], str::len), Err(InflateError::Corrupt));
        assert!(inflaters.lock().is_empty());
    }
}
