//! Faults of network and exchange that a test injects.

use std::time::Duration;

use tokio::sync::watch;

/// A fault of network or exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// REST: processed at once; the response is delayed.
    Delay(Duration),
    /// REST: not processed until all faults are cleared.
    HoldBefore,
    /// REST: processed; the response is held back until all faults are cleared.
    HoldAfter,
    /// REST: not processed; the connection is closed.
    DropBefore,
    /// REST: processed; the connection is closed without a response.
    DropAfter,
    /// REST: not processed; the response is a proxy's HTML page with this status.
    Html(u16),
    /// REST: processed; the response is a proxy's HTML page with this status.
    HtmlAfter(u16),
    /// REST: processed; the JSON of the response is truncated.
    TruncatedJson,
    /// REST: processed; every member of the rows is null.
    NullRows,
    /// REST: processed; the headers and half of the body are sent, then the connection is reset.
    ResetMidBody,
    /// REST: processed; the first byte of the body is sent at once, the rest in small parts over this time.
    SlowDrip(Duration),
    /// REST: not processed; rejected as over the limit (code 30013, HTTP 429, with its headers).
    RateLimited,
    /// REST: not processed; rejected as banned for going over the limit (code 30017, HTTP 418).
    Banned,
    /// REST: not processed; rejected as unavailable (code 30014, HTTP 503).
    Unavailable,
    /// REST: not processed; rejected for maintenance (code 30016, which comes with HTTP 200).
    Maintenance,
    /// REST: rows that are younger than this are missing, as in a history that lags. If the number of rows is
    /// limited, older rows take their place. The age is that of `createTime` or `create_time`.
    LateHistory(Duration),
    /// WebSocket handshake: accepted with a wrong accept key.
    WrongAccept,
    /// WebSocket: the socket that would send the next frame of the topic stays open but sends nothing any
    /// more, not even pongs.
    SilentSocket,
    /// WebSocket: the socket that would send the next frame of the topic stays open but neither sends nor
    /// reads any more.
    HalfOpen,
    /// WebSocket: the next frame of the topic is sent twice.
    Duplicate,
    /// WebSocket: the next frame of the topic is delayed by the clock of the machine. A socket that is closed
    /// meanwhile does not receive it.
    LatePush(Duration),
    /// WebSocket: a binary frame that cannot be inflated replaces the next frame of the topic.
    Garbage,
    /// WebSocket: the next update of a book topic skips a version.
    VersionGap,
}

impl Fault {
    /// Targets a REST path (`/spot/v2/submit_order`), a topic (`spot/depth/increase100:BTC_USDT`) or the
    /// handshakes of a WebSocket address: `spot/api`, `spot/user`, `futures/api` or `futures/user`. The fault
    /// occurs once; see [`FaultRule::times`].
    pub fn on(self, target: impl Into<String>) -> FaultRule {
        FaultRule { fault: self, target: target.into(), remaining: 1 }
    }

    /// Its name in the admin API, such as `drop-after`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Delay(_) => "delay",
            Self::HoldBefore => "hold-before",
            Self::HoldAfter => "hold-after",
            Self::DropBefore => "drop-before",
            Self::DropAfter => "drop-after",
            Self::Html(_) => "html",
            Self::HtmlAfter(_) => "html-after",
            Self::TruncatedJson => "truncated-json",
            Self::NullRows => "null-rows",
            Self::ResetMidBody => "reset-mid-body",
            Self::SlowDrip(_) => "slow-drip",
            Self::RateLimited => "rate-limited",
            Self::Banned => "banned",
            Self::Unavailable => "unavailable",
            Self::Maintenance => "maintenance",
            Self::LateHistory(_) => "late-history",
            Self::WrongAccept => "wrong-accept",
            Self::SilentSocket => "silent-socket",
            Self::HalfOpen => "half-open",
            Self::Duplicate => "duplicate",
            Self::LatePush(_) => "late-push",
            Self::Garbage => "garbage",
            Self::VersionGap => "version-gap",
        }
    }

    /// Whether the fault needs a topic as its target.
    pub(crate) fn is_socket(self) -> bool {
        self.is_frame() || self == Self::VersionGap
    }

    /// Whether the fault can occur in a WebSocket handshake. `Delay`, `DropBefore`, `Html` and `ResetMidBody` have
    /// the same effect there as on a REST request that is not processed.
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

    /// Whether the fault affects the next frame of a topic or the sockets that would receive it.
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

/// A fault with its target and count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    fault: Fault,
    target: String,
    remaining: u32,
}

impl FaultRule {
    pub(crate) fn fault(&self) -> Fault {
        self.fault
    }

    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    pub(crate) fn remaining(&self) -> u32 {
        self.remaining
    }

    /// Sets how often the fault occurs; never with 0.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.remaining = times;
        self
    }

    /// Whether the fault needs a topic as its target.
    pub(crate) fn is_socket(&self) -> bool {
        self.fault.is_socket()
    }
}

/// The active faults, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<FaultRule>);

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) {
        if rule.remaining > 0 {
            self.0.push(rule);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// The faults that wait for their target, oldest first.
    pub(crate) fn active(&self) -> &[FaultRule] {
        &self.0
    }

    /// Takes one occurrence of the oldest fault on `target` that satisfies `fits`.
    pub(crate) fn take(&mut self, target: &str, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let at = self.0.iter().position(|rule| rule.target == target && fits(rule.fault))?;
        self.0[at].remaining -= 1;
        let fault = self.0[at].fault;
        self.0.retain(|rule| rule.remaining > 0);
        Some(fault)
    }
}

/// The paths of the requests that [`Fault::HoldBefore`] and [`Fault::HoldAfter`] hold back.
#[derive(Debug, Default)]
pub(crate) struct HeldPaths {
    /// Number of times that all requests were released.
    releases: u64,
    paths: Vec<String>,
}

/// A request that is held back. It is dropped when the request continues or its client disconnects.
pub(crate) struct HeldRequest<'a> {
    held: &'a watch::Sender<HeldPaths>,
    path: String,
}

impl HeldPaths {
    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }

    pub(crate) fn releases(&self) -> u64 {
        self.releases
    }

    pub(crate) fn contains(&self, path: &str) -> bool {
        self.paths.iter().any(|held| held == path)
    }

    pub(crate) fn hold<'a>(held: &'a watch::Sender<Self>, path: &str) -> HeldRequest<'a> {
        held.send_modify(|held| held.paths.push(path.to_owned()));
        HeldRequest { held, path: path.to_owned() }
    }

    pub(crate) fn release(&mut self) {
        self.releases += 1;
    }
}

impl Drop for HeldRequest<'_> {
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
    fn a_fault_occurs_on_its_target_as_often_as_configured() {
        let mut faults = Faults::default();
        faults.add(Fault::DropBefore.on("/a").times(0));
        assert_eq!(faults.active(), []);
        faults.add(Fault::DropAfter.on("/a").times(2));
        assert_eq!(faults.take("/b", |_| true), None);
        assert_eq!(faults.take("/a", |fault| fault == Fault::VersionGap), None);
        assert_eq!(faults.take("/a", |_| true), Some(Fault::DropAfter));
        assert_eq!(faults.take("/a", |_| true), Some(Fault::DropAfter));
        assert_eq!(faults.take("/a", |_| true), None);
    }
}
