//! The feeds of a replay, each with a task that passes it what happens.

use std::time::Duration;

use bitmart_ws::source::Feed;
use tokio::sync::{mpsc, oneshot};

use crate::nats::reader::merger::Output;
use crate::nats::reader::pass;

/// While readers have not taken everything, a task yields so many times, and then sleeps between its looks.
const YIELDS: u32 = 64;
const PAUSE: Duration = Duration::from_millis(1);

pub(super) struct Feeds {
    /// Feeds that are not added yet, each with its topic.
    opened: mpsc::Receiver<(usize, Feed)>,
    topics: Vec<ReplayedTopic>,
    /// Whether everything waits until the readers have taken it.
    waits: bool,
}

/// A topic and what was passed to it.
#[derive(Default)]
struct ReplayedTopic {
    /// The task of its present feed, if it has been opened.
    task: Option<mpsc::Sender<Step>>,
    /// How many frames there were, or are missing, whether or not it was open.
    frames: u64,
}

/// An instruction to the task of a topic, which drops the sender when it is done.
enum Step {
    Pass(Vec<Output>, oneshot::Sender<()>),
    End(String, oneshot::Sender<()>),
}

impl Feeds {
    pub(super) fn new(topics: usize, opened: mpsc::Receiver<(usize, Feed)>, waits: bool) -> Self {
        let topics = std::iter::repeat_with(ReplayedTopic::default).take(topics).collect();
        Self { opened, topics, waits }
    }

    /// Waits until every topic has a feed.
    pub(super) async fn until_complete(&mut self) {
        while self.topics.iter().any(|topic| topic.task.is_none()) {
            match self.opened.recv().await {
                Some((topic, feed)) => self.add(topic, feed),
                None => return,
            }
        }
    }

    /// Awaits this, and adds feeds meanwhile: their subscriptions wait for it.
    pub(super) async fn during<T>(&mut self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                Some((topic, feed)) = self.opened.recv() => self.add(topic, feed),
                output = &mut future => return output,
            }
        }
    }

    /// Passes this to a topic, if it is subscribed. Waits for its readers, unless time sets the pace.
    pub(super) async fn pass(&mut self, topic: usize, outputs: Vec<Output>) {
        while let Ok((topic, feed)) = self.opened.try_recv() {
            self.add(topic, feed);
        }
        if outputs.is_empty() {
            return;
        }
        let frames = outputs.iter().map(|output| match output {
            Output::Frame(..) => 1,
            Output::Lagged(missed) => *missed,
            _ => 0,
        });
        // Before it is awaited: a feed that is added meanwhile does not get it.
        let passed = &mut self.topics[topic].frames;
        *passed = frames.fold(*passed, u64::saturating_add);
        self.send(topic, |done| Step::Pass(outputs, done)).await;
    }

    /// Ends all subscriptions.
    pub(super) async fn end(&mut self, message: &str) {
        self.opened.close();
        while let Ok((_, feed)) = self.opened.try_recv() {
            feed.end(message);
        }
        for topic in 0..self.topics.len() {
            self.send(topic, |done| Step::End(message.to_owned(), done)).await;
        }
    }

    async fn send(&mut self, topic: usize, step: impl FnOnce(oneshot::Sender<()>) -> Step) {
        let Some(task) = self.topics[topic].task.clone() else { return };
        let (done, is_done) = oneshot::channel();
        // Nobody reads the topic any more if it fails.
        if task.send(step(done)).await.is_ok() {
            let _ = self.during(is_done).await;
        }
    }

    fn add(&mut self, topic: usize, mut feed: Feed) {
        let topic = &mut self.topics[topic];
        // Subscriptions are confirmed before the first message.
        feed.connected();
        if topic.frames > 0 {
            feed.lagged(topic.frames);
        }
        let (sender, steps) = mpsc::channel(1);
        topic.task = Some(sender);
        tokio::spawn(run(feed, steps, self.waits));
    }
}

async fn run(feed: Feed, mut steps: mpsc::Receiver<Step>, waits: bool) {
    let mut feed = Some(feed);
    while let Some(open) = &mut feed {
        let step = tokio::select! {
            step = steps.recv() => step,
            // The past has no further snapshots to offer.
            request = open.next_request() => match request {
                Some(_) => continue,
                None => return,
            },
        };
        match step {
            Some(Step::Pass(outputs, done)) => {
                for output in outputs {
                    pass(&mut feed, output);
                    let Some(open) = &mut feed else { return };
                    if waits && !until_read(open).await {
                        return;
                    }
                }
                drop(done);
            }
            Some(Step::End(message, done)) => {
                if let Some(feed) = feed.take() {
                    feed.end(&message);
                }
                drop(done);
            }
            None => return,
        }
    }
}

/// Waits until the readers have taken everything. Returns `false` if there are none.
async fn until_read(feed: &mut Feed) -> bool {
    let mut yields = 0;
    while feed.queued() > 0 {
        let pause = async {
            if yields < YIELDS {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(PAUSE).await;
            }
        };
        tokio::select! {
            () = pause => yields += 1,
            request = feed.next_request() => if request.is_none() { return false },
        }
    }
    true
}

#[cfg(test)]
mod tests;
