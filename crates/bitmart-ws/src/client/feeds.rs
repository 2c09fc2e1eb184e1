//! The topics that a source brings.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bitmart_types::Clock;

use super::endpoints::Endpoint;
use crate::assignments::TopicLease;
use crate::error::Error;
use crate::source::{Feed, Source};
use crate::subscription::DriverHandle;

/// The feeds by endpoint and name of the topic.
type Topics = HashMap<(Endpoint, Arc<str>), Arc<DriverHandle>>;

/// The source of a client and the feed of each topic.
pub(super) struct Feeds {
    source: Arc<dyn Source>,
    clock: Arc<dyn Clock>,
    topics: Mutex<Topics>,
}

impl Feeds {
    pub(super) fn new(source: Arc<dyn Source>, clock: Arc<dyn Clock>) -> Self {
        Self { source, clock, topics: Mutex::default() }
    }

    /// Leases the topic for one more subscription. Opens it at the source if need be.
    pub(super) fn lease(
        &self,
        endpoint: Endpoint,
        topic: &Arc<str>,
    ) -> Result<(Arc<DriverHandle>, TopicLease), Error> {
        let mut topics = self.lock();
        let entry = topics.entry((endpoint, topic.clone()));
        if let Entry::Occupied(entry) = &entry
            && !entry.get().commands.is_closed()
            && let Some(lease) = entry.get().assignments.share(topic)
        {
            return Ok((entry.get().clone(), lease));
        }
        let (mut feed, driver, lease) = Feed::new(endpoint, topic.clone(), self.clock.clone())?;
        entry.insert_entry(driver.clone());
        topics.retain(|_, driver| !driver.commands.is_closed());
        drop(topics);
        let source = self.source.clone();
        tokio::spawn(async move {
            if feed.wait_for_subscriber().await {
                source.open(feed);
            }
        });
        Ok((driver, lease))
    }

    /// The feed of a topic, if it is subscribed.
    pub(super) fn driver_of(&self, endpoint: Endpoint, topic: &str) -> Option<Arc<DriverHandle>> {
        let topics = self.lock();
        let driver = topics.get(&(endpoint, Arc::from(topic)))?;
        driver.assignments.contains(topic).then(|| driver.clone())
    }

    /// The running feeds, with their endpoints.
    pub(super) fn running(&self) -> Vec<(Endpoint, Arc<DriverHandle>)> {
        let topics = self.lock();
        let running = topics.iter().filter(|(_, driver)| !driver.commands.is_closed());
        running.map(|((endpoint, _), driver)| (*endpoint, driver.clone())).collect()
    }

    /// Removes and returns all feeds.
    pub(super) fn take_all(&self) -> Vec<Arc<DriverHandle>> {
        self.lock().drain().map(|(_, driver)| driver).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
