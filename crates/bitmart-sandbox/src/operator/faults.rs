//! Faults by name, and closing of all WebSockets.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Call, Effect, Operator, OperatorCall, OperatorError,
    describe::{Described, Field, Kind, calls, field, kinds, response},
};
use crate::{
    address::ADDRESSES,
    fault::{Fault, FaultRule, HeldPaths},
    generated::routes,
    shared::Shared,
    wire::topic::is_topic,
};

calls! {
    /// List the faults that wait for their target, oldest first, and the requests that are held back.
    Reads "GET /faults" => active_faults(ListFaults) -> ActiveFaults {}

    /// List the paths of the requests that are held back (`hold-before`, `hold-after`).
    Reads "GET /faults/held" => held_requests(ListHeldRequests) -> HeldRequests {}

    /// Inject a fault into the next responses of a path, into a topic or into the handshakes of a WebSocket
    /// address.
    Transient "POST /faults" => inject_fault(InjectFault) -> InjectedFault {
        /// Name of the fault.
        fault: FaultName = "drop-after",
        /// REST path, topic such as `spot/ticker:BTC_USDT`, or WebSocket address such as `spot/api`.
        on: String = "/spot/v2/submit_order",
        /// Number of times; 1 if absent.
        times: Option<u32> = 1,
        /// Milliseconds of `delay`, `slow-drip`, `late-history` and `late-push`.
        ms: Option<u64>,
        /// HTTP status of `html` and `html-after`, from 200 to 599.
        status: Option<u16>,
    }

    /// Clear all faults. Requests that are held back go on; sockets that have become silent stay silent.
    Transient "DELETE /faults" => clear_faults(ClearFaults) -> ClearedFaults {}

    /// Close every WebSocket connection without a close frame.
    Transient "POST /sockets/kill" => kill_sockets(KillSockets) -> KilledSockets {}
}

response! {
    /// Requests that are held back.
    HeldRequests {
        /// Their paths.
        held: Vec<String> = ["/spot/v2/submit_order"],
    }
}

response! {
    /// A fault that waits for its target.
    InjectedFault {
        /// Name of the fault.
        fault: FaultName = "drop-after",
        /// Its target.
        on: String = "/spot/v2/submit_order",
        /// Number of times.
        times: u32 = 1,
    }
}

response! {
    /// Faults that wait for their target, and requests that are held back.
    ActiveFaults {
        /// REST and handshakes, then topics.
        faults: Vec<InjectedFault>,
        /// The paths of the requests that are held back.
        held: Vec<String> = ["/spot/v2/submit_order"],
    }
}

response! {
    /// There are no faults any more.
    ClearedFaults {}
}

response! {
    /// Connections that were closed.
    KilledSockets {
        /// Their number.
        killed: usize = 3,
    }
}

/// The constructor of a fault from the fields of a call.
#[derive(Clone, Copy)]
enum Constructor {
    Plain(Fault),
    Duration(fn(Duration) -> Fault),
    Status(fn(u16) -> Fault),
}

/// Every fault by its name.
const FAULTS: [(&str, Constructor); 23] = [
    ("delay", Constructor::Duration(Fault::Delay)),
    ("hold-before", Constructor::Plain(Fault::HoldBefore)),
    ("hold-after", Constructor::Plain(Fault::HoldAfter)),
    ("drop-before", Constructor::Plain(Fault::DropBefore)),
    ("drop-after", Constructor::Plain(Fault::DropAfter)),
    ("html", Constructor::Status(Fault::Html)),
    ("html-after", Constructor::Status(Fault::HtmlAfter)),
    ("truncated-json", Constructor::Plain(Fault::TruncatedJson)),
    ("null-rows", Constructor::Plain(Fault::NullRows)),
    ("reset-mid-body", Constructor::Plain(Fault::ResetMidBody)),
    ("slow-drip", Constructor::Duration(Fault::SlowDrip)),
    ("rate-limited", Constructor::Plain(Fault::RateLimited)),
    ("banned", Constructor::Plain(Fault::Banned)),
    ("unavailable", Constructor::Plain(Fault::Unavailable)),
    ("maintenance", Constructor::Plain(Fault::Maintenance)),
    ("late-history", Constructor::Duration(Fault::LateHistory)),
    ("wrong-accept", Constructor::Plain(Fault::WrongAccept)),
    ("silent-socket", Constructor::Plain(Fault::SilentSocket)),
    ("half-open", Constructor::Plain(Fault::HalfOpen)),
    ("duplicate", Constructor::Plain(Fault::Duplicate)),
    ("late-push", Constructor::Duration(Fault::LatePush)),
    ("garbage", Constructor::Plain(Fault::Garbage)),
    ("version-gap", Constructor::Plain(Fault::VersionGap)),
];

const NAMES: [&str; FAULTS.len()] = {
    let mut names = [""; FAULTS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = FAULTS[at].0;
        at += 1;
    }
    names
};

/// The name of a fault, such as `drop-after`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultName(String);

impl FaultName {
    /// Every name.
    pub const ALL: &'static [&'static str] = &NAMES;

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<String>> From<T> for FaultName {
    fn from(name: T) -> Self {
        Self(name.into())
    }
}

kinds! { FaultName: Kind::OneOf(&NAMES) }

impl InjectFault {
    /// Checks that there is such a fault and that it applies to its target.
    #[cfg_attr(not(feature = "console"), allow(dead_code, reason = "only scenarios are checked"))]
    pub(crate) fn check(&self) -> Result<(), String> {
        self.rule().map(drop)
    }

