//! The Lua script by which Redis counts permits, its arguments and its replies.

use std::time::Duration;

use bitmart_rest::endpoint::LimitScope;
use bitmart_rest::limit::{Budget, RateLimitState, RequestEnd, ThrottleReason};
use redis::{Cmd, FromRedisValue, ParsingError, Value};

use super::connection::{Failure, Link, Open};
use super::error::StoreError;

/// Larger limits are cut to these. The limiter of `bitmart-rest` has the same bounds.
const MAX_PERMITS: u32 = 10_000;
const MAX_WINDOW: Duration = Duration::from_secs(60);

const TEXT: &str = include_str!("budget.lua");

/// The script. Servers know it by its hash after its first use.
#[derive(Clone, Debug)]
pub(super) struct Script {
    text: String,
    hash: String,
}

impl Script {
    pub(super) fn new() -> Self {
        Self::from_text(TEXT.to_owned())
    }

    fn from_text(text: String) -> Self {
        let hash = redis::Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    /// The script with another text in one place.
    #[cfg(feature = "broken-script")]
    pub(super) fn replace(&self, from: &str, to: &str) -> Self {
        assert_eq!(self.text.matches(from).count(), 1, "`{from}` is not in the script once");
        Self::from_text(self.text.replace(from, to))
    }

    /// Calls the script by its hash, or sends its text if the server does not know it.
    pub(super) async fn call<T: FromRedisValue>(
        &self,
        link: &Link,
        open: &Open,
        call: &Call<'_>,
    ) -> Result<T, StoreError> {
        match link.send(open, &call.command(self, Form::Hash)).await {
            Err(Failure::NoScript) => {}
            reply => return reply.map_err(StoreError::from),
        }
        Ok(link.send(open, &call.command(self, Form::Text)).await?)
    }

    /// The same for several calls in one round trip.
    pub(super) async fn call_all(
        &self,
        link: &Link,
        open: &Open,
        calls: &[Call<'_>],
    ) -> Result<(), StoreError> {
        let pipeline = |form| {
            let mut pipeline = redis::Pipeline::with_capacity(calls.len());
            for call in calls {
                pipeline.add_command(call.command(self, form)).ignore();
            }
            pipeline
        };
        match link.send_all(open, &pipeline(Form::Hash)).await {
            Err(Failure::NoScript) => {}
            reply => return reply.map_err(StoreError::from),
        }
        Ok(link.send_all(open, &pipeline(Form::Text)).await?)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NoScript => Self::Failed("the script is not known".to_owned()),
            Failure::Store(error) => error,
        }
    }
}

/// What a budget counts, as the keys and arguments of the script that are the same in all calls.
#[derive(Debug)]
pub(super) struct Subject {
    keys: [String; 8],
    /// Requests per window, the window in microseconds, and the headroom in percent. 0 requests: the limit is not
    /// known.
    limit: [u64; 3],
}

impl Subject {
    /// Keys begin with `{namespace}`, so that a cluster keeps them on one node.
    pub(super) fn new(namespace: &str, address: &str, budget: &Budget) -> Self {
        let scope = match (budget.scope(), budget.key_id()) {
            (LimitScope::Key, Some(user)) => format!("key:{user}"),
            (LimitScope::Uid, Some(user)) => format!("user:{user}"),
            _ => format!("ip:{address}"),
        };
        let key = |kind: &str| format!("{{{namespace}}}:{kind}:{}:{scope}", budget.endpoint());
        let (count, window) = budget.limit().map_or((0, Duration::ZERO), |limit| {
            (limit.count.min(MAX_PERMITS), Duration::from_secs(limit.window_secs.into()))
        });
        let window = window.min(MAX_WINDOW);
        let count = if window.is_zero() { 0 } else { count };
        Self {
            keys: [
                format!("{{{namespace}}}:epoch"),
                key("flying"),
                key("ended"),
                key("stated-ended"),
                key("queue"),
                key("due"),
                key("stated"),
                format!("{{{namespace}}}:ban:ip:{address}"),
            ],
            limit: [count.into(), micros(window), budget.headroom().into()],
        }
    }
}

/// How a call refers to the script.
#[derive(Clone, Copy)]
enum Form {
    /// By its hash, which a server knows after the first use.
    Hash,
    Text,
}

/// A call of the script.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) subject: &'a Subject,
    pub(super) operation: Operation<'a>,
}

