//! What the tasks of a switch and its handles share.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bitmart_types::ContractSymbol;
use tokio::sync::watch;
use tokio::time::Instant;

use super::event::Queue;
use super::timer::{Countdown, Moment};
use super::{Cleared, Event, Guarded, MarketReport, Phase, Reason, Report, Timer};
use crate::Client;

/// In place of a time that no clock can hold.
const LONGEST: Duration = Duration::from_secs(31_536_000);

/// How a switch is to end. The first one counts.
#[derive(Clone, Copy, Debug)]
pub(super) enum Order {
    Cancel(Reason),
    Disarm,
}

impl Order {
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
    pub(super) markets: Vec<Guarded>,
    pub(super) contracts: Vec<Contract>,
    /// The exchange's timeout, in seconds.
    pub(super) seconds: u32,
    pub(super) stale_after: Option<Duration>,
    pub(super) cancel_within: Duration,
    pub(super) events: Queue,
    /// Told whenever a timer or the phase has changed.
    pub(super) changes: watch::Sender<()>,
    beat: Mutex<Instant>,
    order: watch::Sender<Option<Order>>,
    report: watch::Sender<Option<Report>>,
}

impl Shared {
    pub(super) fn new(
        client: Client,
        markets: Vec<Guarded>,
        seconds: u32,
        stale_after: Option<Duration>,
        cancel_within: Duration,
    ) -> Self {
        let contracts = markets.iter().filter_map(|market| match market {
            Guarded::Contract(symbol) => {
                Some(Contract { symbol: symbol.clone(), countdown: Mutex::default() })
            }
            _ => None,
        });
        Self {
            client,
            contracts: contracts.collect(),
            markets,
            seconds,
            stale_after,
            cancel_within,
            events: Queue::default(),
            changes: watch::channel(()).0,
            beat: Mutex::new(Instant::now()),
            order: watch::channel(None).0,
            report: watch::channel(None).0,
        }
    }

    pub(super) fn now(&self) -> Moment {
        Moment { at: Instant::now(), wall: self.client.now() }
    }

    pub(super) fn order(&self, order: Order) {
        let first = self.order.send_if_modified(|ordered| {
            let first = ordered.is_none();
            ordered.get_or_insert(order);
            first
        });
        if first {
            self.changes.send_replace(());
        }
    }

    /// Waits for the order to end.
    pub(super) async fn ordered(&self) -> Order {
        let mut orders = self.order.subscribe();
        loop {
            if let Some(order) = *orders.borrow_and_update() {
                return order;
            }
            // The sender lives as long as `self`.
            let _ = orders.changed().await;
        }
    }

    pub(super) fn is_guarding(&self) -> bool {
        self.order.borrow().is_none()
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
        let mut beat = self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        // A beat that comes too late saves nothing, even if nobody has noticed yet.
        let late = self.stale_after.is_some_and(|limit| now.duration_since(*beat) >= limit);
        *beat = now.max(*beat);
        drop(beat);
        if late {
            self.order(Order::Cancel(Reason::Stale));
        }
        self.is_guarding()
    }

    /// When the next beat is too late, if the user wants to beat.
    pub(super) fn stale_at(&self) -> Option<Instant> {
        let beat = *self.beat.lock().unwrap_or_else(PoisonError::into_inner);
        // What is beyond the end of time never comes.
        self.stale_after.and_then(|limit| beat.checked_add(limit))
    }

    pub(super) fn timers(&self) -> Vec<(ContractSymbol, Timer)> {
        let now = self.now();
        let look = |one: &Contract| (one.symbol.clone(), one.with(|timer| timer.look(now)));
        self.contracts.iter().map(look).collect()
    }

    pub(super) fn timer(&self, market: &Guarded) -> Option<Timer> {
        let Guarded::Contract(symbol) = market else { return None };
        let now = self.now();
        let contract = self.contracts.iter().find(|one| one.symbol == *symbol)?;
        Some(contract.with(|timer| timer.look(now)))
    }

    /// The report of a market about which a task can say nothing any more.
    pub(super) fn unknown(&self, market: &Guarded) -> MarketReport {
        MarketReport {
            market: market.clone(),
            cleared: Cleared::Unknown,
            accepted: false,
            timer: self.timer(market),
            error: None,
        }
    }

    /// When cancelling that begins now is given up.
    pub(super) fn deadline(&self) -> Instant {
        let now = Instant::now();
        now.checked_add(self.cancel_within).unwrap_or(now + LONGEST)
    }

    /// Publishes the report, once.
    pub(super) fn end(&self, report: Report) {
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

/// Publishes that nothing is known if the runtime stops before there is a report: tasks are then
/// dropped without a word.
pub(super) struct LastWord(pub(super) Arc<Shared>);

impl Drop for LastWord {
    fn drop(&mut self) {
        let reason = Reason::RuntimeStopped;
        self.0.order(Order::Cancel(reason));
        let markets = self.0.markets.iter().map(|market| self.0.unknown(market)).collect();
        self.0.end(Report { reason, markets });
    }
}
