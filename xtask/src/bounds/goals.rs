//! The figures that are compared with a lower bound, and the ratio that each has to meet.

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
    /// The lower bound that it is compared with.
    pub(super) bound: &'static str,
    pub(super) bench: Bench,
    /// How the line begins below which the figure stands.
    pub(super) title: &'static str,
    /// How the line of the figure begins.
    pub(super) row: &'static str,
    /// The word behind the figure.
    pub(super) unit: &'static str,
    pub(super) limit: Limit,
    /// The work that explains the difference, and why it is not removed. Shown if the goal is missed.
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
55,800 instructions of the client's thread against 25,500. hyper's task of the connection with TLS takes 19,600 of \
either, the runtime 1,600. Of the rest, 9,600 sign the order, most of it SHA-256 without SHA instructions; 4,700 \
validate and write it; 6,800 find the connection and hand the request to hyper, which takes bare hyper 3,900 with its \
response; 4,600 check the envelope and decode the response; 1,100 read the body and return the connection; about 7,600 \
pass request and response through limits, deadline, times and the check for extra responses. Bare hyper sends finished \
bytes and decodes nothing.";
const IN_FLIGHT: &str = "\
about the same work for each request as one at a time: 55,200 instructions against 24,000 besides the runtime, counted \
with the handshakes of the client's connections.";
const DEPTH: &str = "\
103,600 instructions against 67,300. Inflating is the difference: 71,800 with zlib-rs and its check for UTF-8, 36,900 \
with libdeflate. Finding the channel and decoding takes 31,900, by hand 30,500. libdeflate is written in C, and reads \
only complete streams: a frame that ends with a sync flush, as a server may send it, is an error there.";
const DEPTH_SNAPSHOT: &str = "\
173,200 instructions against 122,800, of which 113,200 inflate with zlib-rs and its check for UTF-8, and 63,200 with \
libdeflate. Finding the channel and decoding takes 59,900, by hand 59,600.";
const DEPTH_CHANGES: &str = "\
40,100 instructions against 21,600, of which 31,500 inflate with zlib-rs and its check for UTF-8, and 15,700 with \
libdeflate. Finding the channel and decoding takes 8,600, by hand 5,900, which looks at no names of members.";
const TICKER: &str = "\
38,200 instructions against 17,900, of which 28,100 inflate with zlib-rs and its check for UTF-8, and 13,600 with \
libdeflate. Finding the channel and decoding takes 10,100, by hand 4,300: serde finds each of 13 members by its name, \
in any order, and each may be absent or unreadable, while the hand takes numbers in the order of this frame.";
const BLANKS: &str = "\
13,700 instructions more than the same frame without blanks: 200 bytes more to inflate and to check, and 200 places \
at which a blank is looked for after the usual bytes were not there. To look for blanks inside the loop over the \
levels saves 2,900 of them, and costs every frame 1,100.";
const UNKNOWN_MEMBER: &str = "\
820 instructions more than a frame with known members alone; the other difference is that of every such frame.";
const SOCKET_TO_USER: &str = "\
about 4,500 instructions a frame besides the 110,000 of the loop, which inflates and decodes with the same code: \
2,200 in the task of the connection (commands, timers, the time of receipt), 1,500 in the session (whether the frame \
is an acknowledgement, and which channel it names), 1,300 to find the subscriber and to queue the book, while frames \
are read with 500 fewer. The loop drops each book at once; here up to 32 wait in the queue.";
const IDLE_MEMORY: &str = "\
24,000 bytes in use: 10,200 of TLS (4,096 the buffer of rustls for a record, 1,900 session tickets and their table, \
1,150 the stream, 1,120 the keys), 9,000 of the connection (2,560 its task, 1,300 its queue of commands) and 4,800 \
of the client, since each connection of this bench has a client of its own. The rest is what the allocator rounds \
up.";
const TOPIC_MEMORY: &str = "\
about 770 bytes in use: 160 the queue, 160 its place for one book, 90 the table of symbols, 72 the subscriber, 80 \
the subscription, 80 the session, 80 the router's list and the leases, 48 the name. The rest is what the allocator \
rounds up, and the commands of all topics at once.";
const LEVELS_READ: &str = "\
13,770 instructions, 68 a level, against 13,650 for the same over two plain vectors of levels: going through the book \
adds 120. The rest compares decimals for the largest size, which is what this bench does with each level.";

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
    decode("decode a frame of depth50", "depth50", "bitmart-ws", 1_200).because(DEPTH),
    decode("decode a snapshot of a book", SNAPSHOT, "bitmart-ws", 1_200).because(DEPTH_SNAPSHOT),
    decode("decode an update of a book", UPDATE, "bitmart-ws", 1_200).because(DEPTH_CHANGES),
    decode("decode a ticker", "ticker", "bitmart-ws", 1_200).because(TICKER),
    decode("decode a trade", "trade", "bitmart-ws", 1_200),
    decode("depth50 with blanks", "depth50", "bitmart-ws, with blanks", 1_500).because(BLANKS),
    decode("depth50 with an unknown member", "depth50", "bitmart-ws, unknown member", 1_500)
        .because(UNKNOWN_MEMBER),
    goal(
        "socket to user: time",
        PLAIN_LOOP,
        (STREAM, SOCKET, "elapsed", "x"),
        Limit::AtMost(1_080),
    )
    .because(SOCKET_TO_USER),
    goal(
        "socket to user: processor time",
        PLAIN_LOOP,
        (STREAM, SOCKET, "processor", "x"),
        Limit::AtMost(1_080),
    )
    .because(SOCKET_TO_USER),
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
    )
    .because(IDLE_MEMORY),
    goal("memory of a further topic", "–", (STREAM, IDLE, "", "bytes"), Limit::AtMost(1_000_000))
        .because(TOPIC_MEMORY),
    goal(
        "read 200 levels of a published book",
        "–",
        (BOOK, "a published book", "read all levels of it", "ns"),
        Limit::AtMost(800_000),
    )
    .because(LEVELS_READ),
];

const fn decode(work: &'static str, title: &'static str, row: &'static str, limit: u64) -> Goal {
    goal(work, BY_HAND, (DECODE, title, row, "x"), Limit::AtMost(limit))
}