#[derive(Debug)]
pub(super) enum Operation<'a> {
    Acquire(Acquire<'a>),
    /// Ends permits. If they were not granted yet, the caller leaves the queue, in which it has the number `first`.
    End {
        prefix: &'a str,
        first: u64,
        count: u64,
        end: RequestEnd,
    },
    Settle(RateLimitState),
    Pause(Duration),
    Ban(Duration),
}

#[derive(Debug)]
pub(super) struct Acquire<'a> {
    /// The run id of the server to which the connection was opened.
    pub(super) run_id: &'a str,
    /// The settings that must be equal in all processes.
    pub(super) settings: &'a str,
    /// How long a permit is in use at most if its process dies.
    pub(super) lifetime: Duration,
    /// The process. With a number, it names a permit.
    pub(super) prefix: &'a str,
    /// The number of the first permit.
    pub(super) first: u64,
    /// How many permits are wanted.
    pub(super) wanted: u64,
    pub(super) max_wait: Duration,
    pub(super) poll: Duration,
    pub(super) grace: Duration,
}

impl Call<'_> {
    fn command(&self, script: &Script, form: Form) -> Cmd {
        let (name, script) = match form {
            Form::Hash => ("EVALSHA", &script.hash),
            Form::Text => ("EVAL", &script.text),
        };
        let mut command = redis::cmd(name);
        command.arg(script);
        command.arg(self.subject.keys.len()).arg(&self.subject.keys);
        let mut operation = |name: &str| {
            command.arg(name).arg(&self.subject.limit);
        };
        match &self.operation {
            Operation::Acquire(acquire) => {
                operation("acquire");
                command.arg(acquire.run_id).arg(acquire.settings).arg(micros(acquire.lifetime));
                command.arg(acquire.prefix).arg(acquire.first).arg(acquire.wanted);
                command.arg(micros(acquire.max_wait)).arg(micros(acquire.poll));
                command.arg(micros(acquire.grace));
            }
            Operation::End { prefix, first, count, end } => {
                operation("end");
                command
                    .arg(prefix)
                    .arg(first)
                    .arg(count)
                    .arg(u8::from(*end == RequestEnd::Counted));
            }
            Operation::Settle(state) => {
                operation("settle");
                command.arg(state.used).arg(state.limit.min(MAX_PERMITS));
                command.arg(micros(state.window.min(MAX_WINDOW)));
            }
            Operation::Pause(duration) => {
                operation("pause");
                command.arg(micros(*duration));
            }
            Operation::Ban(duration) => {
                operation("ban");
                command.arg(micros(*duration));
            }
        }
        command
    }
}

/// The reply to [`Acquire`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// This many permits, of which the first has the requested number.
    Granted(u64),
    /// Nothing is free for this time. If `queued`, the caller has a place in the queue.
    Wait { wait: Duration, reason: ThrottleReason, queued: bool },
    /// The settings of the other processes.
    SettingsDiffer(String),
}

impl FromRedisValue for Reply {
    fn from_redis_value(value: Value) -> Result<Self, ParsingError> {
        let Value::Array(items) = value else {
            return Err("no array".to_owned().into());
        };
        let mut items = items.into_iter();
        let mut next = || items.next().unwrap_or(Value::Nil);
        match u8::from_redis_value(next())? {
            0 => {
                let wait = Duration::from_micros(u64::from_redis_value(next())?);
                let reason = match u8::from_redis_value(next())? {
                    1 => ThrottleReason::LimitReached,
                    2 => ThrottleReason::TooManyRequests,
                    3 => ThrottleReason::Banned,
                    _ => ThrottleReason::BudgetUnavailable,
                };
                Ok(Self::Wait { wait, reason, queued: bool::from_redis_value(next())? })
            }
            1 => Ok(Self::Granted(u64::from_redis_value(next())?)),
            _ => Ok(Self::SettingsDiffer(String::from_redis_value(next())?)),
        }
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX >> 12)
}
