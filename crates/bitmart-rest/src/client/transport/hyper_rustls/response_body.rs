//! The body of a response, and the connection that it arrives on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body as _, Incoming};

use super::super::connect::{Connection, Origin};
use super::super::{Chunks, TransportError, TransportErrorKind};
use super::{Shared, now};

/// The connection that a response arrives on.
struct Lease {
    connection: Connection,
    origin: Origin,
    shared: Arc<Shared>,
    /// It is not returned to the pool.
    exclusive: bool,
}

/// A response body. At its end the connection is returned to the pool; if it is dropped earlier, the
/// connection is closed.
pub(super) struct ResponseBody {
    incoming: Incoming,
    lease: Option<Lease>,
}

impl Chunks for ResponseBody {
    fn poll_chunk(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, TransportError>>> {
        let this = &mut *self;
        loop {
            if this.incoming.is_end_stream() {
                this.return_connection();
                return Poll::Ready(None);
            }
            match ready!(Pin::new(&mut this.incoming).poll_frame(cx)) {
                // Trailers are ignored.
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                }
                Some(Err(error)) => {
                    this.lease = None;
                    let error = TransportError::maybe_sent(TransportErrorKind::Interrupted)
                        .with_source(error);
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    this.return_connection();
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl ResponseBody {
    /// With `exclusive` the connection is closed at the end of the body.
    pub(super) fn new(
        incoming: Incoming,
        connection: Connection,
        origin: Origin,
        shared: Arc<Shared>,
        exclusive: bool,
    ) -> Self {
        Self { incoming, lease: Some(Lease { connection, origin, shared, exclusive }) }
    }

    fn return_connection(&mut self) {
        if let Some(lease) = self.lease.take()
            && lease.connection.share().is_none()
            && !lease.exclusive
        {
            lease.connection.set_idle();
            let pool = &lease.shared.pool;
            pool.put(&lease.origin, lease.connection, now());
        }
    }
}
