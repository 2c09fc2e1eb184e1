//! Faults that a test switches on: what a network or a bad day does to a client.

use std::time::Duration;

use tokio::sync::watch;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// REST: the request is processed at once, its answer comes late.
    Delay(Duration),
    /// REST: the request has arrived and is held back, not processed, until all faults are switched off.
    HoldBefore,
    /// REST: the request is processed, its response is held back until all faults are switched off.
    HoldAfter,
    /// REST: the connection is closed before the request is processed.
    DropBefore,
    /// REST: the request is processed, the connection is closed without an answer.
    DropAfter,
    /// REST: not processed; answered by a proxy's HTML page with this status.
    Html(u16),
    /// REST: processed, but answered by a proxy's HTML page with this status.
    HtmlAfter(u16),
    /// REST: processed; the JSON of the answer is cut in half.
    TruncatedJson,
    /// REST: processed; every member of the answer's rows is null.
    NullRows,
    /// REST: processed; the headers and half of the body are sent, then the connection is reset.
    ResetMidBody,
    /// REST: processed; the body is sent byte by byte, over this time in all.
    SlowDrip(Duration),
    /// REST: not processed; refused as over the limit (code 30013, HTTP 429, with its headers).
    RateLimited,
    /// REST: not processed; refused as banned for going over the limit (code 30017, HTTP 418).
    Banned,
    /// REST: not processed; refused as unavailable (code 30014, HTTP 503).
    Unavailable,
    /// REST: not processed; refused for maintenance (code 30016, which comes with HTTP 200).
    Maintenance,
    /// REST: rows of the answer that are younger than this are left out, as from a history that is
    /// behind: where an answer is limited, older ones come in their place. Rows are those of `data`,
    /// and their age is that of `createTime` or `create_time`.
    LateHistory(Duration),
    /// WebSocket handshake: agreed to, but with an accept key that proves nothing.
    WrongAccept,
    /// WebSocket: the socket that would get the next frame of the topic stays open and falls
    /// silent: it sends nothing any more and answers no ping.
    SilentSocket,
    /// WebSocket: the socket that would get the next frame of the topic stays open as far as its
    /// client can tell, but nobody is there any more: nothing is read and nothing is said.
    HalfOpen,
    /// WebSocket: the next frame of the topic comes twice.
    Duplicate,
    /// WebSocket: the next frame of the topic comes this much later, by the clock of the machine. It
    /// does not come to a socket that has closed meanwhile.
    LatePush(Duration),
    /// WebSocket: in place of the next frame of the topic comes a binary one that is no deflate.
    Garbage,
    /// WebSocket: the next update of a book topic skips a version.
    VersionGap,
}

impl Fault {
    /// Aims the fault at a REST path (`/spot/v2/submit_order`), a topic
    /// (`spot/depth/increase100:BTC_USDT`) or the handshakes of an address of sockets: `spot/api`,
    /// `spot/user`, `futures/api` or `futures/user`. It strikes once; see [`FaultRule::times`].
    pub fn on(self, target: impl Into<String>) -> FaultRule {
        FaultRule { fault: self, target: target.into(), left: 1 }
    }

    /// Whether it strikes a WebSocket rather than a REST request.
    pub(crate) fn is_socket(self) -> bool {
        self.is_frame() || self == Self::VersionGap
    }

    /// Whether it can strike the handshake of a WebSocket. `Delay`, `DropBefore`, `Html` and
    /// `ResetMidBody` mean the same there as for a REST request, which is not processed then.
    pub(crate) fn is_handshake(self) -> bool {
        matches!(
            self,
            Self::WrongAccept
                | Self::Delay(_)
                | Self::DropBefore
                | Self::Html(_)
                | Self::ResetMidBody
        )
    }

    /// Whether it strikes the next frame of a topic, or who would hear it.
    pub(crate) fn is_frame(self) -> bool {
        matches!(
            self,
            Self::SilentSocket
                | Self::HalfOpen
                | Self::Duplicate
                | Self::LatePush(_)
                | Self::Garbage
        )
    }
}

/// A fault, where it strikes and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    fault: Fault,
    target: String,
    left: u32,
}

impl FaultRule {
    /// Strikes this many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.left = times;
        self
    }

    /// Whether it concerns a WebSocket rather than a REST request.
    pub(crate) fn is_socket(&self) -> bool {
        self.fault.is_socket()
    }
}

/// The faults that are switched on, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<FaultRule>);

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        self.0.push(rule);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes one strike of the oldest fault aimed at `target` that `fits`.
    pub(crate) fn strike(&mut self, target: &str, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let at = self
            .0
            .iter()
            .position(|rule| rule.left > 0 && rule.target == target && fits(rule.fault))?;
        self.0[at].left -= 1;
        let fault = self.0[at].fault;
        self.0.retain(|rule| rule.left > 0);
        Some(fault)
    }
}

/// The requests that [`Fault::HoldBefore`] and [`Fault::HoldAfter`] hold back.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Counts how often all were let go.
    round: u64,
    paths: Vec<String>,
}

/// The place of a request that is held back. Dropped when it goes on, or when its client has gone.
pub(crate) struct HeldPlace<'a> {
    held: &'a watch::Sender<Held>,
    path: String,
}

impl Held {
    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }

    pub(crate) fn round(&self) -> u64 {
        self.round
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.iter().any(|held| held == path)
    }

    pub(crate) fn enter<'a>(held: &'a watch::Sender<Self>, path: &str) -> HeldPlace<'a> {
        held.send_modify(|held| held.paths.push(path.to_owned()));
        HeldPlace { held, path: path.to_owned() }
    }

    pub(crate) fn release(&mut self) {
        self.round += 1;
    }
}

impl Drop for HeldPlace<'_> {
    fn drop(&mut self) {
        self.held.send_modify(|held| {
            if let Some(at) = held.paths.iter().position(|held| *held == self.path) {
                held.paths.swap_remove(at);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_its_target_as_often_as_asked() {
        let mut faults = Faults::default();
        faults.add(Fault::DropAfter.on("/a").times(2));
        assert_eq!(faults.strike("/b", |_| true), None);
        assert_eq!(faults.strike("/a", |fault| fault == Fault::VersionGap), None);
        assert_eq!(faults.strike("/a", |_| true), Some(Fault::DropAfter));
        assert_eq!(faults.strike("/a", |_| true), Some(Fault::DropAfter));
        assert_eq!(faults.strike("/a", |_| true), None);
    }
}
