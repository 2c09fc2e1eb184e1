//! The subscriptions of one channel that share an event type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::error::Error;
use crate::event::Event;
use crate::queue::Writer;
use crate::reason::{ReconnectReason, Rejection};
use crate::update::Update;

/// Names one subscription on its connection.
pub(crate) type MemberId = u64;

/// One subscription, as the driver sees it.
#[derive(Debug)]
pub(crate) struct Member<T> {
    pub(crate) id: MemberId,
    pub(crate) topic: Arc<str>,
    /// The only symbol it wants, if the topic has one.
    pub(crate) symbol: Option<Arc<str>>,
    pub(crate) writer: Writer<T>,
    /// Answers the pending `subscribe`; empty once that is done.
    pub(crate) ready: Option<oneshot::Sender<Result<(), Error>>>,
}

/// Something that happened to subscriptions, whatever their event type.
#[derive(Debug)]
pub(super) enum Life {
    Subscribed,
    Resynced,
    Reconnecting(ReconnectReason),
    Stale(Instant),
    Alive,
    RequestRejected(Rejection),
    End(Error),
}

impl<T> Member<T> {
    /// `false` when the subscription is over.
    fn tell(&mut self, life: &Life) -> bool {
        let update = match life {
            Life::Subscribed | Life::Resynced if self.ready.is_some() => {
                if let Some(ready) = self.ready.take() {
                    // Whoever gave up waiting also dropped the reader.
                    let _ = ready.send(Ok(()));
                }
                Update::Subscribed
            }
            // Repeated because somebody else subscribed to the same topic.
            Life::Subscribed => return true,
            Life::Resynced => Update::Resynced,
            Life::Reconnecting(reason) => Update::Reconnecting(reason.clone()),
            Life::Stale(since) => Update::Stale(*since),
            Life::Alive => Update::Alive,
            Life::RequestRejected(rejection) => Update::RequestRejected(rejection.clone()),
            Life::End(error) => {
                match self.ready.take() {
                    Some(ready) => drop(ready.send(Err(error.clone()))),
                    None => self.writer.end(error.clone()),
                }
                return false;
            }
        };
        self.writer.push(update)
    }
}

/// A lane without its type.
pub(super) trait AnyLane: Send {
    fn event_type(&self) -> TypeId;
    fn as_any_mut(&mut self) -> &mut dyn Any;
    fn is_empty(&self) -> bool;
    fn leave(&mut self, id: MemberId);
    /// Decodes the frame once and hands out its entries about wanted symbols. `symbol` is what the
    /// frame itself says.
    fn dispatch(
        &mut self,
        text: &str,
        symbol: Option<&str>,
        wanted: &dyn Fn(&str) -> bool,
        over: &mut Vec<MemberId>,
    );
    /// Tells the members of this topic, or all.
    fn tell(&mut self, topic: Option<&str>, life: &Life, over: &mut Vec<MemberId>);
}

pub(super) struct Lane<T> {
    by_symbol: HashMap<Arc<str>, Vec<Member<T>>>,
    every: Vec<Member<T>>,
    /// Entries of the frame at hand, kept to reuse the allocation.
    entries: Vec<T>,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { by_symbol: HashMap::new(), every: Vec::new(), entries: Vec::new() }
    }
}

impl<T: Event> Lane<T> {
    pub(super) fn join(&mut self, member: Member<T>) {
        match member.symbol.clone() {
            Some(symbol) => self.by_symbol.entry(symbol).or_default().push(member),
            None => self.every.push(member),
        }
    }

    fn members(&mut self) -> impl Iterator<Item = &mut Member<T>> {
        self.by_symbol.values_mut().flatten().chain(&mut self.every)
    }
}

/// Gives the event to each member whose topic is confirmed; all but the last get a copy.
fn deliver<'a, T: Event>(
    event: T,
    members: impl Iterator<Item = &'a Member<T>>,
    over: &mut Vec<MemberId>,
) {
    let mut members = members.filter(|member| member.ready.is_none()).peekable();
    let mut event = Some(event);
    while let Some(member) = members.next() {
        let own = if members.peek().is_some() { event.clone() } else { event.take() };
        if let Some(event) = own
            && !member.writer.push(Update::Data(event))
        {
            over.push(member.id);
        }
    }
}

impl<T: Event> AnyLane for Lane<T> {
    fn event_type(&self) -> TypeId {
        TypeId::of::<T>()
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn is_empty(&self) -> bool {
        self.every.is_empty() && self.by_symbol.is_empty()
    }

    fn leave(&mut self, id: MemberId) {
        self.every.retain(|member| member.id != id);
        self.by_symbol.retain(|_, members| {
            members.retain(|member| member.id != id);
            !members.is_empty()
        });
    }

    fn dispatch(
        &mut self,
        text: &str,
        symbol: Option<&str>,
        wanted: &dyn Fn(&str) -> bool,
        over: &mut Vec<MemberId>,
    ) {
        let result = T::decode(text, &mut self.entries);
        let Self { by_symbol, every, entries } = self;
        for event in entries.drain(..) {
            match event.symbol().or(symbol) {
                Some(symbol) if !wanted(symbol) => {}
                Some(symbol) => {
                    let named = by_symbol.get(symbol).into_iter().flatten();
                    deliver(event, named.chain(&*every), over);
                }
                // An entry about no symbol concerns everybody on the channel.
                None => deliver(event, by_symbol.values().flatten().chain(&*every), over),
            }
        }
        if let Err(error) = result {
            for member in self.members().filter(|member| member.ready.is_none()) {
                if !member.writer.push(Update::Malformed(error.clone())) {
                    over.push(member.id);
                }
            }
        }
    }

    fn tell(&mut self, topic: Option<&str>, life: &Life, over: &mut Vec<MemberId>) {
        for member in self.members() {
            if topic.is_none_or(|topic| *member.topic == *topic) && !member.tell(life) {
                over.push(member.id);
            }
        }
    }
}
