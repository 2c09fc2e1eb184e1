//! The frames of the server.

use crate::dialect::Market;

pub(super) fn name(number: u8) -> String {
    format!("spot/y:C{number}")
}

pub(super) fn logged_in(market: Market) -> String {
    match market {
        Market::Spot => r#"{"event":"login"}"#,
        Market::Futures => r#"{"action":"access","success":true}"#,
    }
    .to_owned()
}

pub(super) fn acknowledgement(market: Market, operation: &str, topic: &str) -> String {
    match market {
        Market::Spot => format!(r#"{{"event":"{operation}","topic":"{topic}"}}"#),
        Market::Futures => {
            format!(r#"{{"action":"{operation}","group":"{topic}","success":true}}"#)
        }
    }
}

/// Spot sends no topic in its rejections, futures no code.
pub(super) fn rejection(market: Market, operation: &str, topic: Option<&str>, code: u32) -> String {
    match (market, topic) {
        (Market::Spot, _) => {
            format!(r#"{{"event":"{operation}","errorCode":"{code}","errorMessage":"no"}}"#)
        }
        (Market::Futures, Some(topic)) => {
            format!(r#"{{"action":"{operation}","group":"{topic}","success":false,"error":"no"}}"#)
        }
        (Market::Futures, None) => {
            format!(r#"{{"action":"{operation}","success":false,"error":"no"}}"#)
        }
    }
}
