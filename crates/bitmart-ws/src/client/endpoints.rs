//! The endpoints of a client, with a pool of connections for each that is in use.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use bitmart_types::Service;
use tokio::sync::{mpsc, watch};

use super::feeds::Feeds;
use super::pool::Pool;
use super::{Client, Connection};
use crate::assignments::{Assignments, TopicLease};
use crate::connect::{ConnectThrottle, Connector};
use crate::dialect::{Access, Limits, Market};
use crate::driver::{
    COMMAND_CAPACITY, ConnectionHistory, Driver, DriverSignals, LoginFailure, Socket,
    SuspendDetector,
};
use crate::error::{Error, ErrorKind};
use crate::observe::{ConnectionObserver, Metrics};
use crate::receive_tracker::ReceiveTracker;
use crate::router::Router;
use crate::session::Session;
use crate::subscription::DriverHandle;

/// A WebSocket endpoint of the exchange. Each has an address, limits and connections of its own.
pub(crate) type Endpoint = (Market, Access);

pub(super) const ENDPOINTS: [Endpoint; 4] = [
    (Market::Spot, Access::Public),
    (Market::Spot, Access::Private),
    (Market::Futures, Access::Public),
    (Market::Futures, Access::Private),
];

/// The pools of the endpoints that were used so far. Boxed, because a hash table reserves more places than it has
/// entries.
pub(super) type Pools = HashMap<Endpoint, Box<Pool>>;

impl Client {
    fn pools(&self) -> MutexGuard<'_, Pools> {
        self.0.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leases the topic on a connection for one more subscription. Starts a connection if need be.
    pub(crate) fn lease(
        &self,
        endpoint: Endpoint,
        topic: &Arc<str>,
    ) -> Result<(Arc<DriverHandle>, TopicLease), Error> {
        if let Some(feeds) = &self.0.feeds {
            return feeds.lease(endpoint, topic);
        }
        self.pools()
            .entry(endpoint)
            .or_insert_with(|| Box::new(Pool::new(&self.limits(endpoint.0, endpoint.1))))
            .lease(topic, |history, throttle, assignments| {
                self.start_driver(endpoint, history, throttle, assignments)
            })
    }

    /// Returns the driver of the connection that carries this topic.
    pub(super) fn driver_of(&self, endpoint: Endpoint, topic: &str) -> Option<Arc<DriverHandle>> {
        if let Some(feeds) = &self.0.feeds {
            return feeds.driver_of(endpoint, topic);
        }
        let pools = self.pools();
        let mut running = pools.get(&endpoint)?.running();
        running.find(|driver| driver.assignments.contains(topic)).cloned()
    }

    /// Signals every driver to end, without waiting for it.
    pub(super) fn shut_down_all(&self) -> Vec<Arc<DriverHandle>> {
        let mut drivers: Vec<_> =
            self.pools().values_mut().flat_map(|pool| pool.take_all()).collect();
        drivers.extend(self.0.feeds.iter().flat_map(Feeds::take_all));
        for driver in &drivers {
            driver.signals.shut_down();
        }
        drivers
    }

    /// Returns the current connections, idle ones included: public and private ones of spot, then
    /// those of futures. With a [source](super::ClientBuilder::source), each topic counts as one.
    pub fn connections(&self) -> Vec<Connection> {
        let pools = self.pools();
        let mut connections = Vec::new();
        for ((market, access), driver) in self.0.feeds.iter().flat_map(Feeds::running) {
            connections.push(Connection::new(market, access, driver.status.clone()));
        }
        for (market, access) in ENDPOINTS {
            let running = pools.get(&(market, access)).into_iter().flat_map(|pool| pool.running());
            connections.extend(
                running.map(|driver| Connection::new(market, access, driver.status.clone())),
            );
        }
        connections
    }

