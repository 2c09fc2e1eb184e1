//! The running sandbox and calls of its admin API.

use std::path::PathBuf;
use std::time::Duration;

use bitmart::rest::TransportError;
use bitmart::rest::bytes::Bytes;
use bitmart::rest::http::{HeaderValue, Method, Request, StatusCode, header};
use bitmart::rest::transport::{HyperTransport, Transport as _};
use bitmart::types::Roots;
use serde_json::Value;

use super::ready::Ready;
use crate::failure::{Exit, Failure, chain};
use crate::private;

/// How long a sandbox on this machine may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long to wait for one that may not be there.
const KNOCK: Duration = Duration::from_secs(2);
/// The largest answer: a snapshot has everything in it.
const ANSWER: usize = 1 << 30;

/// Where `sandbox up` says how to reach it.
pub(crate) fn ready_file() -> Option<PathBuf> {
    Some(private::home()?.join("sandbox").join("ready.json"))
}

/// The sandbox that `sandbox up` runs. A file that was left behind counts for nothing: the sandbox
/// has to answer.
pub(crate) async fn running() -> Option<Ready> {
    let ready = Ready::parse(&std::fs::read_to_string(ready_file()?).ok()?)?;
    let admin = Admin::of(&ready).ok()?;
    let answer = tokio::time::timeout(KNOCK, admin.get("/")).await.ok()?.ok()?;
    answer.get("calls").is_some().then_some(ready)
}

/// The admin API of a sandbox. Without `Debug`: it holds the token.
pub(super) struct Admin {
    address: String,
    authorization: HeaderValue,
    transport: HyperTransport,
}

impl Admin {
    pub(super) fn of(ready: &Ready) -> Result<Self, Failure> {
        let address = ready.admin().ok_or_else(|| {
            Failure::usage("this sandbox has no admin API; start it with --admin")
        })?;
        let token = ready.admin_token().unwrap_or_default();
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Failure::usage("the admin_token of this sandbox is none"))?;
        authorization.set_sensitive(true);
        let transport = HyperTransport::builder()
            .roots(Roots::none())
            .build()
            .map_err(|error| Failure::machine(chain(&error)))?;
        Ok(Self { address: address.to_owned(), authorization, transport })
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, Failure> {
        read(&self.call(Method::GET, path, Bytes::new()).await?)
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        read(&self.call(Method::POST, path, body.to_string().into()).await?)
    }

    pub(super) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        read(&self.call(Method::DELETE, path, Bytes::new()).await?)
    }

    /// Sends one call and gives its answer as it came.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> Result<Bytes, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header(header::AUTHORIZATION, self.authorization.clone())
            .body(body)
            .map_err(|error| Failure::usage(chain(&error)))?;
        let answer = tokio::time::timeout(PATIENCE, async {
            let (head, body) = self.transport.send(request).await?.into_parts();
            Ok::<_, TransportError>((head.status, body.collect(ANSWER).await?))
        });
        let (status, body) = match answer.await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(gone(&chain(&error))),
            Err(_) => return Err(gone("no answer in time")),
        };
        if status == StatusCode::OK {
            return Ok(body);
        }
        let words = read(&body).ok().and_then(|answer| Some(answer["error"].as_str()?.to_owned()));
        Err(Failure::new(Exit::Refused, words.unwrap_or_else(|| format!("HTTP {status}"))))
    }
}

fn gone(why: &str) -> Failure {
    Failure::new(Exit::NotSent, format!("the sandbox does not answer: {why}"))
}

fn read(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body)
        .map_err(|_| Failure::machine("this address answers, but it is no sandbox's admin API"))
}
