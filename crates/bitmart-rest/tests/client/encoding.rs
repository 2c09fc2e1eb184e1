//! Compressed responses, and bytes around the JSON text.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use bitmart_rest::catalog::{ENDPOINTS, EndpointEntry};
use bitmart_rest::endpoint::{Payload, decode};
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_rest::transport::TransportErrorKind;
use bitmart_rest::{Client, ErrorKind, Outcome, Unexpected};
use bitmart_types::{Environment, Service};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::value::RawValue;

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER, PlaceOrder, ReadOrder, client};
use crate::mock::response;
use crate::server::{self, Server};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn deflate(text: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

type Change = (&'static str, &'static str, fn(&[u8]) -> Vec<u8>);

/// Changes to a body that preserve its content: name, encoding, function.
const CHANGES: &[Change] = &[
    ("gzip", "gzip", gzip),
    ("deflate in zlib", "deflate", zlib),
    ("deflate alone", "deflate", deflate),
    ("gzip that is announced but not applied", "gzip", <[u8]>::to_vec),
    ("byte-order mark", "", |text| ["\u{feff}".as_bytes(), text].concat()),
    ("trailing NUL", "", |text| [text, b"\0"].concat()),
    ("trailing blanks", "identity", |text| [text, b" \0\0\r\n"].concat()),
    ("all at once", "gzip", |text| gzip(&["\u{feff}".as_bytes(), text, b"\0\n"].concat())),
];

/// The published responses to an endpoint: status and body.
fn fixtures(entry: &EndpointEntry) -> Vec<(PathBuf, u16, String)> {
    #[derive(serde::Deserialize)]
    struct Fixture {
        status: Option<u16>,
        response: Option<Box<RawValue>>,
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(entry.metadata.id);
    let paths = std::fs::read_dir(folder).into_iter().flatten().map(|file| file.unwrap().path());
    paths
        .filter_map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let fixture: Fixture = serde_json::from_str(&text).unwrap();
            let body = fixture.response?.get().to_owned();
            Some((path, fixture.status.unwrap_or(200), body))
        })
        .collect()
}

/// A text of the client's result for a response.
async fn result_text(
    entry: &'static EndpointEntry,
    status: u16,
    encoding: &'static str,
    body: Vec<u8>,
) -> String {
    let script = ScriptedTransport::from_fn(move |_| {
        response(status, &[("Content-Encoding", encoding)], &body)
    });
    let limiter = Limiter::new(LimitPolicy::Off);
    let environment = Environment::custom("test")
        .with(Service::SpotRest, "https://spot")
        .with(Service::FuturesRest, "https://futures");
    let builder = client("https://spot").environment(environment).transport(script);
    let client = builder.limiter(limiter).build().unwrap();
    match client.send_raw(&entry.metadata, Payload::new()).await {
        Ok(detailed) => format!("{} {:?}", detailed.data, detailed.trace),
        Err(error) => format!("{error} {:?} {:?}", error.kind(), error.outcome()),
    }
}

#[tokio::test]
async fn compression_and_surrounding_bytes_do_not_change_the_result() {
    let mut tried = 0;
    for entry in ENDPOINTS {
        for (path, status, body) in fixtures(entry) {
            let plain = result_text(entry, status, "", body.clone().into_bytes()).await;
            for (name, encoding, change) in CHANGES {
                let changed = result_text(entry, status, encoding, change(body.as_bytes())).await;
                assert_eq!(changed, plain, "{name}: {}", path.display());
                tried += 1;
            }
        }
    }
    assert!(tried > 500, "{tried}");
}

#[tokio::test]
async fn a_decompression_bomb_ends_at_the_limit_and_leaves_the_outcome_unknown() {
    let spaces = vec![b' '; 3_000_000];
    for (name, pack) in [("gzip", gzip as fn(&[u8]) -> Vec<u8>), ("deflate", zlib)] {
        let bomb = pack(&spaces);
        assert!(bomb.len() < 64 * 1024);
        let script = ScriptedTransport::from_fn(move |_| {
            response(200, &[("Content-Encoding", name)], &bomb)
        });
        let client = client("https://spot").transport(script).max_body(64 * 1024).build().unwrap();
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Transport(TransportErrorKind::BodyTooLarge));
        assert_eq!(error.outcome(), Outcome::Unknown);
    }
}

#[tokio::test]
async fn unsupported_encodings_are_named_in_the_error() {
    let compressed = b"\x8b\x02\x80garbage\xff\xfe";
    for (encoding, named) in
        [("br", "\"br\""), ("zstd", "\"zstd\""), ("gzip, gzip", "\"gzip, gzip\"")]
    {
        let script = ScriptedTransport::from_fn(move |_| {
            response(200, &[("Content-Encoding", encoding)], compressed)
        });
        let client = client("https://spot").transport(script).build().unwrap();
        let error = client.send(PLACE_ORDER).await.unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::Encoding));
        assert_eq!(error.outcome(), Outcome::Unknown);
        assert!(error.to_string().contains(named), "{error}");
    }
    // Corrupted.
    let mut broken = gzip(ORDER_RESPONSE.as_bytes());
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    let script = ScriptedTransport::from_fn(move |_| {
        response(200, &[("Content-Encoding", "gzip")], &broken)
    });
    let client = client("https://spot").transport(script).build().unwrap();
    let error = client.send(PLACE_ORDER).await.unwrap_err();
    assert_eq!(error.kind(), &ErrorKind::Unexpected(Unexpected::Encoding), "{error}");
}

#[tokio::test]
async fn a_response_is_inflated_and_its_raw_body_as_well() {
    let server = Server::start(|_| {
        let body = gzip(ORDER_RESPONSE.as_bytes());
        let head = format!("Content-Encoding: gzip\r\nContent-Length: {}", body.len());
        let head = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n");
        server::Action::Write([head.as_bytes(), &body].concat())
    })
    .await;
    let client = client(&server.address).build().unwrap();
    let detailed = client.send_detailed(ReadOrder).await.unwrap();
    assert_eq!(detailed.data.order_id, "7");
    assert_eq!(detailed.raw, ORDER_RESPONSE);
}

#[test]
fn decode_inflates_the_response_of_a_custom_stack() {
    let mut headers = HeaderMap::new();
    headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    for body in [gzip(ORDER_RESPONSE.as_bytes()), ORDER_RESPONSE.as_bytes().to_vec()] {
        let placed = decode::<PlaceOrder>(StatusCode::OK, &headers, &Bytes::from(body)).unwrap();
        assert_eq!(placed.order_id, "7");
    }
}

#[tokio::test]
async fn only_public_reads_request_compression() {
    let transport = ScriptedTransport::always(ScriptedResponse::raw(ORDER_RESPONSE));
    let client: Client = client("https://spot").transport(transport.clone()).build().unwrap();
    client.send(ReadOrder).await.unwrap();
    client.send(PLACE_ORDER).await.unwrap();
    let sent = transport.requests();
    let accepted = |n: usize| sent[n].headers.get("accept-encoding").map(HeaderValue::as_bytes);
    assert_eq!((accepted(0), accepted(1)), (Some(&b"gzip"[..]), None));
}
