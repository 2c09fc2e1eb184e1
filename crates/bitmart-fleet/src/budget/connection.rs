//! One connection to Redis for all tasks, opened again after a failure.
//!
//! Connections are managed here and not by the client library, because a new connection may lead to a server that
//! was restarted or replaced. So each call is sent with the run id of the server to which its connection was opened.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, ServerErrorKind};

use super::error::StoreError;
use super::random;

/// Pause after the first failure to connect; it doubles with each.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

pub(super) struct Link {
    client: Client,
    reply_timeout: Duration,
    state: Mutex<State>,
    /// Held by the one task that connects.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    generation: u64,
    failures: u32,
    /// When the next attempt to connect may be made, and why the last one failed.
    next_attempt: Option<(Instant, StoreError)>,
}

/// An open connection.
#[derive(Clone)]
pub(super) struct Open {
    connection: MultiplexedConnection,
    /// The id that the server has chosen at its start. Another one means that it has lost what it counted.
    pub(super) run_id: Arc<str>,
    generation: u64,
}

/// Why a command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server does not know the script: it is sent as a whole.
    NoScript,
    Store(StoreError),
}

impl Link {
    pub(super) fn new(client: Client, reply_timeout: Duration) -> Self {
        Self {
            client,
            reply_timeout,
            state: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        }
    }

    /// Returns the connection, and opens it if necessary. After a failure no attempt is made until the backoff is over:
    /// the error of that failure is returned.
    pub(super) async fn open(&self) -> Result<Open, StoreError> {
        if let Some(known) = self.known() {
            return known;
        }
        let _connecting = self.connecting.lock().await;
        if let Some(known) = self.known() {
            return known;
        }
        let opened = tokio::time::timeout(self.reply_timeout, self.connect()).await;
        let opened = opened.unwrap_or(Err(StoreError::Timeout));
        let mut state = self.lock();
        match opened {
            Ok((connection, run_id)) => {
                state.generation += 1;
                let open = Open { connection, run_id, generation: state.generation };
                state.open = Some(open.clone());
                state.failures = 0;
                state.next_attempt = None;
                Ok(open)
            }
            Err(error) => {
                let backoff = FIRST_BACKOFF * 2u32.pow(state.failures.min(8));
                let pause = random::jitter(backoff.min(MAX_BACKOFF));
                state.failures += 1;
                state.next_attempt = Some((Instant::now() + pause, error.clone()));
                Err(error)
            }
        }
    }

    /// How long until the next attempt to connect; zero if there is a connection.
    pub(super) fn retry_in(&self) -> Duration {
        let state = self.lock();
        let next_attempt = state.next_attempt.as_ref();
        next_attempt.map_or(Duration::ZERO, |(at, _)| at.saturating_duration_since(Instant::now()))
    }

    /// Sends a command. The connection is closed after a failure.
    pub(super) async fn send<T: FromRedisValue>(
        &self,
        open: &Open,
        command: &Cmd,
    ) -> Result<T, Failure> {
        let mut connection = open.connection.clone();
        let reply = tokio::time::timeout(self.reply_timeout, command.query_async(&mut connection));
        self.checked(open, reply.await)
    }

    /// Sends commands at once and waits for all replies.
    pub(super) async fn send_all(
        &self,
        open: &Open,
        commands: &redis::Pipeline,
    ) -> Result<(), Failure> {
        let mut connection = open.connection.clone();
        let reply = tokio::time::timeout(self.reply_timeout, commands.exec_async(&mut connection));
        self.checked(open, reply.await)
    }

    fn checked<T>(
        &self,
        open: &Open,
        reply: Result<redis::RedisResult<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, Failure> {
        let error = match reply {
            Ok(Ok(reply)) => return Ok(reply),
            Ok(Err(error)) => match error.kind() {
                ErrorKind::Server(ServerErrorKind::NoScript) => return Err(Failure::NoScript),
                _ => StoreError::new(&error),
            },
            Err(_) => StoreError::Timeout,
        };
        let mut state = self.lock();
        if state.open.as_ref().is_some_and(|current| current.generation == open.generation) {
            state.open = None;
        }
        Err(Failure::Store(error))
    }

    fn known(&self) -> Option<Result<Open, StoreError>> {
        let state = self.lock();
        if let Some(open) = &state.open {
            return Some(Ok(open.clone()));
        }
        let (at, error) = state.next_attempt.as_ref()?;
        (*at > Instant::now()).then(|| Err(error.clone()))
    }

    async fn connect(&self) -> Result<(MultiplexedConnection, Arc<str>), StoreError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.reply_timeout))
            .set_response_timeout(Some(self.reply_timeout));
        let failed = |error: redis::RedisError| StoreError::new(&error);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = connection.await.map_err(failed)?;
        let mut info = redis::cmd("INFO");
        info.arg("server").arg("memory").arg("replication");
        let info: String = info.query_async(&mut connection).await.map_err(failed)?;
        let run_id = check(&info)?;
        Ok((connection, run_id.into()))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks that a server can count permits, and returns its run id.
fn check(info: &str) -> Result<&str, StoreError> {
    let value = |name: &str| {
        info.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':'))
    };
    if value("role").is_some_and(|role| role != "master") {
        return Err(StoreError::Unsuitable("it is a replica, which cannot write"));
    }
    let bounded = value("maxmemory").is_some_and(|bytes| bytes != "0");
    if bounded && value("maxmemory_policy") != Some("noeviction") {
        return Err(StoreError::Unsuitable(
            "it evicts keys when its memory is full: set `maxmemory-policy noeviction`",
        ));
    }
    value("run_id").ok_or(StoreError::Unsuitable("it does not report the id of its run"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_and_servers_that_evict_are_unsuitable() {
        let good = "run_id:abc\r\nrole:master\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n";
        assert_eq!(check(good), Ok("abc"));
        let full = good.replace("maxmemory:0", "maxmemory:1000");
        assert!(matches!(check(&full), Err(StoreError::Unsuitable(_))));
        assert_eq!(check(&full.replace("allkeys-lru", "noeviction")), Ok("abc"));
        let replica = good.replace("master", "slave");
        assert!(matches!(check(&replica), Err(StoreError::Unsuitable(_))));
        assert!(matches!(check("role:master\r\n"), Err(StoreError::Unsuitable(_))));
    }
}
