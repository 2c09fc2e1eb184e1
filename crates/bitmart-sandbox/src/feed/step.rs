//! Periodic pushes: books, changed values, and positions.

use bitmart_sim::Exchange;

use super::{
    Feed,
    channel::{schedule, values},
    futures,
    schedule::Schedule,
};
use crate::{
    fault::Fault,
    generated::{
        Host,
        channels::{ChannelId, FuturesPrivate},
    },
    wire::{self, topic::Topic},
};

impl Feed {
    /// Advances by one step: refreshes the books and pushes all topics that are due.
    pub(crate) fn step(&mut self, exchange: &Exchange, now_ms: u64) {
        self.steps += 1;
        self.subscriptions.begin_command();
        self.books.refresh_spot(exchange);
        let futures_books_due = self.is_due(self.futures_book_steps);
        if futures_books_due {
            self.books.refresh_futures(exchange);
        }
        self.push_periodic(exchange, now_ms);
        let public = self.subscriptions.topics().filter(|topic| !topic.is_private());
        let public: Vec<Topic> = public.cloned().collect();
        for topic in public {
            match schedule(topic.channel, self.futures_book_steps) {
                Some(Schedule::Book) => match topic.channel.host() {
                    Host::Spot => self.push_spot_book(exchange, &topic, now_ms),
                    Host::Futures if futures_books_due => {
                        self.push_futures_book(exchange, &topic, now_ms);
                    }
                    Host::Futures => {}
                },
                Some(Schedule::Changes { steps, .. }) if self.is_due(steps) => {
                    let values = values(exchange, &topic, now_ms);
                    for value in self.subscriptions.changed(&topic, values) {
                        self.push(&topic, value, None, now_ms);
                    }
                }
                Some(Schedule::Always { steps }) if self.is_due(steps) => {
                    for value in values(exchange, &topic, now_ms) {
                        self.push(&topic, value, None, now_ms);
                    }
                }
                Some(Schedule::Changes { .. } | Schedule::Always { .. } | Schedule::Trades)
                | None => {}
            }
        }
    }

    fn is_due(&self, steps: u64) -> bool {
        self.steps.is_multiple_of(steps)
    }

    /// Applies the fault `VersionGap`: the topic permanently skips `versions` versions. Returns whether it applied.
    fn skip(&mut self, topic: &Topic, versions: u64) -> bool {
        let skips = self.faults.take(&topic.text, |fault| fault == Fault::VersionGap).is_some();
        if skips {
            self.books.skip(topic, versions);
        }
        skips
    }

    /// Pushes a spot book. An unchanged book is pushed once a second, empty and with the same version.
    fn push_spot_book(&mut self, exchange: &Exchange, topic: &Topic, now_ms: u64) {
        let changed = self.books.is_changed(topic);
        // The version of an unchanged book does not advance, so a gap needs one version more.
        let skipped = self.skip(topic, if changed { 1 } else { 2 });
        let due = changed || skipped || self.is_due(10);
        if !due {
            return;
        }
        if let Some(value) = self.books.update(exchange, topic) {
            self.push(topic, value, None, now_ms);
        }
    }

    fn push_futures_book(&mut self, exchange: &Exchange, topic: &Topic, now_ms: u64) {
        self.skip(topic, 1);
        if let Some(value) = self.books.update(exchange, topic) {
            self.push(topic, value, None, now_ms);
        }
    }

    /// Pushes the private channels that are pushed periodically, to the subscribers of each account.
    fn push_periodic(&mut self, exchange: &Exchange, now_ms: u64) {
        for channel in FuturesPrivate::ALL {
            let due = futures::push_interval(channel).is_some_and(|steps| self.is_due(steps));
            let channel_id = ChannelId::FuturesPrivate(channel);
            let topics = if due {
                self.subscriptions.topics_for(channel_id, &"".into())
            } else {
                Vec::new()
            };
            for topic in topics {
                for account in exchange.accounts().map(|account| account.id) {
                    if let Some(value) = wire::futures::stream::periodic(channel, exchange, account)
                    {
                        self.push(&topic, value, Some(account), now_ms);
                    }
                }
            }
        }
    }
}
