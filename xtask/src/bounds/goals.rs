//! What is compared with a lower bound, and how close it has to be.

/// A bench, and how it is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bench {
    pub(super) package: &'static str,
    pub(super) name: &'static str,
    pub(super) arguments: &'static [&'static str],
    /// The median of the runs counts.
    pub(super) runs: usize,
}

pub(super) const BENCHES: &[Bench] = &[SIGN, ENCODE, ROUND_TRIP, DECODE, BOOK, STREAM];

const SIGN: Bench = quick("bitmart-auth", "sign");
const ENCODE: Bench = quick("bitmart-rest", "encode");
const ROUND_TRIP: Bench = quick("bitmart-rest", "roundtrip");
const DECODE: Bench = quick("bitmart-ws", "decode");
const BOOK: Bench = quick("bitmart-ws", "book");
/// Its rounds are many and long already.
const STREAM: Bench =
    Bench { package: "bitmart-ws", name: "stream", arguments: &["--without-many"], runs: 1 };

const fn quick(package: &'static str, name: &'static str) -> Bench {
    Bench { package, name, arguments: &[], runs: 3 }
}

/// A limit of a figure, in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    AtMost(u64),
    AtLeast(u64),
}

/// A figure in the output of a bench.
#[derive(Clone, Copy, Debug)]
pub(super) struct Goal {
    pub(super) work: &'static str,
    /// What it is compared with.
    pub(super) bound: &'static str,
    pub(super) bench: Bench,
    /// How the line begins below which the figure stands.
    pub(super) title: &'static str,
    /// How the line of the figure begins.
    pub(super) row: &'static str,
    /// The word behind the figure.
    pub(super) unit: &'static str,
    pub(super) limit: Limit,
    /// What the difference pays for, and why it stays. Shown if the goal is missed.
    pub(super) why: &'static str,
}

impl Goal {
    const fn because(self, why: &'static str) -> Self {
        Self { why, ..self }
    }
}

const fn goal(
    work: &'static str,
    bound: &'static str,
    (bench, title, row, unit): (Bench, &'static str, &'static str, &'static str),
    limit: Limit,
) -> Goal {
    Goal { work, bound, bench, title, row, unit, limit, why: "" }
}

const HYPER: &str = "bare hyper";
const BY_HAND: &str = "libdeflate, parsed by hand";
const PLAIN_LOOP: &str = "a plain loop";
const TRIP: &str = "round trip over TLS, one at a time";
const SNAPSHOT: &str = "increase100, snapshot";
const UPDATE: &str = "increase100, update";
const SOCKET: &str = "book of 50 levels a side, socket to user";
const IDLE: &str = "20 idle TLS connections";

const SIGNATURE: &str = "\
470 instructions around ring's hash: the digits of the time, one message out of three parts (hashing the parts takes \
longer), wiping the memo from the stack, 64 hexadecimal digits. ring alone gets the finished message and writes no \
digits. With SHA instructions the hash is so short that this is a large part of it.";
const REQUEST: &str = "\
5,400 instructions besides the signature, 2,960 by hand. 2,780 write the JSON through serde, which escapes every text; \
700 validate symbol, identifier and fields; 1,900 make the header map and the address that hyper takes, where the hand \
writes one text. Without serde the JSON of each endpoint would have to be written by hand. There are at most 5 \
allocations, which a test counts.";
const TRIP_TIME: &str = "\
the processor time below, and one system call more: 5 instead of 4. It asks the socket before each request whether an \
extra response has arrived, which would be taken for the response to the request. No timer is registered and no task \
is started for a request.";
const TRIP_PROCESSOR: &str = "\
57,300 instructions of the client's thread against 25,600, counted before three changes: the pool compared hosts \
instead of hashing them, a new connection was opened in a box of its own, and a body was checked for UTF-8 once. Of \
the 57,300, 9,600 sign the order, most of it SHA-256 without SHA instructions; 5,400 validate and write it; 5,000 \
check the envelope and decode the response; 900 find the connection and its limit; 1,200 read clocks for deadline and \
times; about 5,000 pass request and response through limits, deadline and the check for extra responses. Bare hyper \
sends finished bytes and decodes nothing.";
const IN_FLIGHT: &str = "\
about the same work for each request as one at a time, 51,700 instructions against 25,000, counted with the handshakes \
of their connections.";

/// In the order of the table.
pub(super) const GOALS: &[Goal] = &[
    goal(
        "signature as hex",
        "ring alone",
        (SIGN, "sign an order", "bitmart-auth", "x"),
        Limit::AtMost(1_150),
    )
    .because(SIGNATURE),
    goal(
        "typed order to signed request",
        "the same bytes written by hand",
        (ENCODE, "order to signed request", "Encoder::encode", "x"),
        Limit::AtMost(1_450),
    )
    .because(REQUEST),
    goal(
        "round trip over TLS: time",
        HYPER,
        (ROUND_TRIP, TRIP, "median", "x"),
        Limit::AtMost(1_100),
    )
    .because(TRIP_TIME),
    goal(
        "round trip over TLS: processor time",
        HYPER,
        (ROUND_TRIP, TRIP, "processor", "x"),
        Limit::AtMost(1_180),
    )
    .because(TRIP_PROCESSOR),
    goal(
        "requests a second, 64 in flight",
        HYPER,
        (ROUND_TRIP, "64 in flight", "requests", "x"),
        Limit::AtLeast(880),
    )
    .because(IN_FLIGHT),
    decode("decode a frame of depth50", "depth50", "bitmart-ws", 1_200),
    decode("decode a snapshot of a book", SNAPSHOT, "bitmart-ws", 1_200),
    decode("decode an update of a book", UPDATE, "bitmart-ws", 1_200),
    decode("decode a ticker", "ticker", "bitmart-ws", 1_200),
    decode("decode a trade", "trade", "bitmart-ws", 1_200),
    decode("depth50 with blanks", "depth50", "bitmart-ws, with blanks", 1_500),
    decode("depth50 with an unknown member", "depth50", "bitmart-ws, unknown member", 1_500),
    goal(
        "socket to user: time",
        PLAIN_LOOP,
        (STREAM, SOCKET, "elapsed", "x"),
        Limit::AtMost(1_080),
    ),
    goal(
        "socket to user: processor time",
        PLAIN_LOOP,
        (STREAM, SOCKET, "processor", "x"),
        Limit::AtMost(1_080),
    ),
    goal(
        "2,000 topics, socket to user: 99.9 %",
        "plain loops in the same thread",
        (STREAM, "latency with 2000 topics", "p99.9", "x"),
        Limit::AtMost(1_500),
    ),
    goal(
        "memory of an idle TLS connection with a topic",
        "–",
        (STREAM, IDLE, "memory", "KiB"),
        Limit::AtMost(28_000),
    ),
    goal("memory of a further topic", "–", (STREAM, IDLE, "", "bytes"), Limit::AtMost(1_000_000)),
    goal(
        "read 200 levels of a published book",
        "–",
        (BOOK, "a published book", "read all levels of it", "ns"),
        Limit::AtMost(800_000),
    ),
];

const fn decode(work: &'static str, title: &'static str, row: &'static str, limit: u64) -> Goal {
    goal(work, BY_HAND, (DECODE, title, row, "x"), Limit::AtMost(limit))
}
