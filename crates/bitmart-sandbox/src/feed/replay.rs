//! A recording: which frames are due, and what a late subscriber gets.

mod fold;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{channel::schedule, schedule::Schedule};
use crate::{
    generated::{Host, channels::ChannelId},
    recording::RecordedFrame,
    wire::topic::{self, Topic},
};

/// Updates of a book that a late subscriber gets one by one; of more a snapshot is made.
const CATCH_UP: usize = 256;
/// From the first subscription to the first frame, so that a client can subscribe to more.
const LEAD_MS: u64 = 500;

/// Channel, levels, minutes and symbol: a topic whatever its speed is.
pub(super) type Subject = (ChannelId, usize, u64, String);

#[derive(Debug)]
struct Frame {
    at_us: u64,
    topic: Topic,
    text: String,
}

/// A recording that is played.
#[derive(Debug)]
pub(super) struct Replay {
    frames: Vec<Frame>,
    subjects: BTreeSet<Subject>,
    next: usize,
    /// When it began to be played, by the clock of the exchange.
    begun_ms: Option<u64>,
    /// What a late subscriber of a topic gets.
    held: BTreeMap<Subject, Held>,
}

/// The frames of a topic that count.
#[derive(Debug, Default)]
struct Held {
    /// The snapshot that was made of frames.
    folded: Option<String>,
    /// The frames after it.
    since: Vec<usize>,
}

impl Held {
    fn texts<'a>(&'a self, frames: &'a [Frame]) -> impl Iterator<Item = &'a str> {
        let since = self.since.iter().map(|number| frames[*number].text.as_str());
        self.folded.as_deref().into_iter().chain(since)
    }
}

/// What a recording distinguishes topics by.
pub(super) fn subject(topic: &Topic) -> Subject {
    (topic.channel, topic.levels, topic.minutes, topic.symbol.to_string())
}

impl Replay {
    pub(super) fn new(entries: Vec<RecordedFrame>) -> Self {
        let frame = |entry: RecordedFrame| {
            let mut hosts = [Host::Spot, Host::Futures].into_iter();
            let topic = hosts.find_map(|host| topic::parse(host, &entry.topic))?;
            (!topic.is_private()).then_some(Frame { at_us: entry.at_us, topic, text: entry.text })
        };
        let mut frames: Vec<_> = entries.into_iter().filter_map(frame).collect();
        frames.sort_by_key(|frame| frame.at_us);
        let subjects = frames.iter().map(|frame| subject(&frame.topic)).collect();
        Self { frames, subjects, next: 0, begun_ms: None, held: BTreeMap::new() }
    }

    /// When a frame is due.
    fn due_ms(&self, frame: &Frame) -> Option<u64> {
        let passed = frame.at_us.saturating_sub(self.frames.first()?.at_us) / 1_000;
        Some(self.begun_ms?.saturating_add(passed))
    }

    /// Begins to play, unless it has begun already.
    pub(super) fn begin(&mut self, now_ms: u64) {
        self.begun_ms.get_or_insert(now_ms.saturating_add(LEAD_MS));
    }

    /// The next frame that is due by now, with its topic.
    pub(super) fn next_due(&mut self, now_ms: u64) -> Option<(Topic, String)> {
        let number = self.due(now_ms)?;
        let frame = &self.frames[number];
        Some((frame.topic.clone(), frame.text.clone()))
    }

    /// How long until the next frame; none if there is none.
    pub(super) fn wait(&self, now_ms: u64) -> Option<Duration> {
        let frame = self.frames.get(self.next)?;
        Some(match self.due_ms(frame) {
            Some(due_ms) => Duration::from_millis(due_ms.saturating_sub(now_ms)),
            // It has not begun.
            None => Duration::from_millis(10),
        })
    }

    /// Whether it has frames of a topic.
    pub(super) fn has(&self, topic: &Topic) -> bool {
        self.subjects.contains(&subject(topic))
    }

    /// The frames that bring a late subscriber of a topic up to date.
    pub(super) fn played(&self, topic: &Topic) -> Vec<String> {
        let held = self.held.get(&subject(topic)).into_iter();
        held.flat_map(|held| held.texts(&self.frames)).map(str::to_owned).collect()
    }

    /// The number of the next frame that is due by now.
    fn due(&mut self, now_ms: u64) -> Option<usize> {
        let frame = self.frames.get(self.next)?;
        if self.due_ms(frame)? > now_ms {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let updates = schedule(frame.topic.channel, 1) == Some(Schedule::Book);
        let held = self.held.entry(subject(&frame.topic)).or_default();
        // A book is its last snapshot and the updates since; anything else is what came last.
        if !updates || frame.text.contains("\"type\":\"snapshot\"") {
            *held = Held::default();
        }
        held.since.push(number);
        if held.since.len() > CATCH_UP {
            let folded = fold::fold(held.texts(&self.frames));
            // Without a snapshot there is no book, only its last change.
            let since = if folded.is_some() { Vec::new() } else { vec![number] };
            *held = Held { folded, since };
        }
        Some(number)
    }
}
