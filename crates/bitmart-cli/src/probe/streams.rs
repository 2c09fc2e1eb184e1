//! Subscribes to every channel for a short time.

use std::collections::BTreeMap;
use std::time::Duration;

use bitmart::types::Service;
use bitmart::ws::catalog::{self, Channel};
use bitmart::ws::{Market, Update};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::result_folder::ResultFolder;
use super::values::Values;
use crate::failure::{Failure, chain};
use crate::record::Frame;
use crate::target::Target;
use crate::watch::topics::ChannelTopic;

/// Number of frames that are stored per channel.
const FRAMES: usize = 2;
/// Capacity of the queue of received frames.
const QUEUE: usize = 256;

/// Subscribes to all channels until each has sent enough frames or the time is over.
pub(super) async fn all(
    target: &Target,
    values: &Values,
    results: &mut ResultFolder,
    time: Duration,
) -> Result<usize, Failure> {
    let client = target.stream_client()?;
    let (sender, mut frames) = mpsc::channel(QUEUE);
    let mut subscribed: BTreeMap<&str, (&Channel, usize)> = BTreeMap::new();
    for channel in catalog::channels() {
        let topic =
            ChannelTopic::from_wire_name(&topic_name(channel.market, channel.pattern, values))
                .map_err(Failure::io)?;
        if let Some(reason) = unavailable(target, channel) {
            results.skip(channel.pattern, reason);
            continue;
        }
        let mut updates = match client.subscribe(topic.topic::<Frame>()).await {
            Ok(updates) => updates,
            Err(error) => {
                results.skip_after_error(channel.pattern, &chain(&error));
                continue;
            }
        };
        subscribed.insert(channel.pattern, (channel, 0));
        let (sender, pattern) = (sender.clone(), channel.pattern);
        tokio::spawn(async move {
            while let Some(update) = updates.next().await {
                let received = match update {
                    Ok(Update::Data(frame)) => Ok(frame.text),
                    Ok(Update::RequestRejected(rejection)) => Err(rejection.to_string()),
                    Ok(_) => continue,
                    Err(error) => Err(chain(&error)),
                };
                if sender.send((pattern, received)).await.is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let deadline = Instant::now() + time;
    while subscribed.values().any(|(_, count)| *count < FRAMES) {
        let Ok(Some((pattern, received))) = timeout_at(deadline, frames.recv()).await else {
            break;
        };
        match received {
            Ok(frame) => {
                let Some((channel, count)) = subscribed.get_mut(pattern) else { continue };
                *count += 1;
                if *count <= FRAMES {
                    results.add_frame(channel, &frame)?;
                }
            }
            Err(reason) => results.add_error(pattern, &reason),
        }
    }
    client.shutdown().await;
    for (pattern, _) in subscribed.iter().filter(|(_, (_, count))| *count == 0) {
        results.skip(pattern, "subscribed, but no frame was received");
    }
    Ok(subscribed.len())
}

fn unavailable(target: &Target, channel: &Channel) -> Option<&'static str> {
    let service = match (channel.market, channel.private) {
        (Market::Spot, false) => Service::SpotWsPublic,
        (Market::Spot, true) => Service::SpotWsPrivate,
        (Market::Futures, false) => Service::FuturesWsPublic,
        (Market::Futures, true) => Service::FuturesWsPrivate,
    };
    if target.environment.address(service).is_err() {
        return Some("this environment has no such host");
    }
    (channel.private && target.credentials.is_none()).then_some("there is no key")
}

/// A topic of a channel, with a symbol and the smallest levels and interval.
fn topic_name(market: Market, pattern: &str, values: &Values) -> String {
    let symbol = match market {
        Market::Spot => values.pair(),
        Market::Futures => values.contract(),
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
    fn every_pattern_becomes_a_known_topic() {
        for channel in catalog::channels() {
            let name = topic_name(channel.market, channel.pattern, &Values::default());
            assert!(!name.contains(['{', '}']), "{name}");
            let named = ChannelTopic::from_wire_name(&name).expect("a channel");
            assert_eq!(named.private, channel.private, "{name}");
        }
    }
}
