//! The connections of a client: one for each side that is in use.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use bitmart_types::Service;
use tokio::sync::mpsc;

use super::Client;
use crate::connect::{Address, Connector};
use crate::dialect::{Access, Dialect, Limits};
use crate::driver::{Driver, Link, Signals, Standing};
use crate::error::{Error, ErrorKind};
use crate::inflate::Inflater;
use crate::router::Router;
use crate::session::{Pace, Session};
use crate::subscription::Handle;

/// Commands that may wait for a driver. A caller beyond that waits its turn.
const COMMANDS: usize = 64;

/// A side of a dialect. Each has a connection of its own.
pub(super) type Side = (Dialect, Access);

/// What a client knows of its sides.
#[derive(Default)]
pub(super) struct Sides {
    /// The drivers that run, or did until lately.
    handles: HashMap<Side, Handle>,
    /// Of every side that was ever used.
    standings: HashMap<Side, Arc<Standing>>,
}

impl Client {
    fn sides(&self) -> MutexGuard<'_, Sides> {
        self.0.sides.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to the connection of this side, if there is one.
    pub(super) fn open_handle(&self, side: Side) -> Option<Handle> {
        self.sides().handles.get(&side).cloned()
    }

    /// The way to the connection of this side, which is started if need be.
    pub(super) fn handle(&self, side: Side) -> Result<Handle, Error> {
        let mut sides = self.sides();
        let standing = sides.standings.entry(side).or_insert_with(|| Arc::new(standing(side)));
        if let Some(error) = standing.refused() {
            return Err(error);
        }
        let standing = standing.clone();
        if let Some(handle) = sides.handles.get(&side)
            && !handle.commands.is_closed()
        {
            return Ok(handle.clone());
        }
        let handle = self.start(side, standing)?;
        sides.handles.insert(side, handle.clone());
        Ok(handle)
    }

    /// Tells every driver to end, without waiting, and gives the handles to wait with.
    pub(super) fn tell_all_to_end(&self) -> Vec<Handle> {
        let handles: Vec<_> = self.sides().handles.drain().map(|(_, handle)| handle).collect();
        for handle in &handles {
            handle.signals.shut_down();
        }
        handles
    }

    fn start(&self, side: Side, standing: Arc<Standing>) -> Result<Handle, Error> {
        let shared = &*self.0;
        let (dialect, access) = side;
        if access == Access::Private && shared.credentials.is_none() {
            let message = "private topics need credentials: give them to the client's builder";
            return Err(Error::new(ErrorKind::CredentialsMissing, message));
        }
        let text = shared
            .environment
            .address(service(side))
            .map_err(|error| Error::new(ErrorKind::Config, error.to_string()))?;
        let (sender, commands) = mpsc::channel(COMMANDS);
        let signals = Arc::new(Signals::default());
        let limits = Limits::of(dialect, access);
        let driver = Driver {
            dialect,
            session: Session::resume(dialect, access, limits, standing.pace()),
            router: Router::new(dialect),
            connector: Connector::new(
                Address::parse(text)?,
                shared.dial.clone(),
                shared.tls.clone(),
            ),
            credentials: shared.credentials.clone().filter(|_| access == Access::Private),
            clock: shared.clock.clone(),
            inflater: Inflater::new(),
            commands,
            signals: signals.clone(),
            standing: standing.clone(),
            link: Link::Down,
        };
        tokio::spawn(driver.run());
        Ok(Handle { commands: sender, signals, standing })
    }
}

fn standing((dialect, access): Side) -> Standing {
    Standing::new(Pace::new(&Limits::of(dialect, access), seed()))
}

const fn service(side: Side) -> Service {
    match side {
        (Dialect::Spot, Access::Public) => Service::SpotWsPublic,
        (Dialect::Spot, Access::Private) => Service::SpotWsPrivate,
        (Dialect::Futures, Access::Public) => Service::FuturesWsPublic,
        (Dialect::Futures, Access::Private) => Service::FuturesWsPrivate,
    }
}

/// A seed for the jitter. Without randomness reconnections are merely less spread out.
fn seed() -> u64 {
    let mut bytes = [0; 8];
    let _ = getrandom::getrandom(&mut bytes);
    u64::from_ne_bytes(bytes)
}
