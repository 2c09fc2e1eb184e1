//! Member names whose values may be kept. Values of all other names are replaced.
//!
//! What is kept below these names has one of these forms, and all else is replaced:
//!
//! - a word of the exchange's [vocabulary](vocabulary), or a number of up to three digits;
//! - a symbol in capital letters, the name of a network, a channel, or an error code.

mod vocabulary;

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

/// A name in the spelling of the lists.
fn normalized(name: &str) -> String {
    name.chars().filter(|letter| *letter != '_').map(|letter| letter.to_ascii_lowercase()).collect()
}

pub(super) fn class(name: &str) -> Class {
    let name = normalized(name);
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
    let digit_count = value.bytes().filter(u8::is_ascii_digit).count();
    let is_alphanumeric_or = |others: &[u8], max_length: usize| {
        value.len() <= max_length
            && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || others.contains(&byte))
    };
    match class(name) {
        Class::Word => vocabulary::contains(value) || is_small_number(value),
        Class::Symbol => is_symbol(value),
        Class::Network => is_alphanumeric_or(b"_ -()", 24) && digit_count <= 4,
        Class::Topic => is_alphanumeric_or(b"_/:@", 64) && digit_count <= 8,
        Class::Code => is_alphanumeric_or(b"_.-", 40) && digit_count <= 6,
        Class::Message | Class::Unknown => false,
    }
}

/// Whether the text is an integer of at most three digits: a state, a page, a precision.
fn is_small_number(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
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

/// Whether the text is a word of letters, possibly between punctuation marks. A point or colon within it
/// would make it a host or an address.
pub(super) fn is_plain_word(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || b"-'".contains(&byte);
    let is_mark = |letter: char| ",.:;!?()'\"[]#-".contains(letter);
    text.trim_matches(is_mark).bytes().all(is_letter)
}
