//! The feeds of a replay, each with a task that passes it what happens.

use std::sync::Arc;
use std::time::Duration;

use bitmart_ws::Market;
use bitmart_ws::source::Feed;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::nats::history::TopicName;
use crate::nats::reader::merger::Output;
use crate::nats::reader::pass;

/// How often a task lets the readers run before it sleeps, and how long it sleeps then.
const YIELDS: u32 = 64;
const PAUSE: Duration = Duration::from_millis(1);

pub(super) struct Feeds {
    topics: Vec<(Market, Arc<str>)>,
    opened: mpsc::Receiver<Feed>,
    tasks: Vec<Option<mpsc::Sender<Step>>>,
    /// Whether everything waits until the readers have taken it.
    waits: bool,
}

/// What a task is to do. It drops the sender when it is done.
enum Step {
    Pass(Vec<Output>, oneshot::Sender<()>),
    End(String, oneshot::Sender<()>),
}

impl Feeds {
    pub(super) fn new(topics: &[TopicName], opened: mpsc::Receiver<Feed>, waits: bool) -> Self {
        let topics: Vec<_> =
            topics.iter().map(|topic| (topic.market, topic.name.clone())).collect();
        let tasks = topics.iter().map(|_| None).collect();
        Self { topics, opened, tasks, waits }
    }

    /// Waits until every topic has a feed.
    pub(super) async fn until_complete(&mut self) {
        while self.tasks.iter().any(Option::is_none) {
            match self.opened.recv().await {
                Some(feed) => self.add(feed),
                None => return,
            }
        }
    }

    /// Waits until this time.
    pub(super) async fn until(&mut self, at: Instant) {
        let mut sleep = std::pin::pin!(tokio::time::sleep_until(at));
        loop {
            tokio::select! {
                () = &mut sleep => return,
                Some(feed) = self.opened.recv() => self.add(feed),
            }
        }
    }

    /// Passes this to a topic, if it is subscribed. Waits for its readers, unless time sets the pace.
    pub(super) async fn pass(&mut self, topic: usize, outputs: Vec<Output>) {
        while let Ok(feed) = self.opened.try_recv() {
            self.add(feed);
        }
        if !outputs.is_empty() {
            self.send(topic, |done| Step::Pass(outputs, done)).await;
        }
    }

    /// Ends all subscriptions.
    pub(super) async fn end(&mut self, message: &str) {
        self.opened.close();
        while let Ok(feed) = self.opened.try_recv() {
            feed.end(message);
        }
        for topic in 0..self.tasks.len() {
            self.send(topic, |done| Step::End(message.to_owned(), done)).await;
        }
    }

    async fn send(&self, topic: usize, step: impl FnOnce(oneshot::Sender<()>) -> Step) {
        let Some(task) = &self.tasks[topic] else { return };
        let (done, is_done) = oneshot::channel();
        // Nobody reads the topic any more if it fails.
        if task.send(step(done)).await.is_ok() {
            let _ = is_done.await;
        }
    }

    fn add(&mut self, mut feed: Feed) {
        let is_same = |(market, name): &(Market, Arc<str>)| {
            *market == feed.market() && **name == *feed.topic() && !feed.is_private()
        };
        let Some(topic) = self.topics.iter().position(is_same) else {
            return feed.end("the topic is not part of the replay");
        };
        // Subscriptions are confirmed before the first message.
        feed.connected();
        let (sender, steps) = mpsc::channel(1);
        self.tasks[topic] = Some(sender);
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
