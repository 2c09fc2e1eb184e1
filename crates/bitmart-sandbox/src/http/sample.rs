//! Answers of the routes that the sandbox has no behaviour for.

use std::{collections::HashMap, sync::OnceLock};

use serde_json::{Map, Value};

use super::{Answer, Params};
use crate::generated::{Presence, Route, samples};

/// Where an answer comes from that the exchange did not compute; sent as `X-Sandbox-Answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The sample that BitMart publishes.
    Sample,
    /// A body with the described fields, where there is no published sample.
    Plausible,
}

impl Origin {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::Plausible => "plausible",
        }
    }
}

/// The sample of a route, once its required parameters are there.
pub(super) fn answer(route: &Route, params: &Params) -> (Answer, Option<Origin>) {
    for field in route.params.iter().filter(|field| field.presence == Presence::Required) {
        if params.is_absent(field.name) {
            return (Err(params.missing(field.name)), None);
        }
    }
    let sample = table().get(route.id).cloned().unwrap_or_default();
    let published = sample["published"] == true;
    let origin = if published { Origin::Sample } else { Origin::Plausible };
    (Ok(sample["data"].clone()), Some(origin))
}

/// All samples by the id of their route, read when the first one is needed.
fn table() -> &'static HashMap<String, Value> {
    static TABLE: OnceLock<HashMap<String, Value>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let read = |text| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
        samples().flat_map(read).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated::routes;

    #[test]
    fn every_route_has_a_sample() {
        let missing: Vec<_> =
            routes().map(|route| route.id).filter(|id| !table().contains_key(*id)).collect();
        assert!(missing.is_empty(), "no sample for {missing:?}");
    }
}
