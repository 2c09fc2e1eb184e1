//! Hands the events of a connection to the subscriptions that want them.
//!
//! A frame names its channel; subscriptions of one channel and one event type share a lane, which
//! decodes each frame once.

mod lane;
mod outlet;
#[cfg(test)]
mod tests;

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::Arc;

use crate::dialect::Dialect;
use crate::error::Error;
use crate::event::{DecodeError, Event};
use crate::observe::Meters;
use crate::session::Notice;
use crate::topic;

use lane::{AnyLane, Lane, Life};

pub(crate) use lane::{Member, MemberId, Ready};
pub(crate) use outlet::Outlet;

/// All subscriptions of one connection.
pub(crate) struct Router {
    dialect: Dialect,
    lanes: HashMap<Box<str>, Vec<Box<dyn AnyLane>>>,
    /// How many subscriptions each topic has.
    topics: HashMap<Arc<str>, usize>,
    members: HashMap<MemberId, Arc<str>>,
    /// Members found to be over while events were handed out.
    over: Vec<MemberId>,
    meters: Meters,
}

impl Router {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            lanes: HashMap::new(),
            topics: HashMap::new(),
            members: HashMap::new(),
            over: Vec::new(),
            meters: Meters::default(),
        }
    }

    /// Counts here what cannot be read.
    pub(crate) fn metered(self, meters: Meters) -> Self {
        Self { meters, ..self }
    }

    /// Adds a subscription.
    pub(crate) fn join<T: Event>(&mut self, member: Member<T>) {
        let topic = member.topic.clone();
        *self.topics.entry(topic.clone()).or_default() += 1;
        self.members.insert(member.id, topic.clone());
        let lanes = self.lanes.entry(key(self.dialect, &topic).into()).or_default();
        let of_type = lanes.iter().position(|lane| lane.event_type() == TypeId::of::<T>());
        let at = of_type.unwrap_or_else(|| {
            lanes.push(Box::new(Lane::<T>::new(self.meters.clone())));
            lanes.len() - 1
        });
        if let Some(lane) = lanes[at].as_any_mut().downcast_mut::<Lane<T>>() {
            lane.join(member);
        }
    }

    /// Removes a subscription. Gives its topic if that was the last one of it.
    pub(crate) fn leave(&mut self, id: MemberId) -> Option<Arc<str>> {
        let topic = self.members.remove(&id)?;
        let key = key(self.dialect, &topic);
        if let Some(lanes) = self.lanes.get_mut(key) {
            for lane in lanes.iter_mut() {
                lane.leave(id);
            }
            lanes.retain(|lane| !lane.is_empty());
            if lanes.is_empty() {
                self.lanes.remove(key);
            }
        }
        let count = self.topics.get_mut(&topic)?;
        *count -= 1;
        if *count > 0 {
            return None;
        }
        self.topics.remove(&topic);
        Some(topic)
    }

    /// Decodes one data frame and hands its events out. `false` when it is not JSON.
    pub(crate) fn dispatch(&mut self, channel: &str, text: &str) -> bool {
        let mut readable = true;
        let over = &mut self.over;
        let all = |_: &str| true;
        match self.dialect {
            Dialect::Spot => {
                // The documents also show the table with the symbol behind it.
                let (table, symbol) = topic::split(channel);
                for lane in self.lanes.get_mut(table).into_iter().flatten() {
                    readable &= lane.dispatch(text, symbol, &all, over);
                }
                let Some(covering) = topic::covering(table) else {
                    return readable;
                };
                let topics = &self.topics;
                let uncovered = |symbol: &str| {
                    topic::receives(covering, table, Some(symbol), |topic| {
                        topics.contains_key(topic)
                    })
                };
                for lane in self.lanes.get_mut(covering).into_iter().flatten() {
                    readable &= lane.dispatch(text, symbol, &uncovered, over);
                }
            }
            Dialect::Futures => {
                if let Some(lanes) = self.lanes.get_mut(channel) {
                    for lane in lanes {
                        readable &= lane.dispatch(text, None, &all, over);
                    }
                    return readable;
                }
                // Observed: a group may come back with an `@…` suffix that was not subscribed.
                let similar =
                    self.lanes.iter_mut().filter(|(name, _)| topic::delivers(name, channel));
                for lane in similar.flat_map(|(_, lanes)| lanes) {
                    readable &= lane.dispatch(text, None, &all, over);
                }
            }
        }
        readable
    }

    /// Tells everybody on the connection of something that could not be read.
    pub(crate) fn malformed(&mut self, fault: DecodeError) {
        self.tell_all(&Life::Malformed(fault));
    }

    /// Tells the subscriptions what happened to them.
    pub(crate) fn notice(&mut self, notice: Notice) {
        match notice {
            Notice::Subscribed { topic } => self.tell(&topic, &Life::Subscribed),
            Notice::Resynced { topic } => self.tell(&topic, &Life::Resynced),
            Notice::RequestRejected { topic, rejection } => {
                self.tell(&topic, &Life::RequestRejected(rejection));
            }
            Notice::Rejected { topic, rejection } => {
                let error = Error::rejected(&topic, rejection);
                self.tell(&topic, &Life::End(error));
            }
            Notice::LoginRefused { rejection } => self.end(&Error::login_refused(rejection)),
            Notice::Stale { since } => self.tell_all(&Life::Stale(since)),
            Notice::Alive => self.tell_all(&Life::Alive),
            Notice::Reconnecting { reason } => self.tell_all(&Life::Reconnecting(reason)),
            Notice::Unsubscribed { .. } => {}
        }
    }

    /// Ends every subscription.
    pub(crate) fn end(&mut self, error: &Error) {
        self.tell_all(&Life::End(error.clone()));
    }

    /// The members that are over; they must leave.
    pub(crate) fn take_over(&mut self) -> Vec<MemberId> {
        std::mem::take(&mut self.over)
    }

    fn tell(&mut self, topic: &str, life: &Life) {
        for lane in self.lanes.get_mut(key(self.dialect, topic)).into_iter().flatten() {
            lane.tell(Some(topic), life, &mut self.over);
        }
    }

    fn tell_all(&mut self, life: &Life) {
        for lane in self.lanes.values_mut().flatten() {
            lane.tell(None, life, &mut self.over);
        }
    }
}

/// What the lanes of a topic are found by. A spot frame names its table without the symbol; a
/// futures frame repeats the topic.
fn key(dialect: Dialect, topic: &str) -> &str {
    match dialect {
        Dialect::Spot => topic::split(topic).0,
        Dialect::Futures => topic,
    }
}
