//! The help page of the admin API.

use bitmart_sandbox::Sandbox;
use serde_json::{Value, json};

use super::{
    common::{Client, admin_call, send_to},
    get, order, raw, ready, stepped_sandbox,
};

/// Every call with its method, and the path and body of its example.
pub(super) async fn examples(sandbox: &Sandbox) -> Vec<(String, String, String)> {
    let page = get(sandbox, "/help").await;
    let example = |call: &Value| {
        let text = |name: &str| call[name].as_str().expect("text").to_owned();
        let mut body = call["example"].clone();
        let mut path = text("path");
        if let Some(symbol) = body["symbol"].as_str().filter(|_| path.contains("{symbol}")) {
            path = path.replace("{symbol}", symbol);
            body = json!({});
        }
        (text("method"), path, body.to_string())
    };
    page["calls"].as_array().expect("a list").iter().map(example).collect()
}

/// Checks that a value has the type that `GET /help` describes.
fn check_type(at: &str, kind: &Value, value: &Value) {
    let fits = match kind.as_str() {
        Some("integer") => value.is_u64(),
        Some("decimal" | "text") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some(other) => other == "any",
        None => true,
    };
    assert!(fits, "{at}: {value} is not {kind}");
    if let Some(values) = kind["one_of"].as_array() {
        assert!(values.contains(value), "{at}: {value} is not one of {values:?}");
    }
    if kind.get("list").is_some() {
        for item in value.as_array().expect("a list") {
            check_type(at, &kind["list"], item);
        }
    }
    if let Some(fields) = kind["object"].as_array() {
        let described: Vec<&str> = fields.iter().filter_map(|row| row["name"].as_str()).collect();
        for name in value.as_object().expect("an object").keys() {
            assert!(described.contains(&name.as_str()), "{at}: {name} is not described");
        }
        for field in fields {
            let name = field["name"].as_str().expect("text");
            assert_ne!(field["description"], "", "{at}.{name}");
            match value.get(name).filter(|value| !value.is_null()) {
                Some(value) => check_type(&format!("{at}.{name}"), &field["type"], value),
                None => assert_eq!(field["required"], false, "{at}.{name} is missing"),
            }
        }
    }
}

#[tokio::test]
async fn the_help_page_describes_fields_and_response_of_every_call() {
    let sandbox = stepped_sandbox().await;
    let client = Client::spot(&sandbox);
    client.order(order("resting")).await;
    let now = json!({ "symbol": "BTC_USDT", "side": "buy", "type": "market", "notional": "100" });
    client.order(now).await;
    let page = get(&sandbox, "/help").await;
    let routes = get(&sandbox, "/").await["calls"].clone();
    let calls = page["calls"].as_array().expect("a list");
    assert_eq!(routes.as_array().map(Vec::len), Some(calls.len()));
    for ((call, route), (method, path, body)) in
        calls.iter().zip(routes.as_array().expect("a list")).zip(examples(&sandbox).await)
    {
        let described = format!("{method} {}", call["path"].as_str().expect("text"));
        assert_eq!(*route, described.as_str());
        assert_ne!(call["description"], "", "{described}");
        let request = json!({ "object": call["fields"] });
        check_type(&described, &request, &call["example"]);
        let response = raw(&sandbox, &method, &path, body.clone()).await;
        assert_eq!(response.status, 200, "{method} {path} {body}: {}", response.text);
        let documented = &call["response"];
        check_type(&described, &documented["type"], &response.json());
        check_type(&described, &documented["type"], &documented["example"]);
    }
    let ledger = get(&sandbox, "/ledger").await;
    assert!(!ledger["fills"].as_array().expect("a list").is_empty(), "no row was checked");
}

#[tokio::test]
async fn the_help_page_is_html_for_browsers_and_needs_no_token() {
    let sandbox = stepped_sandbox().await;
    let url = sandbox.admin().expect("an address");
    let browser = || {
        let mut request = admin_call(&ready(&sandbox), "GET", "/help", "");
        request.headers_mut().remove("authorization");
        let accept = "text/html,application/xhtml+xml,*/*;q=0.8".parse().expect("a value");
        request.headers_mut().insert("accept", accept);
        request
    };
    let page = send_to(url, browser()).await.expect("a page");
    assert_eq!(
        (page.status, &page.headers["content-type"]),
        (200, &"text/html; charset=utf-8".parse().expect("a value"))
    );
    assert!(page.headers.contains_key("content-security-policy"));
    for part in [
        "POST /accounts/freeze",
        "GET /book/{symbol}",
        "terms.fee",
        "curl -H @token",
        "version-gap",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    let secrets = [sandbox.admin_token().expect("a token"), &sandbox.credentials().secret];
    assert!(secrets.iter().all(|secret| !page.text.contains(*secret)));
    for (header, value) in [("origin", "http://localhost"), ("host", "evil.example")] {
        let mut foreign = browser();
        foreign.headers_mut().insert(header, value.parse().expect("a value"));
        assert_eq!(send_to(url, foreign).await.expect("a response").status, 403, "{header}");
    }
}
