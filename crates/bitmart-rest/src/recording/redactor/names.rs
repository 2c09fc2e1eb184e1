//! Member names whose values may be kept. Values of all other names are replaced.

/// The kind of value that a member holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// A word or small number of the exchange's vocabulary: a state, a side, a type.
    Word,
    /// A pair, a contract or a currency.
    Symbol,
    /// A blockchain network.
    Network,
    /// A channel, with its symbol.
    Topic,
    /// A code of success or failure.
    Code,
    /// A sentence that may contain values.
    Message,
    Unknown,
}

/// Names without underscores and in small letters.
const WORDS: &[&str] = &[
    "account",
    "accountstatus",
    "accounttype",
    "action",
    "activationpricetype",
    "addresstype",
    "apikeystatus",
    "batchsubscribestatus",
    "cancelsource",
    "category",
    "entrusttype",
    "event",
    "eventtype",
    "exectype",
    "flowtype",
    "fromaccount",
    "fromwallettype",
    "fundingintervalhours",
    "kyclevel",
    "limit",
    "lockday",
    "margintrading",
    "margintype",
    "method",
    "mode",
    "movetype",
    "n",
    "openordertype",
    "opentype",
    "operationtype",
    "ordermode",
    "orderstate",
    "ordertype",
    "page",
    "currentpage",
    "pagesize",
    "permissions",
    "plancategory",
    "plantype",
    "positionmode",
    "positionside",
    "positiontype",
    "presetstoplosspricetype",
    "presettakeprofitpricetype",
    "pricemaxprecision",
    "priceminprecision",
    "pricetype",
    "priceway",
    "producttype",
    "querystate",
    "recvwindow",
    "risklevel",
    "selectcopytrade",
    "servicetype",
    "side",
    "sizepage",
    "state",
    "status",
    "step",
    "stpmode",
    "subscribestatus",
    "subscribetype",
    "timeinforce",
    "toaccount",
    "towallettype",
    "traderole",
    "tradestatus",
    "triggerpricetype",
    "triggertype",
    "type",
    "userratetype",
    "usertype",
    "verifystatus",
    "way",
];

const SYMBOLS: &[&str] = &[
    "asset",
    "basecurrency",
    "ccy",
    "coin",
    "coincode",
    "coinname",
    "currencies",
    "currency",
    "dealfeecoinname",
    "feeccy",
    "feecoinname",
    "fromcoincode",
    "quotecurrency",
    "rebatecoin",
    "symbol",
    "symbols",
    "tocoincode",
];

const NETWORKS: &[&str] = &["chain", "network"];
const TOPICS: &[&str] = &["group", "table", "topic"];
const CODES: &[&str] = &["code", "errno", "errorcode"];
const MESSAGES: &[&str] = &["errormessage", "message", "msg"];

/// Ends of names of times.
const TIMES: &[&str] = &["time", "timestamp", "date", "_at", "_t", "time_start", "time_end"];
/// Whole names of times.
const SHORT_TIMES: &[&str] = &["t", "ts", "before", "after"];

/// Values that say nothing about anybody, whatever their name.
const KNOWN_WORDS: &[&str] = &[
    "",
    "none",
    "null",
    "nan",
    "na",
    "n/a",
    "ok",
    "success",
    "true",
    "false",
    "market",
    "market price",
    "all",
];

fn plain(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').map(|letter| letter.to_ascii_lowercase()).collect()
}

pub(super) fn class(name: &str) -> Class {
    let name = plain(name);
    let lists = [
        (WORDS, Class::Word),
        (SYMBOLS, Class::Symbol),
        (NETWORKS, Class::Network),
        (TOPICS, Class::Topic),
        (CODES, Class::Code),
        (MESSAGES, Class::Message),
    ];
    let found = lists.into_iter().find(|(names, _)| names.contains(&name.as_str()));
    found.map_or(Class::Unknown, |(_, class)| class)
}

/// Whether a value is kept: its name is known, and it has the form of such values.
pub(super) fn keeps(name: &str, value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let is_of = |more: &[u8], longest: usize| {
        value.len() <= longest
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte))
    };
    match class(name) {
        Class::Word => is_of(b"_ -/", 40) && digits <= 3,
        Class::Symbol => is_symbol(value),
        Class::Network => is_of(b"_ -()", 24) && digits <= 4,
        Class::Topic => is_of(b"_/:@", 64) && digits <= 8,
        Class::Code => is_of(b"_.-", 40) && digits <= 6,
        Class::Message | Class::Unknown => false,
    }
}

/// Whether the text is a pair, a contract or a currency, or several with commas between.
pub(super) fn is_symbol(text: &str) -> bool {
    let is_one = |part: &str| {
        (1..=32).contains(&part.len())
            && part.bytes().any(|byte| byte.is_ascii_alphabetic())
            && part.bytes().all(|byte| {
                byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"_-".contains(&byte)
            })
            && part.bytes().filter(u8::is_ascii_digit).count() <= 8
    };
    text.split(',').all(is_one)
}

pub(super) fn is_time(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SHORT_TIMES.contains(&name.as_str()) || TIMES.iter().any(|end| name.ends_with(end))
}

pub(super) fn is_known_word(text: &str) -> bool {
    KNOWN_WORDS.contains(&text.trim().to_ascii_lowercase().as_str())
}
