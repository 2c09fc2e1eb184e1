//! What an export will take, roughly, told before anything is asked: the plan is gone through, and counted.

use std::collections::BTreeMap;

use bitmart::rest::Metadata;

use super::progress::clock;

/// Requests that are left, and the time that the limits make of them.
#[derive(Debug, Default)]
pub(super) struct Forecast {
    /// Requests of each dataset.
    counted: BTreeMap<String, u64>,
    requests: u64,
    millis: u64,
}

impl Forecast {
    /// Counts the requests of a dataset.
    pub(super) fn add(&mut self, name: &str, endpoint: &Metadata, requests: u64) {
        // A plan may come to one twice.
        if self.counted.insert(name.to_owned(), requests).is_some() {
            return;
        }
        self.requests += requests;
        if let Some(limit) = endpoint.limit {
            let window = u64::from(limit.window_secs) * 1_000;
            self.millis += requests * window / u64::from(limit.count.max(1));
        }
    }

    /// The requests of each dataset.
    pub(super) fn lists(&self) -> impl Iterator<Item = (String, u64)> {
        self.counted.iter().map(|(name, requests)| (name.clone(), *requests))
    }

    /// Windows that are full are asked again in parts, what goes by the rows of other lists is not known
    /// yet, and a list that the exchange denies takes one request.
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
    use bitmart::rest::catalog::ENDPOINTS;

    use super::Forecast;

    #[test]
    fn each_dataset_counts_once_at_the_speed_of_its_limit() {
        let of = |id: &str| ENDPOINTS.iter().find(|entry| entry.metadata.id == id).expect(id);
        let orders = &of("spot_order_history").metadata;
        let limit = orders.limit.expect("a limit");
        let mut forecast = Forecast::default();
        for _ in 0..2 {
            forecast.add("orders", orders, u64::from(limit.count) * 60);
        }
        let minutes = limit.window_secs;
        let told = forecast.line(true);
        let wanted = format!("about {} requests, {minutes} min by the limits;", limit.count * 60);
        assert!(told.starts_with(&wanted), "{told}");
        assert!(!forecast.line(false).contains("limits"));
    }
}
