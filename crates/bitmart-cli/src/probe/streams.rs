//! Every channel, for a short while.

use std::collections::BTreeMap;
use std::time::Duration;

use bitmart::types::Service;
use bitmart::ws::catalog::{self, Channel};
use bitmart::ws::{Dialect, Update};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::share::Share;
use super::values::Values;
use crate::failure::{Failure, chain};
use crate::record::Frame;
use crate::target::Target;
use crate::watch::topics::Named;

/// Frames that are kept of a channel.
const KEPT: usize = 2;
/// Frames that may wait while others are written.
const WAITING: usize = 256;

/// Follows all channels at once until all have said enough or the time is over.
pub(super) async fn all(
    target: &Target,
    values: &Values,
    share: &mut Share,
    time: Duration,
) -> Result<usize, Failure> {
    let client = target.stream_client()?;
    let (sender, mut frames) = mpsc::channel(WAITING);
    let mut followed: BTreeMap<&str, (&Channel, usize)> = BTreeMap::new();
    for channel in catalog::channels() {
        let topic = Named::wire(&name(channel.dialect, channel.pattern, values))
            .map_err(Failure::machine)?;
        if let Some(reason) = out_of_reach(target, channel) {
            share.not_asked(channel.pattern, reason);
            continue;
        }
        let mut updates = match client.subscribe(topic.topic::<Frame>()).await {
            Ok(updates) => updates,
            Err(error) => {
                share.not_asked(channel.pattern, &chain(&error));
                continue;
            }
        };
        followed.insert(channel.pattern, (channel, 0));
        let (sender, pattern) = (sender.clone(), channel.pattern);
        tokio::spawn(async move {
            while let Some(update) = updates.next().await {
                let said = match update {
                    Ok(Update::Data(frame)) => Ok(frame.text),
                    Ok(Update::RequestRejected(rejection)) => Err(rejection.to_string()),
                    Ok(_) => continue,
                    Err(error) => Err(chain(&error)),
                };
                if sender.send((pattern, said)).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let end = Instant::now() + time;
    while followed.values().any(|(_, count)| *count < KEPT) {
        let Ok(Some((pattern, said))) = timeout_at(end, frames.recv()).await else { break };
        match said {
            Ok(frame) => {
                let Some((channel, count)) = followed.get_mut(pattern) else { continue };
                *count += 1;
                if *count <= KEPT {
                    share.frame(channel, &frame)?;
                }
            }
            Err(reason) => share.differs(pattern, &reason),
        }
    }
    client.shutdown().await;
    for (pattern, _) in followed.iter().filter(|(_, (_, count))| *count == 0) {
        share.not_asked(pattern, "followed, but nothing came while it was");
    }
    Ok(followed.len())
}

fn out_of_reach(target: &Target, channel: &Channel) -> Option<&'static str> {
    let service = match (channel.dialect, channel.private) {
        (Dialect::Spot, false) => Service::SpotWsPublic,
        (Dialect::Spot, true) => Service::SpotWsPrivate,
        (Dialect::Futures, false) => Service::FuturesWsPublic,
        (Dialect::Futures, true) => Service::FuturesWsPrivate,
    };
    if target.environment.address(service).is_err() {
        return Some("this environment has no such host");
    }
    (channel.private && target.credentials.is_none()).then_some("there is no key")
}

/// The topic of a pattern, with a symbol, levels and a step of the smallest kind.
fn name(dialect: Dialect, pattern: &str, values: &Values) -> String {
    let symbol = match dialect {
        Dialect::Spot => values.pair(),
        Dialect::Futures => values.contract(),
    };
    let is_increase = pattern.contains("Increase");
    pattern
        .replace("{symbol}", symbol)
        .replace("{levels}", if is_increase { "50" } else { "5" })
        .replace("{interval}", "1m")
        .replace("{speed}", if is_increase { "@200ms" } else { "" })
        .replace("{currency}", values.currency())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_becomes_a_topic_that_is_known() {
        for channel in catalog::channels() {
            let name = name(channel.dialect, channel.pattern, &Values::default());
            assert!(!name.contains(['{', '}']), "{name}");
            let named = Named::wire(&name).expect("a channel");
            assert_eq!(named.private, channel.private, "{name}");
        }
    }
}
