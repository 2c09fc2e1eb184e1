//! The console while nothing can be stored.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Request;

use super::{new_store, stepped_config};
use crate::{admin::Token, console::Console, recovery::resume, shared::Shared};

#[tokio::test]
async fn only_the_traffic_is_live_while_nothing_can_be_stored() {
    let opened = resume(stepped_config().console(true), new_store(), |_| {}).expect("opens");
    let shared = Arc::new(Shared::from_opened(opened));
    let console = Console::new(shared.clone(), 1, "", "");
    let token = Token::generate().expect("random bytes");
    let get = async |path: &str, cookie: &str| {
        let request = Request::get(path).header("cookie", cookie).body(()).expect("a request");
        console.handle(&token, &request.into_parts().0, Ok(Bytes::new())).await
    };
    let entered = get(&console.opening_path().expect("random bytes"), "").await;
    let cookie = entered.headers()["set-cookie"].to_str().expect("text").to_owned();
    shared.close_journal().await;
    shared.create_account();
    assert!(!shared.wait_until_stored().await);
    // 200: a list; 204: there is no such WebSocket; 503: it would report what is not stored.
    for (query, status) in
        [("after=0&begin=1", 200), ("socket=1", 204), ("overview=1", 503), ("scenario=1", 503)]
    {
        let response = get(&format!("/console/updates?{query}"), &cookie).await;
        assert_eq!(response.status(), status, "{query}");
    }
    assert_eq!(get("/console/accounts", &cookie).await.status(), 503);
}