    /// Returns the limits and timeouts of the connections of an endpoint, as set by its
    /// [policy](super::ClientBuilder::connection_policy).
    pub fn limits(&self, market: Market, access: Access) -> Limits {
        // `build` computes the limits only of endpoints that the client can use.
        let limits = self.0.limits.iter().find(|(endpoint, _)| *endpoint == (market, access));
        limits.map_or_else(|| Limits::for_endpoint(market, access), |(_, limits)| *limits)
    }

    fn start_driver(
        &self,
        endpoint: Endpoint,
        history: Arc<ConnectionHistory>,
        throttle: Arc<ConnectThrottle>,
        assignments: Arc<Assignments>,
    ) -> Result<Arc<DriverHandle>, Error> {
        let shared = &*self.0;
        let (market, access) = endpoint;
        if access == Access::Private && shared.credentials.is_none() {
            let message =
                "private topics need credentials: pass them to `ClientBuilder::credentials`";
            return Err(Error::new(ErrorKind::MissingCredentials, message));
        }
        let Some(address) = shared.addresses.get(&endpoint).cloned() else {
            let missing = shared.environment.address(service(endpoint)).err();
            let message = missing.map_or_else(String::new, |error| error.to_string());
            return Err(Error::new(ErrorKind::Config, message));
        };
        let (sender, commands) = mpsc::channel(COMMAND_CAPACITY);
        let signals = Arc::new(DriverSignals::default());
        let metrics = Metrics::new(market, access);
        let receive_tracker = Arc::new(ReceiveTracker::new(metrics.clone()));
        let login_failure = LoginFailure::default();
        let limits = self.limits(market, access);
        let session = Session::with_pacing(market, access, limits, history.pacing());
        let (status_sender, status) = watch::channel(session.status());
        let mut driver = Driver {
            market,
            access,
            session,
            router: Router::new(market).metrics(metrics.clone()),
            is_status_unpublished: false,
            suspend: SuspendDetector::new(),
            observer: ConnectionObserver::new(endpoint, history.number, address.server(), metrics),
            connector: Connector::new(
                address,
                shared.connector.clone(),
                shared.tls.clone(),
                throttle,
                limits.connect_timeout,
            ),
            socket: Socket::Disconnected,
            credentials: shared.credentials.clone().filter(|_| access == Access::Private),
            clock: shared.clock.clone(),
            correct_clock: false,
            inflaters: shared.inflaters.clone(),
            commands,
            signals: signals.clone(),
            assignments: assignments.clone(),
            history,
            login_failure: login_failure.clone(),
            status: status_sender,
            problems: shared.problems.clone(),
            receive_tracker: receive_tracker.clone(),
        };
        tokio::spawn(async move { driver.run().await });
        Ok(Arc::new(DriverHandle {
            commands: sender,
            signals,
            assignments,
            login_failure,
            receive_tracker,
            status,
        }))
    }
}

pub(super) const fn service(endpoint: Endpoint) -> Service {
    match endpoint {
        (Market::Spot, Access::Public) => Service::SpotWsPublic,
        (Market::Spot, Access::Private) => Service::SpotWsPrivate,
        (Market::Futures, Access::Public) => Service::FuturesWsPublic,
        (Market::Futures, Access::Private) => Service::FuturesWsPrivate,
    }
}

/// The field of the [`Environment`](bitmart_types::Environment) with the address.
pub(super) const fn address_setting(endpoint: Endpoint) -> &'static str {
    match endpoint {
        (Market::Spot, Access::Public) => "spot_ws_public",
        (Market::Spot, Access::Private) => "spot_ws_private",
        (Market::Futures, Access::Public) => "futures_ws_public",
        (Market::Futures, Access::Private) => "futures_ws_private",
    }
}

/// Returns a seed for the jitter. Without randomness, reconnections are merely less spread out.
pub(super) fn random_seed() -> u64 {
    let mut bytes = [0; 8];
    let _ = getrandom::getrandom(&mut bytes);
    u64::from_ne_bytes(bytes)
}
