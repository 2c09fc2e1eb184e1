//! An estimate of how many requests an export needs: before anything is sent, the plan is run and only counted.

use std::collections::BTreeMap;

use bitmart::rest::endpoint::Metadata;

use super::progress::clock;

/// Requests that remain, and the time that the rate limits make of them.
#[derive(Debug, Default)]
pub(super) struct Forecast {
    /// Requests by dataset.
    counted: BTreeMap<String, u64>,
    requests: u64,
    millis: u64,
}

impl Forecast {
    /// Counts the requests of a dataset.
    pub(super) fn add(&mut self, name: &str, endpoint: &Metadata, requests: u64) {
        // A plan may contain a dataset twice.
        if self.counted.insert(name.to_owned(), requests).is_some() {
            return;
        }
        self.requests += requests;
        if let Some(limit) = endpoint.limit {
            let window = u64::from(limit.window_secs) * 1_000;
            self.millis += requests * window / u64::from(limit.count.max(1));
        }
    }

    /// The requests by dataset.
    pub(super) fn datasets(&self) -> impl Iterator<Item = (String, u64)> {
        self.counted.iter().map(|(name, requests)| (name.clone(), *requests))
    }

    /// The estimate as text. It is rough: full windows are requested again in parts, datasets that depend on rows
    /// of others are not known yet, and a list that the exchange rejects takes one request.
    pub(super) fn line(&self, limited: bool) -> String {
        let time = if limited {
            format!(", {} by the limits", clock(u128::from(self.millis / 1_000)))
        } else {
            String::new()
        };
        format!(
            "about {} requests{time}; more where much happened and for each contract and margin pair, fewer \
             where the exchange denies a list",
            self.requests
        )
    }
}

#[cfg(test)]
mod tests {
    use bitmart::rest::catalog::find;

    use super::Forecast;

    #[test]
    fn counts_each_dataset_once_at_the_rate_of_its_limit() {
        let orders = &find("spot_order_history").expect("described").metadata;
        let limit = orders.limit.expect("a limit");
        let mut forecast = Forecast::default();
        for _ in 0..2 {
            forecast.add("orders", orders, u64::from(limit.count) * 60);
        }
        let minutes = limit.window_secs;
        let line = forecast.line(true);
        let wanted = format!("about {} requests, {minutes} min by the limits;", limit.count * 60);
        assert!(line.starts_with(&wanted), "{line}");
        assert!(!forecast.line(false).contains("limits"));
    }
}
