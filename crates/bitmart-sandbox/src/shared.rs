//! What all connections share: the state behind one lock, and the way to stop.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::watch;

use crate::{
    auth::KeyRing,
    clock::Clock,
    config::Config,
    exchange::{Exchange, rng::Rng},
    fault::Faults,
    http::Limits,
    ws::{Feed, Rooms},
};

/// How often the market moves and books are pushed.
pub(crate) const TICK: Duration = Duration::from_millis(100);

/// The exchange, its clock and the subscribers. One lock around all of it keeps frames in the order
/// of the events.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) exchange: Exchange,
    pub(crate) clock: Clock,
    pub(crate) feed: Feed,
    /// The market makers do nothing.
    pub(crate) held: bool,
}

impl State {
    /// Runs a command on the exchange at the present time and pushes what happened.
    pub(crate) fn run<T>(&mut self, command: impl FnOnce(&mut Exchange, u64) -> T) -> T {
        let now_ms = self.clock.now_ms();
        self.exchange.settle_due(now_ms);
        let result = command(&mut self.exchange, now_ms);
        self.feed.publish(&mut self.exchange, now_ms);
        result
    }

    /// One beat: the market moves, the feed pushes.
    pub(crate) fn tick(&mut self) {
        let held = self.held;
        self.run(|exchange, now_ms| {
            if !held {
                exchange.step_market(now_ms);
            }
        });
        self.feed.tick(&self.exchange, self.clock.now_ms());
    }
}

/// Tells every task to end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Control {
    /// Counts how often all WebSockets were killed.
    pub(crate) kills: u64,
    pub(crate) stop: bool,
}

/// Waits until the sandbox stops.
pub(crate) async fn stopped(control: &mut watch::Receiver<Control>) {
    // An error means that the sandbox is gone altogether.
    drop(control.wait_for(|control| control.stop).await);
}

/// Waits until the sandbox stops or kills its WebSockets.
pub(crate) async fn cut(control: &mut watch::Receiver<Control>, kills: u64) {
    drop(control.wait_for(|control| control.stop || control.kills != kills).await);
}

#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
    faults: Mutex<Faults>,
    limits: Mutex<Limits>,
    rooms: Mutex<Rooms>,
    pub(crate) keys: KeyRing,
    pub(crate) config: Config,
    pub(crate) control: watch::Sender<Control>,
    traces: AtomicU64,
}

impl Shared {
    pub(crate) fn new(mut config: Config) -> Self {
        let clock = config.stepped_from.map_or(Clock::Real, |now_ms| Clock::Stepped { now_ms });
        let (exchange, held, made, versions) = match config.restored.take() {
            None => (Exchange::new(&config, clock.now_ms()), false, Vec::new(), None),
            Some(snapshot) => {
                let mut parts = snapshot.into_parts();
                parts.exchange.admit(&config);
                (parts.exchange, parts.held, parts.keys, Some(parts.versions))
            }
        };
        let mut feed = Feed::new(&exchange, config.seed);
        if let Some(versions) = versions {
            feed.resume(&versions);
        }
        Self {
            state: Mutex::new(State { exchange, clock, feed, held }),
            faults: Mutex::new(Faults::default()),
            limits: Mutex::new(Limits::default()),
            rooms: Mutex::new(Rooms::default()),
            keys: KeyRing::new(config.seed, &config.keys_or_default(), made),
            control: watch::Sender::new(Control::default()),
            traces: AtomicU64::new(config.seed),
            config,
        }
    }

    // A panic elsewhere must not take the sandbox down: its state is used as it stands.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn rooms(&self) -> MutexGuard<'_, Rooms> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new id in the form of a UUID, for `trace` and pongs.
    pub(crate) fn trace(&self) -> String {
        let mut rng = Rng::new(self.traces.fetch_add(1, Ordering::Relaxed));
        let (high, low) = (rng.next(), rng.next());
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            high >> 16 & 0xffff,
            high & 0xfff,
            low >> 48 & 0xfff,
            low & 0xffff_ffff_ffff
        )
    }
}
