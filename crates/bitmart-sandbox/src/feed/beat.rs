//! What is pushed by the clock: books, values that change, positions.

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
    /// One beat: refreshes the books and pushes what is due.
    pub(crate) fn tick(&mut self, exchange: &Exchange, now_ms: u64) {
        self.beats += 1;
        self.books.refresh_spot(exchange);
        let futures_books = self.is_due(self.futures_books);
        if futures_books {
            self.books.refresh_futures(exchange);
        }
        self.push_repeated(exchange, now_ms);
        let public = self.subscriptions.topics().filter(|topic| !topic.is_private());
        let public: Vec<Topic> = public.cloned().collect();
        for topic in public {
            match schedule(topic.channel, self.futures_books) {
                Some(Schedule::Book) => match topic.channel.host() {
                    Host::Spot => self.push_spot_book(exchange, &topic, now_ms),
                    Host::Futures if futures_books => {
                        self.push_futures_book(exchange, &topic, now_ms);
                    }
                    Host::Futures => {}
                },
                Some(Schedule::Changes { beats, .. }) if self.is_due(beats) => {
                    let values = values(exchange, &topic, now_ms);
                    for value in self.subscriptions.changed(&topic, values) {
                        self.push(&topic, value, None, now_ms);
                    }
                }
                Some(Schedule::Always { beats }) if self.is_due(beats) => {
                    for value in values(exchange, &topic, now_ms) {
                        self.push(&topic, value, None, now_ms);
                    }
                }
                Some(Schedule::Changes { .. } | Schedule::Always { .. } | Schedule::Trades)
                | None => {}
            }
        }
    }

    fn is_due(&self, beats: u64) -> bool {
        self.beats.is_multiple_of(beats)
    }

    /// The fault: lets a topic skip so many versions, for good.
    fn skip(&mut self, topic: &Topic, versions: u64) -> bool {
        let skips = self.faults.take(&topic.text, |fault| fault == Fault::VersionGap).is_some();
        if skips {
            self.books.skip(topic, versions);
        }
        skips
    }

    /// A book without change repeats itself once a second, empty and with the same version.
    fn push_spot_book(&mut self, exchange: &Exchange, topic: &Topic, now_ms: u64) {
        let changed = self.books.is_changed(topic);
        // The version of a book without change stands: one more would be no gap.
        let skipped = self.skip(topic, if changed { 1 } else { 2 });
        let due = changed || skipped || self.is_due(10);
        if let Some(value) = self.books.value(exchange, topic, false).filter(|_| due) {
            self.push(topic, value, None, now_ms);
        }
    }

    fn push_futures_book(&mut self, exchange: &Exchange, topic: &Topic, now_ms: u64) {
        self.skip(topic, 1);
        if let Some(value) = self.books.value(exchange, topic, false) {
            self.push(topic, value, None, now_ms);
        }
    }

    /// Private channels that are pushed without an event, to each account that is subscribed.
    fn push_repeated(&mut self, exchange: &Exchange, now_ms: u64) {
        for channel in FuturesPrivate::ALL {
            let due = futures::repeats_after(channel).is_some_and(|beats| self.is_due(beats));
            let channel_id = ChannelId::FuturesPrivate(channel);
            let topics =
                if due { self.subscriptions.about(channel_id, &"".into()) } else { Vec::new() };
            for topic in topics {
                for account in exchange.accounts.keys() {
                    if let Some(value) =
                        wire::futures::stream::repeated(channel, exchange, *account)
                    {
                        self.push(&topic, value, Some(*account), now_ms);
                    }
                }
            }
        }
    }
}
