//! Connections over streams in memory, where the clock of the tests can be paused.

use std::time::Duration;

use bitmart_net::{Connect, Stream, from_fn};
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::{ClientBuilder, Outcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::endpoints::client;
use crate::extra_responses::{Numbered, response};

/// Opens connections in memory; the receiver gets their far ends.
pub(crate) fn in_memory_connector() -> (impl Connect, UnboundedReceiver<DuplexStream>) {
    let (sender, dialled) = mpsc::unbounded_channel();
    let connector = from_fn(move |_| {
        let (near, far) = tokio::io::duplex(64 * 1024);
        sender.send(far).unwrap();
        async { Ok(Stream::new(near)) }
    });
    (connector, dialled)
}

/// A client without rate limits, and the far ends of its connections.
fn in_memory() -> (ClientBuilder, UnboundedReceiver<DuplexStream>) {
    let (connector, dialled) = in_memory_connector();
    let builder = client("http://localhost").limiter(Limiter::new(LimitPolicy::Off));
    (builder.connector(connector), dialled)
}

/// Reads a request with its JSON body.
async fn read_request(connection: &mut DuplexStream) {
    while connection.read_u8().await.unwrap() != b'}' {}
}

#[tokio::test(start_paused = true)]
async fn concurrent_requests_use_a_connection_each() {
    const COUNT: u32 = 20;
    let (builder, mut dialled) = in_memory();
    let client = builder.build().unwrap();
    let calls: Vec<_> = (0..COUNT)
        .map(|number| {
            let client = client.clone();
            tokio::spawn(async move { client.send(Numbered { number }).await })
        })
        .collect();
    // None has a response before all have a connection.
    let mut connections = Vec::new();
    for _ in 0..COUNT {
        let mut connection = dialled.recv().await.unwrap();
        read_request(&mut connection).await;
        connections.push(connection);
    }
    for connection in &mut connections {
        connection.write_all(response(7).as_bytes()).await.unwrap();
    }
    for call in calls {
        assert_eq!(call.await.unwrap().unwrap().order_id, "7");
    }
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_not_used_after_one_of_the_same_age_gave_no_response() {
    let (builder, mut dialled) = in_memory();
    let client = builder.timeout(Duration::from_secs(5)).build().unwrap();
    let (one, other) = (client.send(Numbered { number: 1 }), client.send(Numbered { number: 2 }));
    let server = async {
        let mut connections = [dialled.recv().await.unwrap(), dialled.recv().await.unwrap()];
        for connection in &mut connections {
            read_request(connection).await;
            connection.write_all(response(7).as_bytes()).await.unwrap();
        }
        connections
    };
    let (one, other, _idle) = tokio::join!(one, other, server);
    assert!(one.is_ok() && other.is_ok());

    tokio::time::advance(Duration::from_secs(1)).await;
    let error = client.send(Numbered { number: 3 }).await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    assert_eq!(error.outcome(), Outcome::Unknown);
    assert!(dialled.is_empty(), "it used one of the idle connections");

    let server = async {
        let mut connection = dialled.recv().await.unwrap();
        read_request(&mut connection).await;
        connection.write_all(response(4).as_bytes()).await.unwrap();
        connection
    };
    let next = client.send(Numbered { number: 4 });
    let (placed, _connection) = tokio::join!(next, async {
        tokio::time::timeout(Duration::from_secs(60), server).await.expect("a new connection")
    });
    assert_eq!(placed.unwrap().order_id, "4");
}
