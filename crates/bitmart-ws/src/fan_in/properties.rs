//! Random interleavings of events, words, reads, ends and topics that come and go against a model.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bitmart_types::Timestamp;
use proptest::prelude::*;

use super::waiting::{PLACES_PER_TOPIC, Pushed, Taken, Waiting};
use super::{Received, SlowReader};
use crate::dialect::Dialect;
use crate::error::{Error, ErrorKind};
use crate::event::{DecodeError, DecodeErrorKind};
use crate::reason::ReconnectReason;
use crate::received::ReceivedAt;
use crate::router::MemberId;
use crate::topic::Topic;
use crate::update::Update;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Events of a topic, one after the other.
    Events(u8, u8),
    Malformed(u8),
    /// The connection of all topics is lost and repaired.
    Cut,
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
        1 => Just(Step::Cut),
        1 => Just(Step::Stale),
        1 => Just(Step::Alive),
        5 => (1..20_u8).prop_map(Step::Read),
        3 => (0..6_u8).prop_map(Step::Add),
        1 => (0..6_u8).prop_map(Step::Remove),
        1 => (0..6_u8).prop_map(Step::End),
    ]
}

/// What is known of one topic beside the queue.
#[derive(Default)]
struct Known {
    place: usize,
    id: MemberId,
    /// When each event was put in.
    moments: Vec<ReceivedAt>,
    /// How many of them were given or counted.
    accounted: usize,
    /// When each word was put in, and how many events were before it.
    words: Vec<(ReceivedAt, usize)>,
    /// When the word about a gap was put in that has to be given yet.
    gap: Option<ReceivedAt>,
    ended: bool,
}

struct World {
    waiting: Waiting<u32>,
    topics: HashMap<u8, Known>,
    ids: MemberId,
    clock: Instant,
    millis: i64,
    slow: SlowReader,
    capacity: usize,
    full: bool,
}

impl World {
    fn new(slow: SlowReader, capacity: usize) -> Self {
        let waiting = Waiting::new(capacity, slow);
        let clock = Instant::now();
        Self {
            waiting,
            topics: HashMap::new(),
            ids: 0,
            clock,
            millis: 0,
            slow,
            capacity,
            full: false,
        }
    }

    fn moment(&mut self) -> ReceivedAt {
        self.millis += 1;
        let passed = Duration::from_millis(self.millis.try_into().expect("positive"));
        ReceivedAt::new(self.clock + passed, Timestamp::from_millis(self.millis))
    }

    fn put(&mut self, topic: u8, update: Update<u32>) {
        let moment = self.moment();
        let Some(known) = self.topics.get_mut(&topic) else { return };
        if self.full {
            return;
        }
        let is_event = matches!(update, Update::Data(_) | Update::Malformed(_));
        let is_gap = !is_event && !matches!(update, Update::Stale(_) | Update::Alive);
        match self.waiting.push(known.place, known.id, update, moment) {
            Pushed::Taken => {
                assert!(!known.ended);
                if is_event {
                    known.moments.push(moment);
                } else {
                    known.words.push((moment, known.moments.len()));
                    known.gap = if is_gap { Some(moment) } else { known.gap };
                }
            }
            Pushed::Over => assert!(known.ended),
            Pushed::Full => {
                assert_eq!((self.slow, self.waiting.len()), (SlowReader::End, self.capacity));
                self.full = true;
            }
        }
    }

    fn tell_all(&mut self, word: &Update<()>) {
        for topic in 0..6 {
            self.put(topic, word.clone().map(|()| 0));
        }
    }

    fn add(&mut self, topic: u8) {
        let room = (self.topics.len() + 1) * PLACES_PER_TOPIC <= self.capacity;
        if !room || self.topics.contains_key(&topic) {
            return;
        }
        self.ids += 1;
        let place = self.waiting.join(self.ids, Topic::public(Dialect::Spot, format!("t:{topic}")));
        self.topics.insert(topic, Known { place, id: self.ids, ..Known::default() });
        self.put(topic, Update::Subscribed);
    }

    /// Takes one item and compares it with what is known of its topic. `false` when there is none.
    fn read(&mut self) -> bool {
        let number = |topic: &Topic<u32>| topic.symbol().and_then(|name| name.parse().ok());
        match self.waiting.pop() {
            None => return false,
            Some(Taken::Received(Received { topic, update, received_at })) => {
                let known = number(&topic).and_then(|topic: u8| self.topics.get_mut(&topic));
                let known = known.expect("a topic that is there");
                let next = known.moments.get(known.accounted).copied();
                match update {
                    Update::Lagged(missed) => {
                        assert!(missed > 0);
                        assert_eq!(Some(received_at), next, "since the first that is missing");
                        known.accounted += usize::try_from(missed).expect("few");
                    }
                    Update::Data(_) | Update::Malformed(_) => {
                        // In order, and whatever is missing was counted before.
                        assert_eq!(Some(received_at), next);
                        known.accounted += 1;
                    }
                    _ => {
                        let word = known.words.iter().find(|(moment, _)| *moment == received_at);
                        assert_eq!(word.map(|(_, before)| *before), Some(known.accounted), "place");
                        known.gap = known.gap.filter(|gap| *gap != received_at);
                    }
                }
            }
            Some(Taken::Ended(topic, error)) => {
                let topic = number(&topic).expect("a number");
                let known = self.topics.remove(&topic).expect("a topic that is there");
                assert!(known.ended && error.is_some());
                known.assert_told();
            }
        }
        true
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Events(topic, count) => {
                (0..count).for_each(|number| self.put(topic, Update::Data(number.into())));
            }
            Step::Malformed(topic) => {
                let fault = DecodeError::from_bytes(DecodeErrorKind::Encoding, "no text", b"?");
                self.put(topic, Update::Malformed(fault));
            }
            Step::Cut => {
                self.tell_all(&Update::Reconnecting(ReconnectReason::closed()));
                self.tell_all(&Update::Resynced);
            }
            Step::Stale => self.tell_all(&Update::Stale(self.clock)),
            Step::Alive => self.tell_all(&Update::Alive),
            Step::Read(count) => {
                for _ in 0..count {
                    self.read();
                }
            }
            Step::Add(topic) => self.add(topic),
            Step::Remove(topic) => {
                if let Some(known) = self.topics.remove(&topic) {
                    self.waiting.leave(known.place, known.id);
                }
            }
            Step::End(topic) => {
                let moment = self.moment();
                if let Some(known) = self.topics.get_mut(&topic) {
                    let error = Error::new(ErrorKind::Rejected, "no such pair");
                    self.waiting.end(known.place, known.id, Some(error), moment);
                    known.ended = true;
                }
            }
        }
        assert!(self.waiting.len() <= self.capacity, "{} wait", self.waiting.len());
    }
}

impl Known {
    /// Everything was given or counted, and the last word about the connection was given.
    fn assert_told(&self) {
        assert_eq!(self.accounted, self.moments.len());
        assert_eq!(self.gap, None, "the last word");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_event_is_given_or_counted_in_its_place_and_no_more_than_the_budget_waits(
        slow in prop::sample::select(vec![
            SlowReader::DropOldest,
            SlowReader::Conflate,
            SlowReader::End,
        ]),
        capacity in prop::sample::select(vec![4_usize, 8, 9, 24, 25, 60]),
        steps in prop::collection::vec(step(), 1..120),
    ) {
        let mut world = World::new(slow, capacity);
        for step in steps {
            world.step(step);
        }
        while world.read() {}
        assert_eq!(world.waiting.len(), 0);
        for known in world.topics.values() {
            known.assert_told();
        }
    }
}
