//! The subjects of `cargo xtask growth`: of what the number grows, and what is measured.

/// The program that measures a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measurer {
    /// The program `measure`, which calls a library.
    Library,
    /// The program `measure`, which starts the program `bitmart`.
    Export,
    /// The bench of the sandbox's engine.
    Engine,
}

pub(super) struct Subject {
    /// Its name on the command line.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) measurer: Measurer,
    /// The things whose number grows, in the plural.
    pub(super) unit: &'static str,
    /// The numbers of things, in ascending order.
    pub(super) sizes: &'static [u64],
    pub(super) about: &'static str,
    /// Title of the column of times.
    pub(super) time: &'static str,
    /// Title of the column of bytes.
    pub(super) memory: &'static str,
    /// An explanation that follows the outcome.
    pub(super) note: &'static str,
}

pub(super) const SUBJECTS: &[Subject] = &[
    Subject {
        name: "topics",
        title: "Topics of a stream",
        measurer: Measurer::Library,
        unit: "topics",
        sizes: &[1, 10, 100, 1_000, 2_300],
        about: "One stream of many `depth50` topics over as many connections as the exchange requires; 2,300 is\n\
                what it allows. The server is in memory; its writing is part of the time, and its buffers of the\n\
                memory. The frames have 5 levels a side.",
        time: "time of a frame",
        memory: "memory of a topic, with its share of the connections",
        note: "",
    },
    Subject {
        name: "levels",
        title: "Levels of an order book",
        measurer: Measurer::Library,
        unit: "levels a side",
        sizes: &[10, 100, 1_000, 5_000],
        about: "An update changes up to 7 levels a side, most of them in the better half.",
        time: "time of an update",
        memory: "memory of a level",
        note: "",
    },
    Subject {
        name: "engine",
        title: "Open orders in the sandbox's engine",
        measurer: Measurer::Engine,
        unit: "open orders",
        sizes: &[100, 1_000, 10_000, 100_000, 1_000_000],
        about: "Of 100 commands 15 match at once; the others place orders that rest, and cancel.",
        time: "time of a command",
        memory: "memory of an order",
        note: "",
    },
    Subject {
        name: "export",
        title: "Rows of an export",
        measurer: Measurer::Export,
        unit: "rows",
        sizes: &[1_000, 10_000, 100_000, 1_000_000],
        about: "`bitmart export` of deposits from a server on the same machine, in pages of up to 1,000 rows,\n\
                from the start of the program to its end.",
        time: "time of a row",
        memory: "most memory of the program",
        note: "",
    },
    Subject {
        name: "limiter",
        title: "Tasks at the rate limiter",
        measurer: Measurer::Library,
        unit: "tasks",
        sizes: &[1, 10, 100, 1_000, 10_000],
        about: "All tasks want a permit of one limit at once, and about a quarter gets one in each window.\n\
                The clock jumps from window to window; the transport responds at once.",
        time: "processor time of a request",
        memory: "memory of a waiting request, task included",
        note: "",
    },
    Subject {
        name: "tracker",
        title: "Orders of the account tracker",
        measurer: Measurer::Library,
        unit: "open orders",
        sizes: &[10, 100, 1_000, 10_000, 100_000],
        about: "Updates of random open orders: each is filled a little further.",
        time: "time of an update",
        memory: "memory of an order",
        note: "",
    },
];
