//! Durations that are a number of milliseconds or seconds on the wire.

/// An optional duration in whole milliseconds.
pub(crate) mod millis_opt {
    use std::time::Duration;

    use bitmart_types::codec;
    use serde::{Deserializer, Serializer};

    #[expect(clippy::ref_option, reason = "serde passes fields this way")]
    pub(crate) fn serialize<S: Serializer>(
        value: &Option<Duration>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => {
                serializer.serialize_u64(u64::try_from(value.as_millis()).unwrap_or(u64::MAX))
            }
            None => serializer.serialize_none(),
        }
    }
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Duration>, D::Error> {
        let millis: Option<u64> = codec::number_opt::deserialize(deserializer)?;
        Ok(millis.map(Duration::from_millis))
    }
}

/// A duration in whole seconds.
pub(crate) mod seconds {
    use std::time::Duration;

    use bitmart_types::codec;
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(
        value: &Duration,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(value.as_secs())
    }
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Duration, D::Error> {
        codec::number::deserialize(deserializer).map(Duration::from_secs)
    }
}
