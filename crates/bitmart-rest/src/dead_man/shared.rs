//! The state shared by the tasks and handles of a switch.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitmart_types::ContractSymbol;
use tokio::sync::watch;
use tokio::time::Instant;

use super::event::EventQueue;
use super::timer::{Countdown, Moment};
use super::{CancelResult, Event, GuardedMarket, MarketReport, Phase, Reason, Report, Timer};
use crate::Client;

/// A year, in place of a timeout that overflows.
const LONGEST: Duration = Duration::from_secs(31_536_000);

/// A request to end the switch. The first one wins.
#[derive(Clone, Copy, Debug)]
pub(super) enum EndRequest {
    Cancel(Reason),
    Disarm,
}

impl EndRequest {
    pub(super) fn reason(self) -> Reason {
        match self {
            Self::Cancel(reason) => reason,
            Self::Disarm => Reason::Disarmed,
        }
    }
}

/// The timer of one contract.
pub(super) struct Contract {
    pub(super) symbol: ContractSymbol,
    countdown: Mutex<Countdown>,
}

pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) markets: Vec<GuardedMarket>,
    pub(super) contracts: Vec<Contract>,
    /// The exchange's timeout.
    pub(super) timeout: Duration,
    pub(super) stale_after: Option<Duration>,
    pub(super) cancel_timeout: Duration,
    pub(super) events: EventQueue,
    /// Notified when a timer or the phase has changed.
    pub(super) changes: watch::Sender<()>,
    last_beat: Mutex<Instant>,
    end_request: watch::Sender<Option<EndRequest>>,
    report: watch::Sender<Option<Report>>,
}

impl Shared {
    pub(super) fn new(
        client: Client,
        markets: Vec<GuardedMarket>,
        timeout: Duration,
        stale_after: Option<Duration>,
        cancel_timeout: Duration,
    ) -> Self {
        let contracts = markets.iter().filter_map(|market| match market {
            GuardedMarket::Contract(symbol) => {
                Some(Contract { symbol: symbol.clone(), countdown: Mutex::default() })
            }
            _ => None,
        });
        Self {
            client,
            contracts: contracts.collect(),
            markets,
            timeout,
            stale_after,
            cancel_timeout,
            events: EventQueue::default(),
            changes: watch::channel(()).0,
            last_beat: Mutex::new(Instant::now()),
            end_request: watch::channel(None).0,
            report: watch::channel(None).0,
        }
    }

    pub(super) fn now(&self) -> Moment {
        Moment { at: Instant::now(), wall: self.client.now() }
    }

    pub(super) fn request_end(&self, request: EndRequest) {
        let first = self.end_request.send_if_modified(|requested| {
            let first = requested.is_none();
            requested.get_or_insert(request);
            first
        });
        if first {
            self.changes.send_replace(());
        }
    }

    /// Waits for a request to end.
    pub(super) async fn end_requested(&self) -> EndRequest {
        let mut requests = self.end_request.subscribe();
        loop {
            if let Some(request) = *requests.borrow_and_update() {
                return request;
            }
            // The sender lives as long as `self`.
            let _ = requests.changed().await;
        }
    }

    pub(super) fn is_guarding(&self) -> bool {
        self.end_request.borrow().is_none()
    }

    pub(super) fn phase(&self) -> Phase {
        if self.is_guarding() {
            Phase::Guarding
        } else if self.report.borrow().is_none() {
            Phase::Ending
        } else {
            Phase::Ended
        }
    }

    pub(super) fn beat(&self) -> bool {
        let now = Instant::now();
        let mut last_beat = self.last_beat.lock().unwrap_or_else(PoisonError::into_inner);
        // A late beat trips the switch even if the supervisor has not noticed yet.
        let late = self.stale_after.is_some_and(|limit| now.duration_since(*last_beat) >= limit);
        *last_beat = now.max(*last_beat);
        drop(last_beat);
        if late {
            self.request_end(EndRequest::Cancel(Reason::Stale));
        }
        self.is_guarding()
    }

    /// When the next beat is overdue; `None` if beats are not required.
    pub(super) fn stale_at(&self) -> Option<Instant> {
        let last_beat = *self.last_beat.lock().unwrap_or_else(PoisonError::into_inner);
        // On overflow the limit is never reached.
        self.stale_after.and_then(|limit| last_beat.checked_add(limit))
    }

    pub(super) fn timers(&self) -> Vec<(ContractSymbol, Timer)> {
        let now = self.now();
        let state = |one: &Contract| (one.symbol.clone(), one.with(|timer| timer.state(now)));
        self.contracts.iter().map(state).collect()
    }

    pub(super) fn timer(&self, market: &GuardedMarket) -> Option<Timer> {
        let GuardedMarket::Contract(symbol) = market else { return None };
        let now = self.now();
        let contract = self.contracts.iter().find(|one| one.symbol == *symbol)?;
        Some(contract.with(|timer| timer.state(now)))
    }

    /// The report of a market whose task has ended without a result.
    pub(super) fn unknown_report(&self, market: &GuardedMarket) -> MarketReport {
        MarketReport {
            market: market.clone(),
            result: CancelResult::Unknown,
            accepted: false,
            timer: self.timer(market),
            error: None,
        }
    }

    /// The deadline of a cancellation that begins now.
    pub(super) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.cancel_timeout).unwrap_or(now + LONGEST)
    }

    /// Publishes the report, once.
    pub(super) fn publish(&self, report: Report) {
        let first = self.report.send_if_modified(|published| {
            let first = published.is_none();
            published.get_or_insert(report);
            first
        });
        if first {
            self.events.push(Event::Ended);
            self.changes.send_replace(());
        }
    }

    pub(super) async fn ended(&self) -> Report {
        let mut reports = self.report.subscribe();
        loop {
            if let Some(report) = reports.borrow_and_update().clone() {
                return report;
            }
            // The sender lives as long as `self`.
            let _ = reports.changed().await;
        }
    }
}

impl Contract {
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut Countdown) -> T) -> T {
        change(&mut self.countdown.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Publishes a report with unknown results if the runtime drops the supervisor before it has ended.
pub(super) struct ReportOnDrop(pub(super) Arc<Shared>);

impl Drop for ReportOnDrop {
    fn drop(&mut self) {
        let reason = Reason::RuntimeStopped;
        self.0.request_end(EndRequest::Cancel(reason));
        let markets = self.0.markets.iter().map(|market| self.0.unknown_report(market)).collect();
        self.0.publish(Report { reason, markets });
    }
}
