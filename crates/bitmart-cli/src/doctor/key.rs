//! Checks the key: whether it works, the string that it signs, its permissions.

use bitmart::Timestamp;
use bitmart::rest::endpoint::Encoder;
use bitmart::rest::{Error, account, spot};

use super::{Finding, exit_and_text};
use crate::auth::check::{KeyCheck, check_key};
use crate::failure::chain;
use crate::target::Target;

/// Causes of error 30005.
const BAD_SIGNATURE: &str = "30005 has four causes: the memo is not the one of this key; the secret belongs to \
                             another key; the sent body differs from the signed body; the parts are not \
                             joined as timestamp#memo#body";

/// Causes of error 30007.
const BAD_TIME: &str = "30007 has four causes: the clock is over a minute off; the request took longer than its \
                        recvWindow; recvWindow is not an integer; it is not from 1 to 60000";

pub(super) async fn check(target: &Target) -> Vec<Finding> {
    if target.credentials.is_none() {
        return vec![Finding::ok("key", "none; `bitmart auth add` stores one")];
    }
    let mut findings = vec![signature(target)];
    // Without clock synchronization, as in other commands.
    let Ok(client) = target.client() else { return findings };
    match check_key(&client, &target.environment).await {
        Ok(KeyCheck::Signature) => {
            findings.push(Finding::ok("key", "key, secret and memo are correct"));
        }
        Ok(KeyCheck::KeyOnly) => {
            findings.push(Finding::ok(
                "key",
                "the key exists; no read in this environment checks the secret",
            ));
            return findings;
        }
        Err(error) => {
            findings.push(rejected(error));
            return findings;
        }
    }
    // BitMart does not document this endpoint, so an error is not a failed check.
    match client.send_detailed(account::QueryAccountInfo::new()).await {
        Ok(info) => {
            let keys = info.data.value().and_then(|info| info.api_keys.clone()).unwrap_or_default();
            let current = keys.iter().find(|key| key.is_current == Some(true));
            let permissions = current.and_then(|key| key.permissions.clone());
            let text = permissions.map_or("unknown".to_owned(), |list| list.join(", "));
            findings.push(Finding::ok("permissions", text));
        }
        Err(error) => {
            findings.push(Finding::ok("permissions", format!("unknown: {}", chain(&error))));
        }
    }
    if let Ok(response) = client.send_detailed(spot::ListOpenOrders::new()).await {
        findings.push(Finding::ok(
            "limit",
            match response.rate_limit {
                Some(state) => format!(
                    "{} of {} requests used in {} s, for open orders",
                    state.used,
                    state.limit,
                    state.window.as_secs()
                ),
                None => "unknown".to_owned(),
            },
        ));
    }
    findings
}

fn rejected(error: Error) -> Finding {
    let advice = match error.code() {
        Some(30005) => BAD_SIGNATURE.to_owned(),
        Some(30007) => BAD_TIME.to_owned(),
        _ => error.advice().unwrap_or("see the checks of hosts and clock").to_owned(),
    };
    let (exit, text) = exit_and_text(error);
    Finding::failed("key", exit, text, advice)
}

/// The string that is signed for a read, with a masked memo.
fn signature(target: &Target) -> Finding {
    let now = Timestamp::now();
    let body = Encoder::new(&target.environment).ok().and_then(|encoder| {
        let encoder = encoder.with_credentials(target.credentials.clone()?).ok()?;
        let request = encoder.encode(&spot::ListOpenOrders::new(), now).ok()?;
        Some(String::from_utf8_lossy(request.body()).into_owned())
    });
    match body {
        Some(body) => Finding::ok("string to sign", format!("{}#***#{body}", now.as_millis())),
        None => Finding::ok("string to sign", "this environment has no signed read"),
    }
}
