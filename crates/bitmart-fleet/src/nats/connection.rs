//! A connection to NATS and the names of one fleet on it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::{ConnectOptions, Event, jetstream};
use tokio::sync::watch;

use super::options::Login;
use super::table::{self, Table};
use super::{Error, ErrorKind, Options};

/// Longest wait for a response of NATS.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Messages that are queued for one subscription before the client drops some. The client has no limit in bytes, so
/// messages that may be large are moved to a [queue](super::queue) that has one.
const SUBSCRIPTION_CAPACITY: usize = 2_048;
/// Commands, among them messages, that are queued to be sent. If they are that many, sending waits.
const CLIENT_CAPACITY: usize = 128;

#[derive(Clone)]
pub(crate) struct Connection {
    pub(crate) client: async_nats::Client,
    pub(crate) jetstream: jetstream::Context,
    pub(crate) prefix: String,
    /// The number of the connection while it is open, 0 while it is not.
    pub(crate) open: watch::Receiver<u64>,
}

impl Connection {
    pub(crate) async fn open(options: &Options, name: &str) -> Result<Self, Error> {
        options.check()?;
        let (sender, open) = watch::channel(1);
        let counter = AtomicU64::new(0);
        let mut connect = ConnectOptions::new()
            .name(name)
            .subscription_capacity(SUBSCRIPTION_CAPACITY)
            .client_capacity(CLIENT_CAPACITY)
            .request_timeout(Some(REQUEST_TIMEOUT))
            .connection_timeout(REQUEST_TIMEOUT)
            .ping_interval(Duration::from_secs(5))
            // Short at first: a server that restarts is back soon.
            .reconnect_delay_callback(|attempts| {
                Duration::from_millis(50 * (1 << attempts.min(5))).min(Duration::from_secs(1))
            })
            .event_callback(move |event| {
                match event {
                    Event::Connected => {
                        let number = counter.fetch_add(1, Ordering::Relaxed) + 1;
                        sender.send_replace(number);
                    }
                    Event::Disconnected | Event::Closed => {
                        sender.send_replace(0);
                    }
                    _ => {}
                }
                tracing::debug!(target: "bitmart_fleet", "NATS: {event}");
                std::future::ready(())
            });
        connect = match &options.login {
            Some(Login::User(user, password)) => {
                connect.user_and_password(user.clone(), password.clone())
            }
            Some(Login::Token(token)) => connect.token(token.clone()),
            None => connect,
        };
        if let Some(file) = &options.root_certificates {
            connect = connect.add_root_certificates(file.clone());
        }
        let servers: Vec<&str> = options.servers.split(',').map(str::trim).collect();
        let client = connect.connect(servers).await.map_err(|error| {
            // The kind alone: the text may repeat the address with its password.
            Error::new(ErrorKind::Unreachable, format!("NATS: {}", error.kind()))
        })?;
        let mut jetstream = jetstream::new(client.clone());
        jetstream.set_timeout(REQUEST_TIMEOUT);
        Ok(Self { client, jetstream, prefix: options.prefix.clone(), open })
    }

    /// The same connection with a prefix for the leases and the state of an account. The prefix differs, so that
    /// the right to read market data does not include accounts, and that the stream of market data does not store them.
    #[cfg(feature = "account")]
    pub(crate) fn for_account(mut self, name: &str) -> Self {
        self.prefix = format!("{}-account-{name}", self.prefix);
        self
    }

    /// The name of stream and bucket.
    pub(crate) fn store_name(&self) -> String {
        self.prefix.to_uppercase()
    }

    pub(crate) fn member_subject(&self) -> String {
        format!("{}-member", self.prefix)
    }

    pub(crate) fn request_subject(&self, suffix: &str) -> String {
        format!("{}-request.{suffix}", self.prefix)
    }

    /// As [`read_table`](Self::read_table), with a limit that is shorter than the usual one.
    pub(crate) async fn read_table_within(
        &self,
        bucket: &jetstream::kv::Store,
        limit: Duration,
    ) -> Result<Option<(Table, u64)>, Error> {
        let read = tokio::time::timeout(limit, self.read_table(bucket)).await;
        read.unwrap_or_else(|_| Err(Error::jetstream("the table", "no response in time")))
    }

    /// Reads the table and its revision. `None` if it does not exist.
    pub(crate) async fn read_table(
        &self,
        bucket: &jetstream::kv::Store,
    ) -> Result<Option<(Table, u64)>, Error> {
        let entry = bucket.entry(table::KEY).await;
        let Some(entry) = entry.map_err(|error| Error::jetstream("the table", error))? else {
            return Ok(None);
        };
        let table: Option<Table> = serde_json::from_slice(&entry.value).ok();
        match table.filter(Table::is_valid) {
            Some(table) => Ok(Some((table, entry.revision))),
            None => Err(Error::config(format!(
                "the entry {} of the bucket {} is not that of a fleet",
                table::KEY,
                self.store_name()
            ))),
        }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
