//! Checks of what a tracker claims.

use super::Simulation;
use crate::sync::simulation_tests::tracker_model::TrackerModel;

impl<R: TrackerModel> Simulation<R> {
    pub(super) fn check_reported(&mut self) -> Result<(), String> {
        for id in self.tracker.take_reported() {
            self.unreported_fills.remove(&id);
            if std::mem::replace(&mut self.exchange.trades[id].reported, true) {
                return Err(format!("fill {id} was reported twice"));
            }
        }
        Ok(())
    }

    pub(super) fn check_claims(&self) -> Result<(), String> {
        // The claim is a reading of the REST client's clock.
        self.check(self.tracker.complete_until().map_or(i64::MIN, |until| until - self.clock))?;
        if self.tracker.is_live() && self.connection.is_drained() {
            // Only fills that the exchange has not pushed yet may be missing.
            let before = self.now - self.params.push_delay;
            self.check(before)?;
            if R::TRACKS_STATE {
                self.check_orders(before)?;
            }
            let expected = self.exchange.balance(before - 1);
            let tracked = self.tracker.tracked_balance();
            if R::TRACKS_STATE && tracked < expected {
                return Err(format!(
                    "at {} the balance is outdated although live: version {tracked}, not {expected}",
                    self.now
                ));
            }
        }
        Ok(())
    }

    /// Checks the orders that were placed or canceled before this time.
    fn check_orders(&self, before: i64) -> Result<(), String> {
        let tracked = self.tracker.open_orders();
        for (id, order) in self.exchange.resting.iter().enumerate() {
            let is_open = tracked.contains(&id);
            if order.canceled.is_some_and(|canceled| canceled < before) && is_open {
                return Err(format!(
                    "at {} the canceled order {id} is open although live",
                    self.now
                ));
            }
            if order.canceled.is_none() && order.at < before && !is_open {
                return Err(format!(
                    "at {} the open order {id} is missing although live",
                    self.now
                ));
            }
        }
        Ok(())
    }

    /// Checks that every fill between the start and `before` has been reported.
    pub(super) fn check(&self, before: i64) -> Result<(), String> {
        let missing = self.unreported_fills.first().map(|id| self.exchange.trades[*id].at);
        match missing.filter(|at| *at < before) {
            None => Ok(()),
            Some(at) => Err(format!(
                "at {} the fill of {at} is missing, claimed complete until {before}, live: {}",
                self.now,
                self.tracker.is_live()
            )),
        }
    }
}
