//! Compares the cold build time of a small program on this SDK with that of the same program on the usual stack.

use std::fs;
use std::time::{Duration, Instant};

use crate::TaskResult;
use crate::run::{cargo, output, run, workspace_root};

const ROUNDS: usize = 3;

/// Builds both programs of `xtask/baseline` from scratch, in turn, and prints the medians.
pub(crate) fn measure() -> TaskResult {
    let baseline = workspace_root().join("xtask/baseline");
    run(cargo().current_dir(&baseline).args(["fetch", "--quiet"]))?;
    for package in ["ours", "theirs"] {
        println!("{package}: {} crates", crates(package)?);
    }
    let mut times = [Vec::new(), Vec::new()];
    for round in 1..=ROUNDS {
        for (package, times) in ["ours", "theirs"].iter().zip(&mut times) {
            let target = baseline.join("target").join(package);
            if target.exists() {
                fs::remove_dir_all(&target)
                    .map_err(|error| format!("{}: {error}", target.display()))?;
            }
            let start = Instant::now();
            run(cargo()
                .current_dir(&baseline)
                .args(["build", "--quiet", "--offline", "--package", package, "--target-dir"])
                .arg(&target))?;
            let time = start.elapsed();
            println!("round {round}: {package} {:.1} s", time.as_secs_f32());
            times.push(time);
        }
    }
    let [ours, theirs] = times.map(median);
    let percent = ours.as_millis() * 100 / theirs.as_millis().max(1);
    let (whole, hundredths) = (percent / 100, percent % 100);
    println!("median: ours {ours:.1?}, theirs {theirs:.1?}, ratio {whole}.{hundredths:02}");
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn crates(package: &str) -> Result<usize, String> {
    let text = output(
        cargo()
            .current_dir(workspace_root().join("xtask/baseline"))
            .args(["tree", "--package", package, "--edges", "no-dev", "--prefix", "none"])
            .args(["--format", "{p}"]),
    )?;
    let mut lines: Vec<_> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines.sort_unstable();
    lines.dedup();
    Ok(lines.len())
}
