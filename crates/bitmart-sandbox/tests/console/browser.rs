//! A sandbox with a console, and a browser.

use std::net::{Ipv4Addr, SocketAddr};

use bitmart_sandbox::{Config, Contract, Sandbox, SpotPair};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;

use crate::common::{ApiResponse, authority, send_to, start};

pub(crate) async fn sandbox() -> Sandbox {
    let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let pairs: Vec<_> = SpotPair::listed().into_iter().take(2).collect();
    let contracts: Vec<_> = Contract::listed().into_iter().take(1).collect();
    let config = Config::new().stepped_clock(1_700_000_000_000).rate_limits(false);
    start(config.pairs(pairs).contracts(contracts).admin(free).console(true)).await
}

/// A browser: it keeps the cookie, and sends the headers of a page.
pub(crate) struct Browser<'a> {
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) cookie: String,
}

impl<'a> Browser<'a> {
    pub(crate) async fn open(sandbox: &'a Sandbox) -> Self {
        let url = sandbox.console_login_url().expect("a console");
        let path = url.strip_prefix(sandbox.admin().expect("an address")).expect("below it");
        let response = Self { sandbox, cookie: String::new() }.get(path).await;
        assert_eq!((response.status, location(&response)), (303, "/console"));
        let cookie = response.headers["set-cookie"].to_str().expect("text");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let (cookie, _) = cookie.split_once(';').expect("attributes");
        Self { sandbox, cookie: cookie.to_owned() }
    }

    pub(crate) fn host(&self) -> &str {
        authority(self.sandbox.admin().expect("an address"))
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> ApiResponse {
        let mut request =
            Request::builder().method(method).uri(path).header("cookie", &self.cookie);
        if !headers.iter().any(|row| row.0 == "host") {
            request = request.header("host", self.host());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(Bytes::from(body.to_owned()))).expect("a request");
        send_to(self.sandbox.admin().expect("an address"), request).await.expect("a response")
    }

    pub(crate) async fn get(&self, path: &str) -> ApiResponse {
        self.send("GET", path, "", &[]).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> ApiResponse {
        let origin = format!("http://{}", self.host());
        self.send("POST", path, body, &[("origin", &origin), ("sec-fetch-site", "same-origin")])
            .await
    }
}

pub(crate) fn location(response: &ApiResponse) -> &str {
    response.headers.get("location").map_or("", |value| value.to_str().expect("text"))
}
