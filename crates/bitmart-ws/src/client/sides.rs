//! The sides of a client: a pool of connections for each that is in use.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use bitmart_types::Service;
use tokio::sync::{mpsc, watch};

use super::pool::Pool;
use super::{Client, Connection};
use crate::connect::{Address, Connector, Gate};
use crate::dialect::{Access, Dialect, Limits};
use crate::driver::{COMMANDS, Driver, Link, Refusal, Signals, Standing};
use crate::error::{Error, ErrorKind};
use crate::heard::Heard;
use crate::observe::{Meters, Observed};
use crate::roster::{Roster, Seat};
use crate::router::Router;
use crate::session::Session;
use crate::subscription::Handle;

/// A side of a dialect. Each has connections of its own.
pub(crate) type Side = (Dialect, Access);

/// The pools of the sides that were ever used.
pub(super) type Sides = HashMap<Side, Pool>;

impl Client {
    fn sides(&self) -> MutexGuard<'_, Sides> {
        self.0.sides.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one more subscription of this topic, on a connection that is started if need be.
    pub(crate) fn seat(&self, side: Side, topic: &Arc<str>) -> Result<(Handle, Seat), Error> {
        self.sides()
            .entry(side)
            .or_insert_with(|| Pool::new(&self.limits(side.0, side.1)))
            .seat(topic, |standing, gate, roster| self.start(side, standing, gate, roster))
    }

    /// The way to the connection that carries this topic, if there is one.
    pub(super) fn carrier(&self, side: Side, topic: &str) -> Option<Handle> {
        self.sides().get(&side)?.running().find(|handle| handle.roster.carries(topic)).cloned()
    }

    /// Tells every driver to end, without waiting, and gives the handles to wait with.
    pub(super) fn tell_all_to_end(&self) -> Vec<Handle> {
        let handles: Vec<_> = self.sides().values_mut().flat_map(Pool::take_all).collect();
        for handle in &handles {
            handle.signals.shut_down();
        }
        handles
    }

    /// The connections that there are, idle ones included: the public and private ones of spot, then
    /// those of futures, each in the order in which they fill up.
    pub fn connections(&self) -> Vec<Connection> {
        let sides = self.sides();
        let mut connections = Vec::new();
        for dialect in [Dialect::Spot, Dialect::Futures] {
            for access in [Access::Public, Access::Private] {
                let running = sides.get(&(dialect, access)).into_iter().flat_map(Pool::running);
                connections.extend(
                    running.map(|handle| Connection::new(dialect, access, handle.status.clone())),
                );
            }
        }
        connections
    }

    /// The limits and times of a side's connections, as the
    /// [policy](super::ClientBuilder::connection_policy) has them.
    pub fn limits(&self, dialect: Dialect, access: Access) -> Limits {
        // Sides that this client cannot use were not asked for their limits.
        let set = self.0.limits.get(&(dialect, access)).copied();
        set.unwrap_or_else(|| Limits::of(dialect, access))
    }

    fn start(
        &self,
        side: Side,
        standing: Arc<Standing>,
        gate: Arc<Gate>,
        roster: Arc<Roster>,
    ) -> Result<Handle, Error> {
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
        let address = Address::parse(text)?;
        let (sender, commands) = mpsc::channel(COMMANDS);
        let signals = Arc::new(Signals::default());
        let meters = Meters::new(dialect, access);
        let heard = Arc::new(Heard::new(meters.clone()));
        let refusal = Refusal::default();
        let limits = self.limits(dialect, access);
        let session = Session::resume(dialect, access, limits, standing.pace());
        let (reporter, status) = watch::channel(session.status());
        let driver = Driver {
            dialect,
            session,
            router: Router::new(dialect).metered(meters.clone()),
            observed: Observed::new(side, standing.number, address.server(), meters),
            connector: Connector::new(
                address,
                shared.connect.clone(),
                shared.tls.clone(),
                gate,
                limits.connect_timeout,
            ),
            credentials: shared.credentials.clone().filter(|_| access == Access::Private),
            clock: shared.clock.clone(),
            inflaters: shared.inflaters.clone(),
            commands,
            signals: signals.clone(),
            roster: roster.clone(),
            standing,
            refusal: refusal.clone(),
            status: reporter,
            heard: heard.clone(),
            link: Link::Down,
            access,
            troubles: shared.troubles.clone(),
            clock_doubted: false,
        };
        tokio::spawn(driver.run());
        Ok(Handle { commands: sender, signals, roster, refusal, heard, status })
    }
}

pub(super) const fn service(side: Side) -> Service {
    match side {
        (Dialect::Spot, Access::Public) => Service::SpotWsPublic,
        (Dialect::Spot, Access::Private) => Service::SpotWsPrivate,
        (Dialect::Futures, Access::Public) => Service::FuturesWsPublic,
        (Dialect::Futures, Access::Private) => Service::FuturesWsPrivate,
    }
}

/// A seed for the jitter. Without randomness reconnections are merely less spread out.
pub(super) fn seed() -> u64 {
    let mut bytes = [0; 8];
    let _ = getrandom::getrandom(&mut bytes);
    u64::from_ne_bytes(bytes)
}
