//! The program whose orders are guarded, and everything that it starts.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::failure::Failure;
use crate::interrupts::Received;

/// Interval of checks of the program and its file.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// How long the program may take to end by itself at ctrl-c.
const GRACE: Duration = Duration::from_secs(1);

/// The program that places the orders, if one was given.
#[derive(Default)]
pub(super) struct GuardedProgram(Mutex<State>);

#[derive(Default)]
struct State {
    /// The program, until it was waited for.
    child: Option<Child>,
    /// Whether the orders are being canceled: no program may start any more.
    is_over: bool,
}

impl GuardedProgram {
    /// Starts it in a process group of its own, so that what it starts is killed with it. Does nothing after
    /// [`kill`](Self::kill).
    pub(super) fn start<'a>(
        &self,
        mut arguments: impl Iterator<Item = &'a str>,
    ) -> Result<(), Failure> {
        let Some(name) = arguments.next() else { return Ok(()) };
        let mut command = Command::new(name);
        command.args(arguments);
        group::separate(&mut command);
        // Outside of the terminal's process group, reading from the terminal would stop it.
        if io::stdin().is_terminal() {
            command.stdin(Stdio::null());
        }
        self.with(|state| {
            if !state.is_over {
                let child = command.spawn();
                state.child = Some(child.map_err(|error| Failure::io(format!("{name}: {error}")))?);
            }
            Ok(())
        })
    }

    /// Waits until the program has ended or its file is too old, and returns the reason.
    pub(super) async fn until_unhealthy(&self, file: Option<PathBuf>, within: Duration) -> String {
        let mut touched = Touched::new(Instant::now());
        loop {
            tokio::time::sleep(POLL_INTERVAL).await;
            match self.end() {
                Ok(None) => {}
                Ok(Some(status)) => return format!("the program ended ({status})"),
                Err(error) => return format!("the state of the program is unknown ({error})"),
            }
            if let Some(file) = &file
                && touched.since(time_of(file), Instant::now()) > within
            {
                return format!("{} was not touched for {within:?}", file.display());
            }
        }
    }

    /// The exit status, if the program has ended. What it started is killed then.
    fn end(&self) -> io::Result<Option<ExitStatus>> {
        self.with(|state| {
            let Some(child) = &mut state.child else { return Ok(None) };
            if !group::has_ended(child)? {
                return Ok(None);
            }
            let status = kill_and_wait(child)?;
            state.child = None;
            Ok(Some(status))
        })
    }

    /// Forwards a signal, and gives the program a second to end.
    pub(super) async fn forward(&self, signal: Received) {
        self.with(|state| state.child.iter().for_each(|child| group::forward(child, signal)));
        let begin = Instant::now();
        while begin.elapsed() < GRACE && self.with(|state| state.child.is_some()) {
            if self.end().is_err() {
                return;
            }
            tokio::time::sleep(POLL_INTERVAL / 4).await;
        }
    }

    /// Kills the program and what it started.
    pub(super) fn kill(&self) {
        self.with(|state| {
            state.is_over = true;
            if let Some(mut child) = state.child.take() {
                // It may have ended already.
                drop(kill_and_wait(&mut child));
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Until it is waited for, no other process can have the id of the child and of its group.
fn kill_and_wait(child: &mut Child) -> io::Result<ExitStatus> {
    group::kill(child);
    child.wait()
}

/// When the time of a file changed last, by the monotonic clock: the file's own time may be of another clock.
struct Touched {
    last: Option<SystemTime>,
    at: Instant,
}

impl Touched {
    /// The program has the same time to create the file.
    fn new(start: Instant) -> Self {
        Self { last: None, at: start }
    }

    /// The time since the last change. `time` is that of the file, if it can be read.
    fn since(&mut self, time: Option<SystemTime>, now: Instant) -> Duration {
        if time.is_some() && time != self.last {
            self.last = time;
            self.at = now;
        }
        now.saturating_duration_since(self.at)
    }
}

fn time_of(file: &Path) -> Option<SystemTime> {
    file.metadata().and_then(|metadata| metadata.modified()).ok()
}

#[cfg(unix)]
mod group {
    use std::io;
    use std::os::unix::process::CommandExt as _;
    use std::process::{Child, Command};

    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

    use crate::interrupts::Received;

    pub(super) fn separate(command: &mut Command) {
        command.process_group(0);
    }

    /// Whether it has ended. Its id is kept until it is waited for.
    pub(super) fn has_ended(child: &mut Child) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(Pid::from_child(child)), options)?.is_some())
    }

    pub(super) fn forward(child: &Child, signal: Received) {
        let signal = match signal {
            Received::Interrupt => Signal::INT,
            Received::Terminate => Signal::TERM,
        };
        // It may have ended already.
        let _ = kill_process_group(Pid::from_child(child), signal);
    }

    pub(super) fn kill(child: &mut Child) {
        let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    }
}

/// Without process groups only the program itself is killed.
#[cfg(not(unix))]
mod group {
    use std::io;
    use std::process::{Child, Command};

    use crate::interrupts::Received;

    pub(super) fn separate(_: &mut Command) {}

    pub(super) fn has_ended(child: &mut Child) -> io::Result<bool> {
        Ok(child.try_wait()?.is_some())
    }

    /// The console sends ctrl-c to the program itself.
    pub(super) fn forward(_: &Child, _: Received) {}

    pub(super) fn kill(child: &mut Child) {
        // It may have ended already.
        let _ = child.kill();
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, SystemTime};

    use super::{GuardedProgram, Touched};

    #[test]
    fn a_program_does_not_start_after_the_end() {
        let program = GuardedProgram::default();
        program.kill();
        program.start(["this-program-does-not-exist"].into_iter()).expect("it is not started");
        let other = GuardedProgram::default();
        assert!(other.start(["this-program-does-not-exist"].into_iter()).is_err());
    }

    #[test]
    fn a_file_is_touched_when_its_time_changes_whatever_that_time_is() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let seconds = Duration::from_secs;
        let mut touched = Touched::new(start);
        assert_eq!(touched.since(None, after(3)), seconds(3), "it does not exist yet");
        let future = SystemTime::now() + seconds(86_400);
        assert_eq!(touched.since(Some(future), after(5)), seconds(0));
        assert_eq!(touched.since(Some(future), after(20)), seconds(15), "it did not change");
        assert_eq!(touched.since(None, after(21)), seconds(16), "it was removed");
        assert_eq!(touched.since(Some(future), after(22)), seconds(17));
        let past = SystemTime::UNIX_EPOCH;
        assert_eq!(touched.since(Some(past), after(30)), seconds(0), "the clock was set back");
    }
}
