//! Recorded frames instead of markets.

mod fold;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{
    Feed, SocketId,
    channel::{Schedule, schedule},
    topic::{self, Topic},
};
use crate::{
    generated::{Host, channels::ChannelId},
    recording::RecordedFrame,
};

/// Updates of a book that a late subscriber gets one by one; of more a snapshot is made.
const CATCH_UP: usize = 256;
/// From the first subscription to the first frame, so that a client can subscribe to more.
const LEAD_MS: u64 = 500;

/// Channel, levels, minutes and symbol: a topic whatever its speed is.
type Subject = (ChannelId, usize, u64, String);

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

fn subject(topic: &Topic) -> Subject {
    (topic.channel, topic.levels, topic.minutes, topic.symbol.to_string())
}

impl Replay {
    fn new(entries: Vec<RecordedFrame>) -> Self {
        let frame = |entry: RecordedFrame| {
            let hosts = [Host::Spot, Host::Futures].into_iter();
            let topic = hosts.filter_map(|host| topic::parse(host, &entry.topic)).next()?;
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

impl Feed {
    /// Plays these from the first subscription on.
    pub(crate) fn replay(&mut self, entries: Vec<RecordedFrame>) {
        if !entries.is_empty() {
            self.replay = Some(Replay::new(entries));
        }
    }

    /// Sends the recorded frames that are due, and returns how long until the next; none when nothing will
    /// come.
    pub(crate) fn play(&mut self, now_ms: u64) -> Option<Duration> {
        let is_subscribed = self.subscriptions.topics().any(|topic| !topic.is_private());
        let replay = self.replay.as_mut()?;
        if is_subscribed {
            replay.begun_ms.get_or_insert(now_ms.saturating_add(LEAD_MS));
        }
        while let Some(replay) = &mut self.replay
            && let Some(number) = replay.due(now_ms)
        {
            let frame = &replay.frames[number];
            let (subject, topic, text) =
                (subject(&frame.topic), frame.topic.clone(), frame.text.clone());
            let topics = self.subscriptions.topics().filter(|of| self::subject(of) == subject);
            let ids: Vec<SocketId> =
                topics.flat_map(|topic| self.subscriptions.recipients(topic, None)).collect();
            if ids.is_empty() {
                continue;
            }
            let output = self.packed(&topic, text);
            for id in ids {
                self.subscriptions.send(id, output.clone());
            }
        }
        let replay = self.replay.as_ref()?;
        let Some(due_ms) = replay.frames.get(replay.next).and_then(|frame| replay.due_ms(frame))
        else {
            // Not begun yet, or at its end.
            return (replay.next < replay.frames.len()).then_some(Duration::from_millis(10));
        };
        Some(Duration::from_millis(due_ms.saturating_sub(now_ms)))
    }

    /// Whether a recording that is played has this topic.
    pub(crate) fn plays(&self, topic: &Topic) -> bool {
        self.replay.as_ref().is_some_and(|replay| replay.subjects.contains(&subject(topic)))
    }

    /// Sends what has been played of a topic and makes it whole.
    pub(super) fn send_played(&mut self, id: SocketId, topic: &Topic) {
        let Some(replay) = &self.replay else { return };
        let held = replay.held.get(&subject(topic)).into_iter();
        let texts: Vec<_> =
            held.flat_map(|held| held.texts(&replay.frames)).map(str::to_owned).collect();
        for text in texts {
            let output = self.packed(topic, text);
            self.subscriptions.send(id, output);
        }
    }
}
