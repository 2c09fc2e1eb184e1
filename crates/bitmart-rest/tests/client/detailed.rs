//! What a detailed answer tells.

use std::time::Duration;

use bitmart_rest::testing::{Reply, ScriptedTransport};

use crate::endpoint::{ORDER, PLACED, client};

#[tokio::test]
async fn a_detailed_answer_tells_everything() {
    let reply = Reply::raw(PLACED)
        .header("X-BM-RateLimit-Remaining", 3)
        .header("X-BM-RateLimit-Limit", 40)
        .header("X-BM-RateLimit-Reset", 2);
    let transport = ScriptedTransport::always(reply);
    let client = client("https://spot").transport(transport).build().unwrap();
    let answer = client.send_detailed(ORDER).await.unwrap();
    assert_eq!(answer.data.order_id, "7");
    assert_eq!(answer.status.as_u16(), 200);
    assert_eq!(answer.trace.as_deref(), Some("t1"));
    assert_eq!(&answer.raw[..], PLACED.as_bytes());
    let state = answer.rate_limit.unwrap();
    assert_eq!((state.used, state.limit, state.left()), (3, 40, 37));
    assert_eq!(state.window, Duration::from_secs(2));
    assert!(!format!("{answer:?}").contains("code"), "the raw body is not shown");
}
