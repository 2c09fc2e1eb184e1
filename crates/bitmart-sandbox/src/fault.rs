//! Faults that a test switches on: what a network or a bad day does to a client.

use std::time::Duration;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// REST: the request is processed at once, its answer comes late.
    Delay(Duration),
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
    /// WebSocket: the socket that would get the next frame of the topic stays open and falls
    /// silent: it sends nothing any more and answers no ping.
    SilentSocket,
    /// WebSocket: the next update of a book topic skips a version.
    VersionGap,
}

impl Fault {
    /// Aims the fault at a REST path (`/spot/v2/submit_order`) or a topic
    /// (`spot/depth/increase100:BTC_USDT`). It strikes once; see [`FaultRule::times`].
    pub fn on(self, target: impl Into<String>) -> FaultRule {
        FaultRule { fault: self, target: target.into(), left: 1 }
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
        matches!(self.fault, Fault::SilentSocket | Fault::VersionGap)
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
