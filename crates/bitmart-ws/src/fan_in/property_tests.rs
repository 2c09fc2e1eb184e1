//! Random interleavings of updates, reads and changes of topics, compared with a model.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bitmart_types::Timestamp;
use proptest::prelude::*;

use super::buffer::{Buffer, MIN_CAPACITY_PER_TOPIC, Popped, Pushed};
use super::{OverflowPolicy, TopicUpdate};
use crate::dialect::Market;
use crate::error::{Error, ErrorKind};
use crate::event::{DecodeError, DecodeErrorKind};
use crate::reason::ReconnectReason;
use crate::receive_time::ReceiveTime;
use crate::router::SubscriberId;
use crate::topic::Topic;
use crate::update::Update;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Events of a topic, one after the other.
    Events(u8, u8),
    Malformed(u8),
    /// The connection of all topics is lost and repaired.
    Disconnect,
    Stale,
    Alive,
    Read(u8),
    Add(u8),
    Remove(u8),
    End(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..6_u8, 1..12_u8).prop_map(|(topic, count)| Step::Events(topic, count)),
        1 => (0..6_u8).prop_map(Step::Malformed),
        1 => Just(Step::Disconnect),
        1 => Just(Step::Stale),
        1 => Just(Step::Alive),
        5 => (1..20_u8).prop_map(Step::Read),
        3 => (0..6_u8).prop_map(Step::Add),
        1 => (0..6_u8).prop_map(Step::Remove),
        1 => (0..6_u8).prop_map(Step::End),
    ]
}

/// The model of one topic.
#[derive(Default)]
struct TopicModel {
    slot: usize,
    id: SubscriberId,
    /// When each event was pushed.
    events: Vec<ReceiveTime>,
    /// How many of them were delivered or counted.
    accounted: usize,
    /// When each connection update was pushed, and how many events preceded it.
    connection_updates: Vec<(ReceiveTime, usize)>,
    /// When the last `Continuity` update (see `UpdateKind`) was pushed, unless it was delivered.
    continuity: Option<ReceiveTime>,
    ended: bool,
}

struct Simulation {
    buffer: Buffer<u32>,
    topics: HashMap<u8, TopicModel>,
    /// The last subscriber id.
    ids: SubscriberId,
    /// The receive times begin here, and each is a millisecond after the one before.
    clock: Instant,
    millis: i64,
    policy: OverflowPolicy,
    capacity: usize,
    full: bool,
}

impl Simulation {
    fn new(policy: OverflowPolicy, capacity: usize) -> Self {
        let buffer = Buffer::new(capacity, policy);
        let clock = Instant::now();
        Self {
            buffer,
            topics: HashMap::new(),
            ids: 0,
            clock,
            millis: 0,
            policy,
            capacity,
            full: false,
        }
    }

    fn next_receive_time(&mut self) -> ReceiveTime {
        self.millis += 1;
        let passed = Duration::from_millis(self.millis.try_into().expect("positive"));
        ReceiveTime::new(self.clock + passed, Timestamp::from_millis(self.millis))
    }

    fn push(&mut self, topic: u8, update: Update<u32>) {
        let received_at = self.next_receive_time();
        let Some(model) = self.topics.get_mut(&topic) else { return };
        if self.full {
            return;
        }
        let is_event = matches!(update, Update::Data(_) | Update::Malformed(_));
        let is_continuity = !is_event && !matches!(update, Update::Stale(_) | Update::Alive);
        match self.buffer.push(model.slot, model.id, update, received_at) {
            Pushed::Stored => {
                assert!(!model.ended);
                if is_event {
                    model.events.push(received_at);
                } else {
                    model.connection_updates.push((received_at, model.events.len()));
                    model.continuity =
                        if is_continuity { Some(received_at) } else { model.continuity };
                }
            }
            Pushed::TopicEnded => assert!(model.ended),
            Pushed::Full => {
                assert_eq!((self.policy, self.buffer.len()), (OverflowPolicy::End, self.capacity));
                self.full = true;
            }
        }
    }

    fn push_to_all(&mut self, update: &Update<()>) {
        for topic in 0..6 {
            self.push(topic, update.clone().map(|()| 0));
        }
    }

