//! Access to the admin API: tokens, hosts and origins.

use super::*;

#[tokio::test]
async fn calls_without_token_or_from_web_pages_or_with_a_foreign_host_have_no_effect() {
    // Few markets, so that a snapshot is small.
    let few = || {
        let pairs = SpotPair::listed().into_iter().filter(|pair| pair.symbol() == "BTC_USDT");
        let contracts = Contract::listed().into_iter().filter(|one| one.symbol() == "BTCUSDT");
        let config = Config::new().pairs(pairs.collect::<Vec<_>>());
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let config = config.contracts(contracts.collect::<Vec<_>>()).admin(free);
        config.stepped_clock(1_700_000_000_000).rate_limits(false)
    };
    let sandbox = start(few()).await;
    let (ready, other) = (ready(&sandbox), ready(&start(few()).await));
    let url = sandbox.admin().expect("an address");
    let untouched = sandbox.snapshot().to_json().expect("JSON");
    let mut calls = help::examples(&sandbox).await;
    calls.push(("GET".to_owned(), "/".to_owned(), String::new()));
    for (method, path, body) in &calls {
        let call = || admin_call(&ready, method, path, body);
        let [mut anonymous, mut page, mut rebound] = [call(), call(), call()];
        anonymous.headers_mut().remove("authorization");
        page.headers_mut().insert("origin", "http://localhost".parse().expect("a value"));
        rebound.headers_mut().insert("host", "evil.example".parse().expect("a value"));
        let foreign = admin_call(&other, method, path, body);
        for (request, status) in [(anonymous, 401), (foreign, 401), (page, 403), (rebound, 403)] {
            let response = send_to(url, request).await.expect("a response");
            assert_eq!(response.status, status, "{method} {path}: {}", response.text);
            assert_eq!(response.headers.contains_key("www-authenticate"), status == 401);
            assert!(!response.text.contains(sandbox.admin_token().expect("a token")));
        }
    }
    assert_eq!(sandbox.snapshot().to_json().expect("JSON"), untouched);
    let requested = timeout(std::time::Duration::ZERO, sandbox.stop_requested()).await;
    assert!(requested.is_err(), "an unauthorized call stopped the sandbox");
    for (method, path, body) in &calls {
        let response = call_admin(&ready, method, path, body).await;
        assert_eq!(response.status, 200, "{method} {path}: {}", response.text);
    }
}

#[tokio::test]
async fn the_token_is_random_and_only_in_the_ready_line() {
    let [one, other] = [stepped_sandbox().await, stepped_sandbox().await];
    assert_eq!(one.credentials(), other.credentials(), "they have the same seed");
    let token = one.admin_token().expect("a token");
    assert_ne!(Some(token), other.admin_token());
    assert!(!format!("{one:?} {one:#?}").contains(token));
    assert!(
        !one.snapshot()
            .to_json()
            .expect("JSON")
            .windows(token.len())
            .any(|part| part == token.as_bytes())
    );
}

#[tokio::test]
async fn addresses_that_other_machines_reach_need_expose_admin() {
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let config = Config::new().admin(everywhere);
    let error = Sandbox::start(config.clone()).await.expect_err("rejected");
    assert!(error.to_string().contains("reachable from other machines"), "{error}");
    let sandbox = start(config.expose_admin(true)).await;
    let url = sandbox.admin().expect("an address").replace("0.0.0.0", "127.0.0.1");
    let mut call = admin_call(&ready(&sandbox), "GET", "/ledger", "");
    call.headers_mut().insert("host", "192.0.2.7:8803".parse().expect("a value"));
    assert_eq!(send_to(&url, call.clone()).await.expect("a response").status, 200);
    call.headers_mut().remove("authorization");
    assert_eq!(send_to(&url, call).await.expect("a response").status, 401);
}
