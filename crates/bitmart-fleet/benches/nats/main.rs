//! Market data over NATS compared with bare `async-nats` and with a direct client: frames per second, processor time
//! and bytes, and how these grow with readers, topics and collectors. Prints tables in Markdown.
//!
//! `cargo bench -p bitmart-fleet --features nats` needs `nats-server`; without `--bench`, as `cargo test` runs
//! it, few frames are sent, to check that it works. A simulated exchange, the collectors and the readers are in this
//! process, so its processor time is that of all of them; that of the server is reported apart (Linux only). A
//! [pacer](pacer) lets frames be sent only as fast as the slowest reader reads, so that no queue overflows; a run that
//! loses a frame all the same has no result.
//!
//! Each run has a time limit, and so has the bench as a whole, after which no other run begins. The row of a run that
//! failed, took too long or did not begin says why, and the others go on.

mod exchange;
mod pacer;
mod runs;
mod server;

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use self::runs::{Fleet, Progress, Result};

/// Longest time of one run.
const RUN_LIMIT: Duration = Duration::from_secs(60);

/// When this time has passed, no other run is begun.
const BENCH_LIMIT: Duration = Duration::from_secs(420);

/// A trial run, which only shows that the bench works, has so many times fewer frames.
const TRIAL_DIVISOR: u64 = 1_000;

const COLUMNS: &str = "frames/s | µs/frame | server µs/frame | bytes/frame in | out |";

const ABOUT: &str = "
With several readers, each frame counts once for each of them. A run that loses a frame has no figures. `µs/frame` is
processor time of exchange, collectors and readers, which are one process; `server µs/frame` is that of `nats-server`,
which received and sent so many bytes for each frame.";

/// Prints rows as they are measured.
struct Report {
    start: Instant,
    /// Rows without a result.
    missing: usize,
}

impl Report {
    /// Runs `run` within its limit and prints its row, or why it has no figures. A run that is given up is dropped, and
    /// with it its tasks, clients and collectors.
    async fn row(
        &mut self,
        name: &str,
        progress: &Progress,
        run: impl Future<Output = Result<String>>,
    ) {
        let cells = if self.start.elapsed() > BENCH_LIMIT {
            Err(format!("the bench has taken more than {} s", BENCH_LIMIT.as_secs()))
        } else {
            match tokio::time::timeout(RUN_LIMIT, run).await {
                Ok(run) => run.map_err(|error| error.to_string()),
                Err(_) => Err(format!("after {} s {}", RUN_LIMIT.as_secs(), progress.text())),
            }
        };
        match cells {
            Ok(cells) => println!("| {name} | {cells} |"),
            Err(why) => {
                self.missing += 1;
                println!("| {name} | not measured: {why} |");
            }
        }
    }
}

/// Runs all and prints the tables. Returns the number of rows without figures.
async fn measure(is_trial: bool) -> usize {
    let frames = |measured: u64| if is_trial { measured / TRIAL_DIVISOR } else { measured };
    let mut report = Report { start: Instant::now(), missing: 0 };
    println!("### Frames over NATS\n");
    println!("| way | {COLUMNS}\n|---|---:|---:|---:|---:|---:|");
    let progress = Progress::new();
    report.row("direct client", &progress, runs::direct(frames(200_000), &progress)).await;
    let bare = "bare async-nats, publisher and subscriber";
    let progress = Progress::new();
    report.row(bare, &progress, runs::bare(frames(200_000), &progress)).await;
    for (readers, measured) in [(1, 100_000), (10, 20_000), (100, 4_000)] {
        let fleet = Fleet { topics: 1, collectors: 1, readers };
        let progress = Progress::new();
        let run = async {
            let (_, cells) = runs::over_nats(fleet, frames(measured), &progress).await?;
            Ok(cells)
        };
        report.row(&format!("collector, readers: {readers}"), &progress, run).await;
    }
    println!("{ABOUT}");
    println!("\n### Growth with topics and collectors\n");
    println!("| topics | collectors | all subscribed after | {COLUMNS}");
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|");
    for topics in if is_trial { &[10, 100][..] } else { &[100, 500, 1_000, 2_300] } {
        for collectors in [1, 2, 4] {
            let fleet = Fleet { topics: *topics, collectors, readers: 1 };
            let progress = Progress::new();
            let run = async {
                let (subscribed_after, cells) =
                    runs::over_nats(fleet, frames(50_000), &progress).await?;
                Ok(format!("{} ms | {cells}", subscribed_after.as_millis()))
            };
            report.row(&format!("{topics} | {collectors}"), &progress, run).await;
        }
    }
    println!(
        "\n\"All subscribed after\" is counted from the start of the collectors. They first wait for heartbeats of"
    );
    println!("each other: about as long as the lease timeout, which is 5 s here.");
    report.missing
}

fn main() -> ExitCode {
    if Command::new("nats-server").arg("--version").output().is_err() {
        println!("skipped: nats-server is not installed");
        return ExitCode::SUCCESS;
    }
    let is_trial = !std::env::args().any(|argument| argument == "--bench");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let missing = runtime.block_on(measure(is_trial));
    // A task of a run that was given up must not keep the process.
    runtime.shutdown_timeout(Duration::from_secs(5));
    if missing == 0 {
        return ExitCode::SUCCESS;
    }
    println!("\n**{missing} rows were not measured.**");
    // Of a measurement, the other rows are results all the same.
    if is_trial { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