    fn add(&mut self, topic: u8) {
        let fits = (self.topics.len() + 1) * MIN_CAPACITY_PER_TOPIC <= self.capacity;
        if !fits || self.topics.contains_key(&topic) {
            return;
        }
        self.ids += 1;
        let slot =
            self.buffer.add_topic(self.ids, Topic::public(Market::Spot, format!("t:{topic}")));
        self.topics.insert(topic, TopicModel { slot, id: self.ids, ..TopicModel::default() });
        self.push(topic, Update::Subscribed);
    }

    /// Pops one item and compares it with the model of its topic. Returns `false` if there is none.
    fn read(&mut self) -> bool {
        let number = |topic: &Topic<u32>| topic.symbol().and_then(|name| name.parse().ok());
        match self.buffer.pop() {
            None => return false,
            Some(Popped::Update(TopicUpdate { topic, update, received_at })) => {
                let model = number(&topic).and_then(|topic: u8| self.topics.get_mut(&topic));
                let model = model.expect("a topic that is there");
                let next = model.events.get(model.accounted).copied();
                match update {
                    Update::Lagged(missed) => {
                        assert!(missed > 0);
                        assert_eq!(Some(received_at), next, "since the first missing event");
                        model.accounted += usize::try_from(missed).expect("few");
                    }
                    Update::Data(_) | Update::Malformed(_) => {
                        // In order; missing events were counted before.
                        assert_eq!(Some(received_at), next);
                        model.accounted += 1;
                    }
                    _ => {
                        let pushed = model
                            .connection_updates
                            .iter()
                            .find(|(pushed_at, _)| *pushed_at == received_at);
                        assert_eq!(
                            pushed.map(|(_, before)| *before),
                            Some(model.accounted),
                            "position"
                        );
                        model.continuity = model.continuity.filter(|other| *other != received_at);
                    }
                }
            }
            Some(Popped::TopicEnded(topic, error)) => {
                let topic = number(&topic).expect("a number");
                let model = self.topics.remove(&topic).expect("a topic that is there");
                assert!(model.ended && error.is_some());
                model.assert_complete();
            }
        }
        true
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Events(topic, count) => {
                (0..count).for_each(|number| self.push(topic, Update::Data(number.into())));
            }
            Step::Malformed(topic) => {
                let fault = DecodeError::from_bytes(DecodeErrorKind::Encoding, "no text", b"?");
                self.push(topic, Update::Malformed(fault));
            }
            Step::Disconnect => {
                self.push_to_all(&Update::Reconnecting(ReconnectReason::closed()));
                self.push_to_all(&Update::Resynced);
            }
            Step::Stale => self.push_to_all(&Update::Stale(self.clock)),
            Step::Alive => self.push_to_all(&Update::Alive),
            Step::Read(count) => {
                for _ in 0..count {
                    self.read();
                }
            }
            Step::Add(topic) => self.add(topic),
            Step::Remove(topic) => {
                if let Some(model) = self.topics.remove(&topic) {
                    self.buffer.remove_topic(model.slot, model.id);
                }
            }
            Step::End(topic) => {
                let received_at = self.next_receive_time();
                if let Some(model) = self.topics.get_mut(&topic) {
                    let error = Error::new(ErrorKind::Rejected, "no such pair");
                    self.buffer.end_topic(model.slot, model.id, Some(error), received_at);
                    model.ended = true;
                }
            }
        }
        assert!(self.buffer.len() <= self.capacity, "{} queued", self.buffer.len());
    }
}

impl TopicModel {
    /// Every event was delivered or counted, and the last continuity update was delivered.
    fn assert_complete(&self) {
        assert_eq!(self.accounted, self.events.len());
        assert_eq!(self.continuity, None, "the last continuity update");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_event_is_delivered_or_counted_in_order_within_the_capacity(
        policy in prop::sample::select(vec![
            OverflowPolicy::DropOldest,
            OverflowPolicy::Conflate,
            OverflowPolicy::End,
        ]),
        capacity in prop::sample::select(vec![4_usize, 8, 9, 24, 25, 60]),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut simulation = Simulation::new(policy, capacity);
        for step in steps {
            simulation.step(step);
        }
        while simulation.read() {}
        assert_eq!(simulation.buffer.len(), 0);
        for model in simulation.topics.values() {
            model.assert_complete();
        }
    }
}
