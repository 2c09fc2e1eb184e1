//! The connections of one side of a client.

use std::sync::Arc;

use super::seed;
use crate::connect::Gate;
use crate::dialect::Limits;
use crate::driver::Standing;
use crate::error::{Error, ErrorKind};
use crate::roster::{Roster, Seat};
use crate::session::Pace;
use crate::subscription::{Handle, shut_down};

/// Spreads topics over connections.
///
/// The first connection with room takes a new topic, so that there are no more connections than
/// needed: places that became free are filled first, and a connection without topics ends.
pub(super) struct Pool {
    limits: Limits,
    gate: Arc<Gate>,
    slots: Vec<Slot>,
}

/// A place for one connection. The standing stays when the connection ends.
struct Slot {
    standing: Arc<Standing>,
    handle: Option<Handle>,
}

impl Slot {
    fn running(&self) -> Option<&Handle> {
        self.handle.as_ref().filter(|handle| !handle.commands.is_closed())
    }
}

impl Pool {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { limits: *limits, gate: Arc::new(Gate::new(limits)), slots: Vec::new() }
    }

    /// Finds a place for one more subscription of this topic. `start` makes a connection for those
    /// who are seated already: one without anybody would end at once.
    pub(super) fn seat(
        &mut self,
        topic: &Arc<str>,
        start: impl FnOnce(Arc<Standing>, Arc<Gate>, Arc<Roster>) -> Result<Handle, Error>,
    ) -> Result<(Handle, Seat), Error> {
        let (most, running) = (self.limits.topics_per_connection, || self.running());
        let beside = running().find_map(|handle| Some((handle, handle.roster.join(topic)?)));
        let place = beside.or_else(|| {
            running().find_map(|handle| Some((handle, handle.roster.open(topic, most)?)))
        });
        if let Some((handle, seat)) = place {
            return Ok((handle.clone(), seat));
        }
        let gate = self.gate.clone();
        let slot = self.free_slot()?;
        let roster = Arc::<Roster>::default();
        let seat = roster.open(topic, most).ok_or_else(shut_down)?;
        let handle = start(slot.standing.clone(), gate, roster)?;
        slot.handle = Some(handle.clone());
        Ok((handle, seat))
    }

    fn free_slot(&mut self) -> Result<&mut Slot, Error> {
        let free = self.slots.iter().position(|slot| slot.running().is_none());
        if free.is_none() && self.slots.len() < self.limits.connections {
            let pace = Pace::new(&self.limits, seed());
            let standing = Arc::new(Standing::new(self.slots.len() + 1, pace));
            self.slots.push(Slot { standing, handle: None });
        }
        let index = free.unwrap_or(self.slots.len() - 1);
        let full = format!(
            "no room for another topic: {} connections of {} topics each are all that is allowed",
            self.limits.connections, self.limits.topics_per_connection
        );
        self.slots
            .get_mut(index)
            .filter(|slot| slot.running().is_none())
            .ok_or_else(|| Error::new(ErrorKind::Full, full))
    }

    /// The connections that are there, in the order of their places.
    pub(super) fn running(&self) -> impl Iterator<Item = &Handle> {
        self.slots.iter().filter_map(Slot::running)
    }

    /// Forgets the connections and gives them.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Handle> {
        self.slots.iter_mut().filter_map(|slot| slot.handle.take())
    }
}
