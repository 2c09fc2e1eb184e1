//! A reader that records when it reads.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, ReadBuf};

/// When bytes were last read: a frame that has just become complete was received then.
#[derive(Clone, Debug, Default)]
pub(crate) struct LastRead(Arc<Mutex<Option<Instant>>>);

impl LastRead {
    pub(crate) fn get(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
pub(crate) struct TimestampedReader<R> {
    inner: R,
    last_read: LastRead,
}

impl<R> TimestampedReader<R> {
    pub(crate) fn new(inner: R) -> (Self, LastRead) {
        let last_read = LastRead::default();
        (Self { inner, last_read: last_read.clone() }, last_read)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for TimestampedReader<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.inner).poll_read(context, buffer);
        if read.is_ready() {
            let now = tokio::time::Instant::now().into_std();
            *self.last_read.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
        read
    }
}
