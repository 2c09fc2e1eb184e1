//! Records the latest requests and frames for the console.
//!
//! Everything is bounded: bodies and headers in size, requests and the frames of each WebSocket in number and bytes.
//! Records that no longer fit are dropped, oldest first, and counted. Values whose name says that they are secret are
//! never recorded, and of messages of WebSocket clients only what is known to be no secret.
//!
//! A sandbox at its limit records each request, so that only what the client sent is copied: texts and reasons are
//! rendered when a page shows them.

mod capture;
mod redact;
mod ring;
mod socket;
mod text;

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;

pub(crate) use self::{
    capture::{Capture, RequestRecord},
    ring::{Ring, Weighed},
    socket::{Direction, FrameKind, SocketLog},
};
#[cfg(feature = "console")]
pub(crate) use self::{
    redact::HIDDEN,
    socket::{Ending, FrameRecord, SocketRecord},
};
use crate::{address::SocketKind, generated::Host};

/// Bytes of a recorded body or frame. The rest is left out.
pub(crate) const MAX_BODY: usize = 16 << 10;
/// Requests that are kept, and their bytes.
pub(crate) const REQUESTS: usize = 4_000;
const REQUEST_BYTES: usize = 32 << 20;
/// WebSockets that are kept, open and closed ones.
const SOCKETS: usize = 64;
/// Refusals by code that are counted: more codes than the exchange documents.
const CODES: usize = 512;

/// The code of an accepted request.
const ACCEPTED: u32 = 1000;

/// The recorder.
#[derive(Debug)]
pub(crate) struct Traffic {
    requests: Mutex<Ring<RequestRecord>>,
    sockets: Mutex<VecDeque<Arc<SocketLog>>>,
    /// WebSockets that were not recorded, because too many were open.
    unrecorded_sockets: AtomicU64,
    connections: AtomicUsize,
    refusals: Mutex<Vec<(u32, u64)>>,
}

impl Traffic {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            requests: Mutex::new(Ring::new(REQUESTS, REQUEST_BYTES)),
            sockets: Mutex::default(),
            unrecorded_sockets: AtomicU64::new(0),
            connections: AtomicUsize::new(0),
            refusals: Mutex::default(),
        })
    }

    // A poisoned lock is not an error: the records are only for a reader.
    pub(crate) fn requests(&self) -> MutexGuard<'_, Ring<RequestRecord>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, record: RequestRecord) {
        // A fault may have replaced the response of an accepted request.
        let code = record.code.filter(|code| record.is_refused() && *code != ACCEPTED);
        if let Some(code) = code {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(row) = refusals.iter_mut().find(|row| row.0 == code) {
                row.1 += 1;
            } else if refusals.len() < CODES {
                refusals.push((code, 1));
            }
        }
        let record = Arc::new(record);
        // Freed without the lock: it was written long ago, so that reading it takes long.
        let _oldest = self.requests().push(record);
    }

    /// Refusals by code, most frequent first.
    pub(crate) fn refusals(&self) -> Vec<(u32, u64)> {
        let mut rows = self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clone();
        rows.sort_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
        rows
    }

    /// Starts the record of a WebSocket; `None` if as many as are kept are open.
    pub(crate) fn open_socket(
        &self,
        host: Host,
        kind: SocketKind,
        number: u64,
    ) -> Option<Arc<SocketLog>> {
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        if sockets.len() >= SOCKETS {
            let Some(at) = sockets.iter().position(|socket| !socket.is_open()) else {
                self.unrecorded_sockets.fetch_add(1, Ordering::Relaxed);
                return None;
            };
            sockets.remove(at);
        }
        let log = Arc::new(SocketLog::new(host, kind, number));
        sockets.push_back(Arc::clone(&log));
        Some(log)
    }

    /// The recorded WebSockets, newest first.
    pub(crate) fn sockets(&self) -> Vec<Arc<SocketLog>> {
        let sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.iter().rev().cloned().collect()
    }

    pub(crate) fn unrecorded_sockets(&self) -> u64 {
        self.unrecorded_sockets.load(Ordering::Relaxed)
    }

    /// Counts an HTTP connection until the result is dropped.
    pub(crate) fn connect(self: &Arc<Self>) -> Connected {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Connected(Arc::clone(self))
    }

    /// The number of open HTTP connections.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Forgets all requests, and the WebSockets that are closed. Counts of refusals start at zero.
    pub(crate) fn clear(&self) {
        self.requests().clear();
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut sockets = self.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.retain(|socket| socket.is_open());
        for socket in &*sockets {
            socket.clear();
        }
    }
}

/// An open HTTP connection.
#[derive(Debug)]
pub(crate) struct Connected(Arc<Traffic>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A body, truncated to [`MAX_BODY`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excerpt<'a> {
    pub(crate) bytes: &'a [u8],
    /// Its whole length in bytes.
    pub(crate) length: usize,
}

impl Excerpt<'_> {
    /// The recorded start of a body.
    fn cut(body: &[u8]) -> &[u8] {
        body.get(..MAX_BODY).unwrap_or(body)
    }

    // Without its secrets it has another length.
    pub(crate) fn is_truncated(&self) -> bool {
        self.length > MAX_BODY
    }
}

/// A frame, truncated to [`MAX_BODY`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Payload {
    pub(crate) bytes: Bytes,
    /// Its whole length in bytes; if it is unread, the length that is known of it.
    pub(crate) length: usize,
    /// Whether it was too big to be read to its end, and nothing of it is kept.
    pub(crate) is_unread: bool,
}

impl Payload {
    /// Keeps the start of `shown`, which is the frame without secrets.
    pub(crate) fn new(shown: &Bytes, length: usize) -> Self {
        // A copy of the beginning, because a slice would keep the whole in memory.
        let bytes = match shown.get(..MAX_BODY) {
            Some(start) if shown.len() > MAX_BODY => Bytes::copy_from_slice(start),
            _ => shown.clone(),
        };
        Self { bytes, length, is_unread: false }
    }

    pub(crate) fn is_truncated(&self) -> bool {
        self.length > MAX_BODY
    }
}

/// The time of the machine in milliseconds since 1970.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
