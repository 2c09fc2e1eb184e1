//! The key: whether it works, what it signs, what it may do.

use bitmart::Timestamp;
use bitmart::rest::{Encoder, Error, account, spot};

use super::{Finding, trouble};
use crate::auth::check::{Proof, prove};
use crate::failure::chain;
use crate::target::Target;

/// Why 30005 is answered.
const BAD_SIGNATURE: &str = "30005 means one of four: the memo is not the one chosen for this key; the secret \
                             is another key's; the body sent is not the body signed; the parts are not \
                             joined as timestamp#memo#body";

/// Why 30007 is answered.
const BAD_TIME: &str = "30007 means one of four: the clock is over a minute off; the request took longer than \
                        its recvWindow; recvWindow is no whole number; it is not from 1 to 60000";

pub(super) async fn check(target: &Target) -> Vec<Finding> {
    if target.credentials.is_none() {
        return vec![Finding::good("key", "none; `bitmart auth add` stores one")];
    }
    let mut findings = vec![signature(target)];
    // Without a synchronised clock, as all commands send.
    let Ok(client) = target.client() else { return findings };
    match prove(&client, &target.environment).await {
        Ok(Proof::Signature) => {
            findings.push(Finding::good("key", "key, secret and memo are right"));
        }
        Ok(Proof::Key) => {
            findings.push(Finding::good("key", "the key is known; nothing here proves the secret"));
            return findings;
        }
        Err(error) => {
            findings.push(refused(error));
            return findings;
        }
    }
    // BitMart does not document this call, so a refusal is no trouble.
    match client.send_detailed(account::QueryAccountInfo::new()).await {
        Ok(info) => {
            let keys = info.data.value().and_then(|info| info.api_keys.clone()).unwrap_or_default();
            let current = keys.iter().find(|key| key.is_current == Some(true));
            let permissions = current.and_then(|key| key.permissions.clone());
            let text = permissions.map_or("not told".to_owned(), |list| list.join(", "));
            findings.push(Finding::good("permissions", text));
        }
        Err(error) => {
            findings.push(Finding::good("permissions", format!("not told: {}", chain(&error))));
        }
    }
    if let Ok(answer) = client.send_detailed(spot::ListOpenOrders::new()).await {
        findings.push(Finding::good(
            "limit",
            match answer.rate_limit {
                Some(state) => format!(
                    "{} of {} requests used in {} s, for open orders",
                    state.used,
                    state.limit,
                    state.window.as_secs()
                ),
                None => "the exchange does not tell".to_owned(),
            },
        ));
    }
    findings
}

fn refused(error: Error) -> Finding {
    let advice = match error.code() {
        Some(30005) => BAD_SIGNATURE.to_owned(),
        Some(30007) => BAD_TIME.to_owned(),
        _ => error.advice().unwrap_or("see the findings on hosts and clock").to_owned(),
    };
    let (exit, text) = trouble(error);
    Finding::bad("key", exit, text, advice)
}

/// The string that is signed for a read, with the memo hidden.
fn signature(target: &Target) -> Finding {
    let now = Timestamp::now();
    let body = Encoder::new(&target.environment).ok().and_then(|encoder| {
        let encoder = encoder.with_credentials(target.credentials.clone()?).ok()?;
        let request = encoder.encode(&spot::ListOpenOrders::new(), now).ok()?;
        Some(String::from_utf8_lossy(request.body()).into_owned())
    });
    match body {
        Some(body) => Finding::good("string to sign", format!("{}#***#{body}", now.as_millis())),
        None => Finding::good("string to sign", "this environment has no signed read"),
    }
}
