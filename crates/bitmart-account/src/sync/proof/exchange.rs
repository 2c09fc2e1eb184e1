//! The exchange: what happens on it, and when its history shows it.

/// What the exchange keeps to, in milliseconds, and what does not change during a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth {
    /// P.
    pub(super) late: i64,
    /// H.
    pub(super) behind: i64,
    /// C.
    pub(super) differ: i64,
    /// The exchange's clock is off by this many percent of C.
    pub(super) offset: i64,
    /// Updates that a queue holds.
    pub(super) capacity: usize,
}

#[derive(Debug)]
pub(super) struct Trade {
    /// When it happened, by the clock of this machine.
    pub(super) at: i64,
    /// The same by the exchange's clock.
    pub(super) stated: i64,
    /// When the history shows it.
    pub(super) listed: i64,
    pub(super) told: bool,
}

/// An order that rests in the book and never fills.
#[derive(Debug)]
pub(super) struct Resting {
    pub(super) at: i64,
    /// When the list of open orders shows it.
    pub(super) listed: i64,
}

/// Rows of an answer: fills with the time that the exchange states, and open orders.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) fills: Vec<(usize, i64)>,
    pub(super) orders: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Exchange {
    truth: Truth,
    pub(super) trades: Vec<Trade>,
    pub(super) resting: Vec<Resting>,
}

impl Exchange {
    pub(super) fn new(truth: Truth) -> Self {
        Self { truth, trades: Vec::new(), resting: Vec::new() }
    }

    /// Something fills. Gives the number of the trade.
    pub(super) fn fill(&mut self, now: i64, behind: i64, differ: i64) -> usize {
        let off = (self.truth.offset + differ).clamp(-100, 100);
        self.trades.push(Trade {
            at: now,
            stated: now + self.truth.differ * off / 100,
            listed: now + behind,
            told: false,
        });
        self.trades.len() - 1
    }

    /// Somebody places an order. Gives its number.
    pub(super) fn place(&mut self, now: i64, behind: i64) -> usize {
        self.resting.push(Resting { at: now, listed: now + behind });
        self.resting.len() - 1
    }

    /// What the history shows of a span, in no order.
    pub(super) fn fills(&self, now: i64, from: i64, until: i64) -> Vec<(usize, i64)> {
        let listed = self.trades.iter().enumerate().rev();
        listed
            .filter(|(_, trade)| from <= trade.stated && trade.stated <= until)
            .filter(|(_, trade)| trade.listed <= now)
            .map(|(id, trade)| (id, trade.stated))
            .collect()
    }

    /// What the list of open orders shows.
    pub(super) fn open(&self, now: i64) -> Vec<usize> {
        let listed = self.resting.iter().enumerate();
        listed.filter(|(_, order)| order.listed <= now).map(|(id, _)| id).collect()
    }
}
