//! Opens what the collectors of a fleet have set up on NATS, for readers.

use async_nats::jetstream::context::{GetStreamError, GetStreamErrorKind, KeyValueError};
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{ErrorCode, kv};

use super::table::Table;
use super::{Connection, Error, ErrorKind, Options};

pub(crate) struct Store {
    pub(crate) connection: Connection,
    pub(crate) stream: Stream<()>,
    pub(crate) bucket: kv::Store,
    pub(crate) table: Table,
    /// The revision of the table.
    pub(crate) revision: u64,
}

impl Store {
    /// Connects, under this name. Fails if no collector has set up the fleet.
    pub(crate) async fn open(options: &Options, name: &str) -> Result<Self, Error> {
        let connection = Connection::open(options, name).await?;
        let missing = || {
            let message =
                "no collector has set up this fleet: start one first, or check the prefix";
            Error::new(ErrorKind::NotSetUp, message)
        };
        let bucket = connection.jetstream.get_key_value(connection.store_name()).await;
        let bucket = bucket.map_err(|error| {
            if is_not_found(&error) { missing() } else { Error::jetstream("the bucket", error) }
        })?;
        let stream = connection.jetstream.get_stream_no_info(connection.store_name()).await;
        let stream = stream.map_err(|error| Error::jetstream("the stream", error))?;
        let Some((table, revision)) = connection.read_table(&bucket).await? else {
            return Err(missing());
        };
        Ok(Self { connection, stream, bucket, table, revision })
    }
}

/// Whether `JetStream` has no such bucket, and not another reason to refuse it.
fn is_not_found(error: &KeyValueError) -> bool {
    let source = std::error::Error::source(error);
    let source = source.and_then(|source| source.downcast_ref::<GetStreamError>());
    source.is_some_and(|error| match error.kind() {
        GetStreamErrorKind::JetStream(error) => error.error_code() == ErrorCode::STREAM_NOT_FOUND,
        _ => false,
    })
}
