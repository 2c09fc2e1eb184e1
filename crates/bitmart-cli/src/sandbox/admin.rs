//! The running sandbox and its admin API.

use std::path::PathBuf;
use std::time::Duration;

use bitmart::rest::bytes::Bytes;
use bitmart::rest::http::{HeaderValue, Request, StatusCode, header};
use bitmart::rest::transport::TransportError;
use bitmart::rest::transport::{HyperTransport, Transport as _};
use bitmart::sandbox::operator::{Call, OperatorCall};
use bitmart::types::Roots;
use serde_json::{Map, Value};

use crate::failure::{Exit, Failure, chain};
use crate::ready_file::ReadyFile;
use crate::secure_fs;

/// Timeout of a call.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout of the call that checks whether a sandbox is running.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Maximum size of a response in bytes. A snapshot contains the complete state.
const MAX_RESPONSE: usize = 1 << 30;

/// The file in which `sandbox up` stores its ready line.
pub(super) fn ready_file() -> Option<PathBuf> {
    Some(secure_fs::config_dir()?.join("sandbox").join("ready.json"))
}

/// The sandbox that `sandbox up` runs. The file alone may be stale, so the sandbox has to respond.
pub(super) async fn running() -> Option<ReadyFile> {
    let ready = ReadyFile::parse(&std::fs::read_to_string(ready_file()?).ok()?)?;
    let admin = Admin::new(&ready).ok()?;
    let probe = admin.exchange("GET", "/", Bytes::new());
    let calls = read(&tokio::time::timeout(PROBE_TIMEOUT, probe).await.ok()?.ok()?).ok()?;
    calls.get("calls").is_some().then_some(ready)
}

/// The admin API of a sandbox. Without `Debug`: it holds the token.
pub(super) struct Admin {
    address: String,
    authorization: HeaderValue,
    transport: HyperTransport,
}

impl Admin {
    pub(super) fn new(ready: &ReadyFile) -> Result<Self, Failure> {
        let address = ready.admin().ok_or_else(|| {
            Failure::usage("this sandbox has no admin API; start it with --admin")
        })?;
        let token = ready.admin_token().unwrap_or_default();
        let mut authorization = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Failure::usage("the admin_token of this sandbox is malformed"))?;
        authorization.set_sensitive(true);
        let transport = HyperTransport::builder()
            .roots(Roots::none())
            .build()
            .map_err(|error| Failure::io(chain(&error)))?;
        Ok(Self { address: address.to_owned(), authorization, transport })
    }

    /// Makes a call and returns its response.
    pub(super) async fn call<C: OperatorCall>(&self, call: &C) -> Result<Value, Failure> {
        let fields = match serde_json::to_value(call) {
            Ok(Value::Object(fields)) => fields,
            _ => Map::new(),
        };
        self.send(&Call::of::<C>(), fields).await
    }

    /// Makes a call with these fields and returns its response.
    pub(super) async fn send(
        &self,
        call: &Call,
        fields: Map<String, Value>,
    ) -> Result<Value, Failure> {
        read(&self.fetch(call, fields).await?)
    }

    /// Makes a call with these fields and returns the body of the response.
    pub(super) async fn fetch(
        &self,
        call: &Call,
        fields: Map<String, Value>,
    ) -> Result<Bytes, Failure> {
        let (path, body) = call.request(fields);
        self.exchange(call.method(), &path, body.into()).await
    }

    /// An address that opens the console, once and within a minute.
    pub(super) async fn console_login_url(&self) -> Result<String, Failure> {
        let response = read(&self.exchange("POST", "/console/codes", Bytes::new()).await?)?;
        let path = response["path"].as_str().unwrap_or_default();
        Ok(format!("{}{path}", self.address))
    }

    async fn exchange(&self, method: &str, path: &str, body: Bytes) -> Result<Bytes, Failure> {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.address))
            .header(header::AUTHORIZATION, self.authorization.clone())
            .body(body)
            .map_err(|error| Failure::usage(chain(&error)))?;
        let response = tokio::time::timeout(CALL_TIMEOUT, async {
            let (head, body) = self.transport.send(request).await?.into_parts();
            Ok::<_, TransportError>((head.status, body.collect(MAX_RESPONSE).await?))
        });
        let (status, body) = match response.await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(unreachable(&chain(&error))),
            Err(_) => return Err(unreachable("timed out")),
        };
        if status == StatusCode::OK {
            return Ok(body);
        }
        let text = read(&body).ok().and_then(|body| Some(body["error"].as_str()?.to_owned()));
        Err(Failure::new(Exit::Rejected, text.unwrap_or_else(|| format!("HTTP {status}"))))
    }
}

fn unreachable(why: &str) -> Failure {
    Failure::new(Exit::NotSent, format!("the sandbox does not respond: {why}"))
}

fn read(body: &[u8]) -> Result<Value, Failure> {
    serde_json::from_slice(body)
        .map_err(|_| Failure::io("the address is not the admin API of a sandbox"))
}
