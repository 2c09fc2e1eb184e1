//! The frames of the server.

use crate::dialect::Dialect;

pub(super) fn name(number: u8) -> String {
    format!("spot/y:C{number}")
}

pub(super) fn logged_in(dialect: Dialect) -> String {
    match dialect {
        Dialect::Spot => r#"{"event":"login"}"#,
        Dialect::Futures => r#"{"action":"access","success":true}"#,
    }
    .to_owned()
}

pub(super) fn acknowledgement(dialect: Dialect, operation: &str, topic: &str) -> String {
    match dialect {
        Dialect::Spot => format!(r#"{{"event":"{operation}","topic":"{topic}"}}"#),
        Dialect::Futures => {
            format!(r#"{{"action":"{operation}","group":"{topic}","success":true}}"#)
        }
    }
}

/// Spot sends no topic in its rejections, futures no code.
pub(super) fn rejection(
    dialect: Dialect,
    operation: &str,
    topic: Option<&str>,
    code: u32,
) -> String {
    match (dialect, topic) {
        (Dialect::Spot, _) => {
            format!(r#"{{"event":"{operation}","errorCode":"{code}","errorMessage":"no"}}"#)
        }
        (Dialect::Futures, Some(topic)) => {
            format!(r#"{{"action":"{operation}","group":"{topic}","success":false,"error":"no"}}"#)
        }
        (Dialect::Futures, None) => {
            format!(r#"{{"action":"{operation}","success":false,"error":"no"}}"#)
        }
    }
}
