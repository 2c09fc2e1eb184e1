//! Faults by name.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::calls::{Nothing, Problem, read};
use crate::{
    address::ADDRESSES,
    fault::{Fault, FaultRule},
    feed::topic::is_topic,
    generated::routes,
    shared::Shared,
};

/// The faults as they are named here, and the field that each needs.
const NAMES: &[(&str, &str)] = &[
    ("delay", "ms"),
    ("hold-before", ""),
    ("hold-after", ""),
    ("drop-before", ""),
    ("drop-after", ""),
    ("html", "status"),
    ("html-after", "status"),
    ("truncated-json", ""),
    ("null-rows", ""),
    ("reset-mid-body", ""),
    ("slow-drip", "ms"),
    ("rate-limited", ""),
    ("banned", ""),
    ("unavailable", ""),
    ("maintenance", ""),
    ("late-history", "ms"),
    ("wrong-accept", ""),
    ("silent-socket", ""),
    ("half-open", ""),
    ("duplicate", ""),
    ("late-push", "ms"),
    ("garbage", ""),
    ("version-gap", ""),
];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFault {
    fault: String,
    on: String,
    times: Option<u32>,
    ms: Option<u64>,
    status: Option<u16>,
}

impl NewFault {
    fn rule(self) -> Result<FaultRule, Problem> {
        let fault = self.fault()?;
        if fault.is_socket() && !is_topic(&self.on) {
            let words = format!("{} strikes a topic, and {:?} is none", self.fault, self.on);
            return Err(Problem::bad(words));
        }
        let handshake = ADDRESSES.contains(&self.on.as_str());
        if handshake && fault.is_handshake() {
            return Ok(fault.on(self.on).times(self.times.unwrap_or(1)));
        }
        if handshake || fault == Fault::WrongAccept {
            let words = format!("{} does not strike {:?}", self.fault, self.on);
            return Err(Problem::bad(words));
        }
        if !fault.is_socket() && !routes().any(|route| route.path == self.on) {
            let words = format!("{} strikes a REST path, and {:?} is none", self.fault, self.on);
            return Err(Problem::bad(words));
        }
        Ok(fault.on(self.on).times(self.times.unwrap_or(1)))
    }

    fn fault(&self) -> Result<Fault, Problem> {
        let name = self.fault.as_str();
        let Some((_, needed)) = NAMES.iter().find(|row| row.0 == name) else {
            let names: Vec<&str> = NAMES.iter().map(|row| row.0).collect();
            let words = format!("there is no fault {name:?}; there is {}", names.join(", "));
            return Err(Problem::bad(words));
        };
        for (field, given) in [("ms", self.ms.is_some()), ("status", self.status.is_some())] {
            match (field == *needed, given) {
                (true, false) => return Err(Problem::bad(format!("{name} needs {field}"))),
                (false, true) => return Err(Problem::bad(format!("{name} takes no {field}"))),
                _ => {}
            }
        }
        let time = Duration::from_millis(self.ms.unwrap_or_default());
        let status = self.status.unwrap_or_default();
        if *needed == "status" && !(200..=599).contains(&status) {
            return Err(Problem::bad("status must be from 200 to 599"));
        }
        Ok(match name {
            "delay" => Fault::Delay(time),
            "hold-before" => Fault::HoldBefore,
            "hold-after" => Fault::HoldAfter,
            "drop-before" => Fault::DropBefore,
            "drop-after" => Fault::DropAfter,
            "html" => Fault::Html(status),
            "html-after" => Fault::HtmlAfter(status),
            "truncated-json" => Fault::TruncatedJson,
            "null-rows" => Fault::NullRows,
            "reset-mid-body" => Fault::ResetMidBody,
            "slow-drip" => Fault::SlowDrip(time),
            "rate-limited" => Fault::RateLimited,
            "banned" => Fault::Banned,
            "unavailable" => Fault::Unavailable,
            "maintenance" => Fault::Maintenance,
            "late-history" => Fault::LateHistory(time),
            "wrong-accept" => Fault::WrongAccept,
            "silent-socket" => Fault::SilentSocket,
            "half-open" => Fault::HalfOpen,
            "duplicate" => Fault::Duplicate,
            "late-push" => Fault::LatePush(time),
            "garbage" => Fault::Garbage,
            _ => Fault::VersionGap,
        })
    }
}

pub(super) fn inject(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let asked: NewFault = read(body)?;
    let answer = json!({ "fault": asked.fault, "on": asked.on, "times": asked.times.unwrap_or(1) });
    shared.inject(asked.rule()?);
    Ok(answer)
}

/// The paths of the requests that are held back.
pub(super) fn held(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Nothing {} = read(body)?;
    Ok(json!({ "held": shared.held.borrow().paths() }))
}

pub(super) fn clear(shared: &Shared, body: &[u8]) -> Result<Value, Problem> {
    let Nothing {} = read(body)?;
    shared.clear_faults();
    Ok(json!({}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(body: Value) -> Result<FaultRule, String> {
        let asked: NewFault = serde_json::from_value(body).expect("the fields of a fault");
        asked.rule().map_err(|problem| problem.words)
    }

    #[test]
    fn every_name_makes_a_fault_of_its_own() {
        let mut made = Vec::new();
        for (name, needed) in NAMES {
            let made_on = |on: &str| {
                let mut body = json!({ "fault": name, "on": on, "times": 2 });
                if !needed.is_empty() {
                    body[needed] = json!(403);
                }
                rule(body).ok()
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
    fn what_is_wrong_is_said() {
        for (body, words) in [
            (json!({ "fault": "rain", "on": "/system/time" }), "there is no fault \"rain\""),
            (json!({ "fault": "delay", "on": "/system/time" }), "delay needs ms"),
            (json!({ "fault": "html", "on": "/system/time", "status": 42 }), "from 200 to 599"),
            (json!({ "fault": "banned", "on": "/system/time", "ms": 1 }), "banned takes no ms"),
            (json!({ "fault": "banned", "on": "/system/tide" }), "strikes a REST path"),
            (json!({ "fault": "garbage", "on": "/system/time" }), "strikes a topic"),
            (json!({ "fault": "banned", "on": "spot/user" }), "does not strike \"spot/user\""),
            (json!({ "fault": "wrong-accept", "on": "/system/time" }), "does not strike"),
        ] {
            let refused = rule(body.clone()).expect_err("a mistake");
            assert!(refused.contains(words), "{body}: {refused}");
        }
    }
}
