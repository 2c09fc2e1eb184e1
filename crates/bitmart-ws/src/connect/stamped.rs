//! When bytes were read.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, ReadBuf};

/// When bytes were read last. A frame that has just become whole was read then.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadAt(Arc<Mutex<Option<Instant>>>);

impl ReadAt {
    pub(crate) fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader that notes when it reads.
#[derive(Debug)]
pub(crate) struct Stamped<R> {
    inner: R,
    at: ReadAt,
}

impl<R> Stamped<R> {
    pub(crate) fn new(inner: R) -> (Self, ReadAt) {
        let at = ReadAt::default();
        (Self { inner, at: at.clone() }, at)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Stamped<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_ready() {
            let now = tokio::time::Instant::now().into_std();
            *self.at.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
        read
    }
}