    fn rule(&self) -> Result<FaultRule, String> {
        let (name, on) = (&self.fault.0, self.on.as_str());
        let fault = self.fault()?;
        let handshake = ADDRESSES.contains(&on);
        if fault.is_socket() && !is_topic(on) {
            return Err(format!("{name} needs a topic, which {on:?} is not"));
        }
        if handshake && !fault.is_handshake() || !handshake && fault == Fault::WrongAccept {
            return Err(format!("{name} does not apply to {on:?}"));
        }
        if !handshake && !fault.is_socket() && !routes().any(|route| route.path == on) {
            return Err(format!("{name} needs a REST path, which {on:?} is not"));
        }
        if self.times == Some(0) {
            return Err("times must be at least 1".to_owned());
        }
        Ok(fault.on(on).times(self.times.unwrap_or(1)))
    }

    fn fault(&self) -> Result<Fault, String> {
        let name = self.fault.0.as_str();
        let Some((_, constructor)) = FAULTS.iter().find(|row| row.0 == name) else {
            return Err(format!("there is no fault {name:?}; there is {}", NAMES.join(", ")));
        };
        let needs = |field: &str| format!("{name} needs {field}");
        let fault = match constructor {
            Constructor::Plain(fault) => *fault,
            Constructor::Duration(constructor) => {
                constructor(Duration::from_millis(self.ms.ok_or_else(|| needs("ms"))?))
            }
            Constructor::Status(constructor) => {
                constructor(self.status.ok_or_else(|| needs("status"))?)
            }
        };
        if self.ms.is_some() && !matches!(constructor, Constructor::Duration(_)) {
            return Err(format!("{name} takes no ms"));
        }
        match (constructor, self.status) {
            (Constructor::Status(_), Some(200..=599)) | (_, None) => Ok(fault),
            (Constructor::Status(_), _) => Err("status must be from 200 to 599".to_owned()),
            _ => Err(format!("{name} takes no status")),
        }
    }
}

fn held_requests(_: ListHeldRequests, shared: &Shared) -> Result<HeldRequests, OperatorError> {
    Ok(HeldRequests { held: held_paths(shared) })
}

fn held_paths(shared: &Shared) -> Vec<String> {
    shared.held_paths.borrow().paths().to_vec()
}

fn active_faults(_: ListFaults, shared: &Shared) -> Result<ActiveFaults, OperatorError> {
    let row = |rule: &FaultRule| InjectedFault {
        fault: rule.fault().name().into(),
        on: rule.target().to_owned(),
        times: rule.remaining(),
    };
    let mut faults: Vec<InjectedFault> = shared.faults().active().iter().map(row).collect();
    faults.extend(shared.state().feed.faults.active().iter().map(row));
    Ok(ActiveFaults { faults, held: held_paths(shared) })
}

fn inject_fault(call: InjectFault, shared: &Shared) -> Result<InjectedFault, OperatorError> {
    shared.inject(call.rule().map_err(OperatorError::InvalidFault)?);
    Ok(InjectedFault { fault: call.fault, on: call.on, times: call.times.unwrap_or(1) })
}

fn clear_faults(_: ClearFaults, shared: &Shared) -> Result<ClearedFaults, OperatorError> {
    shared.faults().clear();
    shared.state().feed.faults.clear();
    shared.held_paths.send_modify(HeldPaths::release);
    Ok(ClearedFaults {})
}

fn kill_sockets(_: KillSockets, shared: &Shared) -> Result<KilledSockets, OperatorError> {
    let killed = shared.state().feed.sockets();
    shared.control.send_modify(|control| control.kills += 1);
    Ok(KilledSockets { killed })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn rule(body: Value) -> Result<FaultRule, String> {
        serde_json::from_value::<InjectFault>(body).expect("the fields of a fault").rule()
    }

    #[test]
    fn every_name_constructs_a_different_fault() {
        let mut made = Vec::new();
        for (name, constructor) in FAULTS {
            let made_on = |on: &str| {
                let mut body = json!({ "fault": name, "on": on, "times": 2 });
                match constructor {
                    Constructor::Plain(_) => {}
                    Constructor::Duration(_) => body["ms"] = json!(403),
                    Constructor::Status(_) => body["status"] = json!(403),
                }
                rule(body).inspect(|rule| assert_eq!(rule.fault().name(), name)).ok()
            };
            let targets = ["/system/time", "spot/ticker:BTC_USDT", "spot/api"];
            made.extend(targets.into_iter().find_map(made_on));
        }
        assert_eq!(made.len(), NAMES.len());
        for (at, one) in made.iter().enumerate() {
            assert!(!made[..at].contains(one), "{one:?}");
        }
    }

    #[test]
    fn invalid_faults_are_rejected_with_the_cause() {
        for (body, text) in [
            (json!({ "fault": "rain", "on": "/system/time" }), "there is no fault \"rain\""),
            (json!({ "fault": "delay", "on": "/system/time" }), "delay needs ms"),
            (json!({ "fault": "html", "on": "/system/time", "status": 42 }), "from 200 to 599"),
            (json!({ "fault": "banned", "on": "/system/time", "ms": 1 }), "banned takes no ms"),
            (json!({ "fault": "banned", "on": "/system/tide" }), "needs a REST path"),
            (json!({ "fault": "garbage", "on": "/system/time" }), "needs a topic"),
            (json!({ "fault": "banned", "on": "spot/user" }), "does not apply to \"spot/user\""),
            (json!({ "fault": "wrong-accept", "on": "/system/time" }), "does not apply"),
        ] {
            let rejected = rule(body.clone()).expect_err("an error");
            assert!(rejected.contains(text), "{body}: {rejected}");
        }
    }
}
