//! A recording: which frames are due, and which frames a late subscriber receives first.

mod merge;

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

/// Maximum number of book updates that a late subscriber receives separately. More are merged into a snapshot.
const MAX_CATCH_UP: usize = 256;
/// Time from the first subscription to the first frame, so that a client can subscribe to more topics.
const LEAD_MS: u64 = 500;

/// Channel, levels, minutes and symbol. Topics that differ in their push speed only have the same key.
pub(super) type TopicKey = (ChannelId, usize, u64, String);

#[derive(Debug)]
struct Frame {
    at_us: u64,
    topic: Topic,
    text: String,
}

/// A recording that is being played.
#[derive(Debug)]
pub(super) struct Replay {
    frames: Vec<Frame>,
    topics: BTreeSet<TopicKey>,
    next: usize,
    /// Start time by the clock of the exchange.
    started_ms: Option<u64>,
    /// The frames that a late subscriber of a topic receives first.
    catch_up: BTreeMap<TopicKey, CatchUp>,
}

/// The frames that bring a late subscriber of a topic up to date.
#[derive(Debug, Default)]
struct CatchUp {
    /// A snapshot that was merged from frames.
    snapshot: Option<String>,
    /// The frames after the snapshot, as indices.
    later_frames: Vec<usize>,
}

impl CatchUp {
    fn texts<'a>(&'a self, frames: &'a [Frame]) -> impl Iterator<Item = &'a str> {
        let later_frames = self.later_frames.iter().map(|number| frames[*number].text.as_str());
        self.snapshot.as_deref().into_iter().chain(later_frames)
    }
}

/// The key by which a recording identifies a topic.
pub(super) fn topic_key(topic: &Topic) -> TopicKey {
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
        let topics = frames.iter().map(|frame| topic_key(&frame.topic)).collect();
        Self { frames, topics, next: 0, started_ms: None, catch_up: BTreeMap::new() }
    }

    /// The time at which a frame is due, in milliseconds; `None` before the start.
    fn due_ms(&self, frame: &Frame) -> Option<u64> {
        let passed = frame.at_us.saturating_sub(self.frames.first()?.at_us) / 1_000;
        Some(self.started_ms?.saturating_add(passed))
    }

    /// Starts the recording, unless it has started already.
    pub(super) fn start(&mut self, now_ms: u64) {
        self.started_ms.get_or_insert(now_ms.saturating_add(LEAD_MS));
    }

    /// The next frame that is due by now, with its topic.
    pub(super) fn next_due(&mut self, now_ms: u64) -> Option<(Topic, String)> {
        let number = self.take_due(now_ms)?;
        let frame = &self.frames[number];
        Some((frame.topic.clone(), frame.text.clone()))
    }

    /// The time until the next frame; `None` at the end.
    pub(super) fn wait(&self, now_ms: u64) -> Option<Duration> {
        let frame = self.frames.get(self.next)?;
        Some(match self.due_ms(frame) {
            Some(due_ms) => Duration::from_millis(due_ms.saturating_sub(now_ms)),
            // Not started: check again soon.
            None => Duration::from_millis(10),
        })
    }

    /// Whether the recording contains a topic.
    pub(super) fn contains(&self, topic: &Topic) -> bool {
        self.topics.contains(&topic_key(topic))
    }

    /// The frames that bring a late subscriber of a topic up to date.
    pub(super) fn catch_up_frames(&self, topic: &Topic) -> Vec<String> {
        let catch_up = self.catch_up.get(&topic_key(topic)).into_iter();
        catch_up.flat_map(|catch_up| catch_up.texts(&self.frames)).map(str::to_owned).collect()
    }

    /// The index of the next frame that is due by now.
    fn take_due(&mut self, now_ms: u64) -> Option<usize> {
        let frame = self.frames.get(self.next)?;
        if self.due_ms(frame)? > now_ms {
            return None;
        }
        let number = self.next;
        self.next += 1;
        let is_book = schedule(frame.topic.channel, 1) == Some(Schedule::Book);
        let catch_up = self.catch_up.entry(topic_key(&frame.topic)).or_default();
        // The state of a book is its last snapshot and the updates since. Other channels only need the last frame.
        if !is_book || frame.text.contains("\"type\":\"snapshot\"") {
            *catch_up = CatchUp::default();
        }
        catch_up.later_frames.push(number);
        if catch_up.later_frames.len() > MAX_CATCH_UP {
            let snapshot = merge::merge(catch_up.texts(&self.frames));
            // Without a snapshot the book is unknown, so only the last update is kept.
            let later_frames = if snapshot.is_some() { Vec::new() } else { vec![number] };
            *catch_up = CatchUp { snapshot, later_frames };
        }
        Some(number)
    }
}
