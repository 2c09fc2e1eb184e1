//! Published rate limits.

use serde::Deserialize;

/// A published limit, written `10 per 2 s by ip`; `unknown` where no source states one.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Limit {
    Unknown,
    Known { count: u32, seconds: u32, scope: Scope },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    Ip,
    Key,
    Uid,
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("limit `{text}`: expected `10 per 2 s by ip|key|uid` or `unknown`");
        let words: Vec<&str> = text.split(' ').collect();
        let [count, "per", seconds, "s", "by", scope] = words.as_slice() else {
            return if text == "unknown" { Ok(Self::Unknown) } else { Err(wrong()) };
        };
        Ok(Self::Known {
            count: count.parse().map_err(|_| wrong())?,
            seconds: seconds.parse().map_err(|_| wrong())?,
            scope: match *scope {
                "ip" => Scope::Ip,
                "key" => Scope::Key,
                "uid" => Scope::Uid,
                _ => return Err(wrong()),
            },
        })
    }
}

impl Limit {
    /// The limit as text for the documentation.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Unknown => "not published".to_owned(),
            Self::Known { count, seconds, scope } => {
                let scope = match scope {
                    Scope::Ip => "address",
                    Scope::Key => "key",
                    Scope::Uid => "user",
                };
                format!("{count} in {seconds} s per {scope}")
            }
        }
    }
}
