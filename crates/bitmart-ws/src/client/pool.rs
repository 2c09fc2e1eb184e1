//! The connections of one endpoint.

use std::sync::Arc;

use super::random_seed;
use crate::assignments::{Assignments, TopicLease};
use crate::connect::ConnectThrottle;
use crate::dialect::Limits;
use crate::driver::ConnectionHistory;
use crate::error::{Error, ErrorKind};
use crate::session::ConnectPacing;
use crate::subscription::{DriverHandle, no_connection};

/// Spreads topics over connections.
///
/// A new topic goes to the first connection with free capacity, so that there are no more connections
/// than needed.
pub(super) struct Pool {
    limits: Limits,
    throttle: Arc<ConnectThrottle>,
    slots: Vec<Slot>,
}

/// A place for one connection. After it has ended, another one may take the place and continues its history: the
/// limits of the exchange do not start over.
struct Slot {
    history: Arc<ConnectionHistory>,
    driver: Option<Arc<DriverHandle>>,
}

impl Slot {
    fn running(&self) -> Option<&Arc<DriverHandle>> {
        self.driver.as_ref().filter(|driver| !driver.commands.is_closed())
    }
}

impl Pool {
    pub(super) fn new(limits: &Limits) -> Self {
        let throttle = Arc::new(ConnectThrottle::new(limits));
        Self { limits: *limits, throttle, slots: Vec::new() }
    }

    /// Leases the topic on a connection for one more subscription. `start` starts a driver that
    /// carries the topic already: one without topics would end at once.
    pub(super) fn lease(
        &mut self,
        topic: &Arc<str>,
        start: impl FnOnce(
            Arc<ConnectionHistory>,
            Arc<ConnectThrottle>,
            Arc<Assignments>,
        ) -> Result<Arc<DriverHandle>, Error>,
    ) -> Result<(Arc<DriverHandle>, TopicLease), Error> {
        let (max, running) = (self.limits.topics_per_connection, || self.running());
        let shared = running().find_map(|driver| Some((driver, driver.assignments.share(topic)?)));
        let leased = shared.or_else(|| {
            running().find_map(|driver| Some((driver, driver.assignments.assign(topic, max)?)))
        });
        if let Some((driver, lease)) = leased {
            return Ok((driver.clone(), lease));
        }
        let throttle = self.throttle.clone();
        let slot = self.free_slot()?;
        let assignments = Arc::<Assignments>::default();
        let lease = assignments.assign(topic, max).ok_or_else(no_connection)?;
        let driver = start(slot.history.clone(), throttle, assignments)?;
        slot.driver = Some(driver.clone());
        Ok((driver, lease))
    }

    fn free_slot(&mut self) -> Result<&mut Slot, Error> {
        let free = self.slots.iter().position(|slot| slot.running().is_none());
        if free.is_none() && self.slots.len() < self.limits.connections {
            let pacing = ConnectPacing::new(&self.limits, random_seed());
            let history = Arc::new(ConnectionHistory::new(self.slots.len() + 1, pacing));
            self.slots.push(Slot { history, driver: None });
        }
        let index = free.unwrap_or(self.slots.len() - 1);
        let full = format!(
            "all connections are full: the limit is {} connections of {} topics each",
            self.limits.connections, self.limits.topics_per_connection
        );
        self.slots
            .get_mut(index)
            .filter(|slot| slot.running().is_none())
            .ok_or_else(|| Error::new(ErrorKind::TopicLimit, full))
    }

    /// The running connections, in the order of their slots.
    pub(super) fn running(&self) -> impl Iterator<Item = &Arc<DriverHandle>> {
        self.slots.iter().filter_map(Slot::running)
    }

    /// Removes and returns all connections.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Arc<DriverHandle>> {
        self.slots.iter_mut().filter_map(|slot| slot.driver.take())
    }
}
