//! The subscriptions of one channel that share an event type.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::error::Error;
use crate::event::{DecodeError, DecodeErrorKind, Event};
use crate::observe::Meters;
use crate::reason::{ReconnectReason, Rejection};
use crate::router::Outlet;
use crate::update::Update;

/// Names one subscription on its connection.
pub(crate) type MemberId = u64;

/// One subscription, as the driver sees it.
#[derive(Debug)]
pub(crate) struct Member<T> {
    pub(crate) id: MemberId,
    pub(crate) topic: Arc<str>,
    /// The only symbol it wants, if the topic has one. Its lane takes it.
    pub(crate) symbol: Option<Arc<str>>,
    pub(crate) writer: Outlet<T>,
    /// Who waits for the acknowledgement; empty once it has come.
    pub(crate) ready: Option<Ready>,
}

/// How the acknowledgement of a topic is told.
#[derive(Debug)]
pub(crate) enum Ready {
    /// By the answer of the pending `subscribe`.
    Call(oneshot::Sender<Result<(), Error>>),
    /// In the stream, and so are refusals.
    InStream,
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
    /// Something on the connection could not be read, and whose it was is not known.
    Malformed(DecodeError),
    End(Error),
}

impl<T> Member<T> {
    /// `false` when the subscription is over.
    fn tell(&mut self, life: &Life) -> bool {
        let update = match life {
            Life::Subscribed | Life::Resynced if self.ready.is_some() => {
                if let Some(Ready::Call(ready)) = self.ready.take() {
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
            Life::Malformed(_) if self.ready.is_some() => return true,
            Life::Malformed(fault) => Update::Malformed(fault.clone()),
            Life::RequestRejected(rejection) => Update::RequestRejected(rejection.clone()),
            Life::End(error) => {
                match self.ready.take() {
                    Some(Ready::Call(ready)) => drop(ready.send(Err(error.clone()))),
                    Some(Ready::InStream) | None => self.writer.end(error.clone()),
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
    /// frame itself says. `false` when the frame is not JSON.
    fn dispatch(
        &mut self,
        text: &str,
        symbol: Option<&str>,
        wanted: &dyn Fn(&str) -> bool,
        over: &mut Vec<MemberId>,
    ) -> bool;
    /// Tells the members of this topic, or all.
    fn tell(&mut self, topic: Option<&str>, life: &Life, over: &mut Vec<MemberId>);
}

pub(super) struct Lane<T> {
    /// By the symbol in capitals.
    by_symbol: HashMap<Arc<str>, Vec<Member<T>>>,
    every: Vec<Member<T>>,
    /// Entries of the frame at hand, kept to reuse the allocation.
    entries: Vec<T>,
    meters: Meters,
}

impl<T: Event> Lane<T> {
    pub(super) fn new(meters: Meters) -> Self {
        Self { by_symbol: HashMap::new(), every: Vec::new(), entries: Vec::new(), meters }
    }

    pub(super) fn join(&mut self, mut member: Member<T>) {
        match member.symbol.take().map(in_capitals) {
            // Most symbols have one subscription.
            Some(symbol) => {
                self.by_symbol.entry(symbol).or_insert_with(|| Vec::with_capacity(1)).push(member);
            }
            None => self.every.push(member),
        }
    }

    fn deliver(&self, update: Update<T>, whose: &Whose<'_, T>, over: &mut Vec<MemberId>) {
        match whose {
            Whose::Nobody => {}
            Whose::Of(members) => hand_out(update, members.iter().chain(&self.every), over),
            Whose::Everybody => {
                let named = self.by_symbol.values().flatten();
                hand_out(update, named.chain(&self.every), over);
            }
        }
    }

    /// Who gets an update about this symbol.
    fn whose(&self, symbol: Option<&str>, wanted: &dyn Fn(&str) -> bool) -> Whose<'_, T> {
        match symbol {
            Some(symbol) if !wanted(symbol) => Whose::Nobody,
            Some(symbol) => {
                let mut named = self.by_symbol.get(symbol);
                if named.is_none() && symbol.bytes().any(|byte| byte.is_ascii_lowercase()) {
                    named = self.by_symbol.get(&capitals(symbol));
                }
                Whose::Of(named.map_or(&[], Vec::as_slice))
            }
            // What is about no symbol concerns everybody on the channel.
            None => Whose::Everybody,
        }
    }

    fn members(&mut self) -> impl Iterator<Item = &mut Member<T>> {
        self.by_symbol.values_mut().flatten().chain(&mut self.every)
    }
}

/// The members that an update is for, beside those who want every symbol.
enum Whose<'a, T> {
    Nobody,
    Of(&'a [Member<T>]),
    Everybody,
}

/// Gives the update to each member whose topic is confirmed; all but the last get a copy.
fn hand_out<'a, T: Event>(
    update: Update<T>,
    members: impl Iterator<Item = &'a Member<T>>,
    over: &mut Vec<MemberId>,
) {
    let mut members = members.filter(|member| member.ready.is_none()).peekable();
    let mut update = Some(update);
    while let Some(member) = members.next() {
        let own = if members.peek().is_some() { update.clone() } else { update.take() };
        if let Some(update) = own
            && !member.writer.push(update)
        {
            over.push(member.id);
        }
    }
}

/// A symbol as the lanes know it: pushes are matched without regard to case.
fn capitals(symbol: &str) -> Arc<str> {
    symbol.to_ascii_uppercase().into()
}

fn in_capitals(symbol: Arc<str>) -> Arc<str> {
    let is_so = !symbol.bytes().any(|byte| byte.is_ascii_lowercase());
    if is_so { symbol } else { capitals(&symbol) }
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
    ) -> bool {
        let mut entries = std::mem::take(&mut self.entries);
        let mut readable = true;
        if T::decode(text, &mut entries).is_ok() {
            for event in entries.drain(..) {
                let whose = self.whose(event.symbol().or(symbol), wanted);
                self.deliver(Update::Data(event), &whose, over);
            }
        } else {
            entries.clear();
            let mut each = Vec::new();
            T::decode_each(text, &mut each);
            for entry in each {
                match entry {
                    Ok(event) => {
                        let whose = self.whose(event.symbol().or(symbol), wanted);
                        self.deliver(Update::Data(event), &whose, over);
                    }
                    Err(fault) => {
                        self.meters.decode_fault(fault.kind());
                        readable &= fault.kind() == DecodeErrorKind::Shape;
                        let whose = self.whose(fault.symbol().or(symbol), wanted);
                        self.deliver(Update::Malformed(fault), &whose, over);
                    }
                }
            }
        }
        self.entries = entries;
        readable
    }

    fn tell(&mut self, topic: Option<&str>, life: &Life, over: &mut Vec<MemberId>) {
        for member in self.members() {
            if topic.is_none_or(|topic| *member.topic == *topic) && !member.tell(life) {
                over.push(member.id);
            }
        }
    }
}
