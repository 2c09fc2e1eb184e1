//! The time from the creation of a frame to its delivery to the user, with thousands of topics: the client
//! and a plain loop over as many connections, in turns. Each works in one thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bitmart_ws::{Update, spot};
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};

use crate::server::Server;
use crate::{BoxError, client, plain, subscribe};

/// Topics of one connection, as many as the client subscribes on one.
const TOPICS_PER_CONNECTION: usize = 115;

const PATH: &str = "/paced?each_second=200";

/// Latencies in nanoseconds, from a time on at which everything is subscribed.
struct Sample {
    start: Instant,
    latencies: Vec<u128>,
}

impl Sample {
    fn new(seconds: u64) -> Self {
        let start = Instant::now() + Duration::from_millis(seconds * 500);
        Self { start, latencies: Vec::new() }
    }

    fn add(&mut self, book: &spot::DepthUpdate) {
        if Instant::now() >= self.start {
            self.latencies.push(age(book));
        }
    }
}

/// Runs both in turns, the second half of the seconds counting, and prints medians over the rounds.
pub(crate) fn compare(
    server: &Server,
    topics: usize,
    rounds: usize,
    seconds: u64,
) -> Result<(), BoxError> {
    println!("latency with {topics} topics, 200 frames a second on each connection");
    let mut figures = Vec::new();
    for _ in 0..rounds {
        figures.push((
            percentiles(of_plain_loops(server, topics, seconds)?),
            percentiles(of_client(server, topics, seconds)?),
        ));
    }
    for (index, name) in ["median", "p99", "p99.9"].into_iter().enumerate() {
        let plain = median(figures.iter().map(|(plain, _)| plain[index]));
        let ours = median(figures.iter().map(|(_, ours)| ours[index]));
        let percent =
            median(figures.iter().map(|(plain, ours)| ours[index] * 100 / plain[index].max(1)));
        println!(
            "  {name:<6} plain loops {:>6} µs, client {:>6} µs: {}.{:02} x",
            plain / 1_000,
            ours / 1_000,
            percent / 100,
            percent % 100
        );
    }
    Ok(())
}

fn median(sample: impl Iterator<Item = u128>) -> u128 {
    let mut sample: Vec<_> = sample.collect();
    sample.sort_unstable();
    sample[sample.len() / 2]
}

/// Returns the median, 99 % and 99.9 %.
fn percentiles(mut sample: Vec<u128>) -> [u128; 3] {
    sample.sort_unstable();
    [500, 990, 999]
        .map(|permille| sample.get(sample.len() * permille / 1_000).copied().unwrap_or_default())
}

/// The server sends the time of creation as the version.
fn age(book: &spot::DepthUpdate) -> u128 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_nanos());
    now.saturating_sub(book.version.into())
}

fn of_client(server: &Server, topics: usize, seconds: u64) -> Result<Vec<u128>, BoxError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let client = client(server, PATH).build()?;
        let mut tasks = JoinSet::new();
        for mut books in subscribe(&client, topics).await? {
            tasks.spawn(async move {
                let mut sample = Sample::new(seconds);
                while let Some(Ok(update)) = books.next().await {
                    if let Update::Data(book) = update {
                        sample.add(&book);
                    }
                }
                sample.latencies
            });
        }
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        client.shutdown().await;
        let mut sample = Vec::new();
        while let Some(part) = tasks.join_next().await {
            sample.extend(part?);
        }
        Ok(sample)
    })
}

fn of_plain_loops(server: &Server, topics: usize, seconds: u64) -> Result<Vec<u128>, BoxError> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let sample = Rc::new(RefCell::new(Sample::new(seconds)));
    LocalSet::new().block_on(&runtime, async {
        let mut tasks = JoinSet::new();
        for first in (0..topics).step_by(TOPICS_PER_CONNECTION) {
            let range = first..(first + TOPICS_PER_CONNECTION).min(topics);
            let (roots, sample) = (crate::roots(server), sample.clone());
            tasks.spawn_local(async move {
                plain::read_paced(roots, PATH, range, |book| sample.borrow_mut().add(book)).await
            });
        }
        match tokio::time::timeout(Duration::from_secs(seconds), tasks.join_next()).await {
            // The time is over, and no connection has ended.
            Err(_) => Ok(()),
            Ok(ended) => ended.ok_or("no topics")??,
        }
    })?;
    Ok(std::mem::take(&mut sample.borrow_mut().latencies))
}
