//! The console: pages in a browser that show what a program sends, and control the sandbox.
//!
//! Pages are rendered here. Templates, style sheet and script are part of the program; nothing is loaded from
//! elsewhere, and the script only adds live updates. Forms send what they change by POST from pages of the same origin:
//! the session, the recorded traffic, and everything else as calls of the operator.

mod access;
mod accounts;
mod changes;
mod faults;
mod form;
mod ledger;
mod markets;
mod overview;
mod page;
mod plot;
mod reply;
mod rows;
mod scenarios;
mod snapshots;
mod snippets;
mod sockets;
mod table;
mod text;
mod time;
mod traffic;
mod updates;

use std::sync::Arc;

use bytes::Bytes;
use hyper::{Method, StatusCode, http::request::Parts};

use self::{
    access::{OneUseCodes, Sessions},
    form::Fields,
    page::{Addresses, Flash, Visit},
    reply::Reply,
};
use crate::{admin::Token, shared::Shared};

/// The path of the first page. All others are below it.
pub(crate) const PATH: &str = "/console";

/// The console of a sandbox.
#[derive(Debug)]
pub(crate) struct Console {
    shared: Arc<Shared>,
    addresses: Addresses,
    codes: OneUseCodes,
    sessions: Sessions,
}

impl Console {
    /// The console at a port of the admin API.
    pub(crate) fn new(shared: Arc<Shared>, port: u16, spot: &str, futures: &str) -> Self {
        let addresses = Addresses { spot: spot.to_owned(), futures: futures.to_owned() };
        Self { shared, addresses, codes: OneUseCodes::default(), sessions: Sessions::new(port) }
    }

    /// Whether a path belongs to the console.
    pub(crate) fn serves(path: &str) -> bool {
        path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// A path with a new one-use code, which opens the console without the token.
    pub(crate) fn opening_path(&self) -> Result<String, getrandom::Error> {
        Ok(format!("{PATH}/open?code={}", self.codes.issue()?))
    }

    /// Responds to a request whose `Host` was checked. The error of a body says why it was not read.
    pub(crate) async fn handle(
        &self,
        token: &Token,
        head: &Parts,
        body: Result<Bytes, String>,
    ) -> Reply {
        if let Err(text) = access::check_origin(head) {
            return reply::text(StatusCode::FORBIDDEN, text);
        }
        let path = head.uri.path().strip_prefix(PATH).unwrap_or_default();
        let query = Fields::parse(head.uri.query().unwrap_or_default());
        // What a browser without a session needs: to open one, and to show the page for that.
        match (&head.method, path) {
            (&Method::GET, "/style.css") => return reply::asset("text/css", page::STYLE),
            (&Method::GET, "/console.js") => return reply::asset("text/javascript", page::SCRIPT),
            (&Method::GET, "/icon.svg") => return reply::asset("image/svg+xml", page::ICON),
            (&Method::GET, "/login") => return page::login(None),
            (&Method::GET, "/open") => return self.open(query.get("code")),
            (&Method::POST, "/login") => {
                return match &body {
                    Ok(body) => self.log_in(token, body),
                    Err(problem) => page::login(Some(problem)),
                };
            }
            _ => {}
        }
        let Some(session) = self.sessions.of(&head.headers) else {
            return match head.method {
                Method::GET if path != "/updates" => reply::redirect(&format!("{PATH}/login")),
                _ => reply::text(StatusCode::UNAUTHORIZED, "open the console first"),
            };
        };
        // As in the admin API, a page may only report what is stored. Traffic is no part of that.
        if !updates::are_of_traffic(path, &query) && !self.shared.wait_until_stored().await {
            return reply::text(StatusCode::SERVICE_UNAVAILABLE, "the latest change is not stored");
        }
        let body = match body {
            Err(problem) if head.method == Method::POST => {
                self.sessions.set_flash(session, Flash::not_read(&problem));
                return reply::redirect(&form::referring_page(&head.headers));
            }
            body => body.unwrap_or_default(),
        };
        // Made only for a page, which shows the message of the session and so takes it.
        let visit = || Visit {
            shared: &self.shared,
            addresses: &self.addresses,
            flash: self.sessions.take_flash(session),
            query: &query,
        };
        match (&head.method, path.split('/').skip(1).collect::<Vec<_>>().as_slice()) {
            (&Method::GET, [] | [""]) => overview::page(&visit()),
            (&Method::GET, ["traffic"]) => traffic::page(&visit()),
            (&Method::GET, ["traffic", number]) => traffic::request(&visit(), number),
            (&Method::GET, ["sockets", number]) => sockets::socket(&visit(), number),
            (&Method::GET, ["sockets", socket, "frames", number]) => {
                sockets::frame(&visit(), socket, number)
            }
            (&Method::GET, ["markets"]) => markets::page(&visit()),
            (&Method::GET, ["markets", symbol]) => markets::market(&visit(), symbol),
            (&Method::GET, ["accounts"]) => accounts::page(&visit()),
            (&Method::GET, ["accounts", number]) => accounts::account(&visit(), number),
            (&Method::GET, ["faults"]) => faults::page(&visit()),
            (&Method::GET, ["scenarios"]) => scenarios::page(&visit()),
            (&Method::GET, ["snapshots"]) => snapshots::page(&visit()).await,
            (&Method::GET, ["snapshots", "download"]) => {
                match snapshots::download(&self.shared, query.get("name")).await {
                    Some(file) => file,
                    None => page::missing(&visit()),
                }
            }
            (&Method::GET, ["updates"]) => updates::updates(&self.shared, &query),
            (&Method::POST, ["traffic", "clear"]) => {
                if let Some(traffic) = &self.shared.traffic {
                    traffic.clear();
                }
                reply::redirect(&format!("{PATH}/traffic"))
            }
            (&Method::POST, ["call", name]) => {
                let (back, flash) = form::call(&self.shared, name, Fields::parse_body(&body)).await;
                self.sessions.set_flash(session, flash);
                reply::redirect(&back)
            }
            (&Method::POST, ["logout"]) => {
                self.sessions.end(session);
                reply::redirect(&format!("{PATH}/login"))
            }
            (&(Method::GET | Method::POST), _) => page::missing(&visit()),
            _ => reply::text(StatusCode::METHOD_NOT_ALLOWED, "the console takes GET and POST"),
        }
    }

    /// Exchanges a one-use code for a cookie.
    fn open(&self, code: Option<&str>) -> Reply {
        if code.is_some_and(|code| self.codes.redeem(code)) {
            return self.enter();
        }
        page::login(Some("This code is not valid. A code opens the console once, within a minute."))
    }

    /// Exchanges the admin token for a cookie.
    fn log_in(&self, token: &Token, body: &Bytes) -> Reply {
        let fields = Fields::parse_body(body);
        if fields.get("token").is_some_and(|given| token.is(given.trim())) {
            return self.enter();
        }
        page::login(Some("This is not the admin token of this sandbox."))
    }

    fn enter(&self) -> Reply {
        match self.sessions.begin() {
            Ok(cookie) => reply::with_cookie(reply::redirect(PATH), &cookie),
            Err(_) => reply::text(StatusCode::INTERNAL_SERVER_ERROR, "there are no random bytes"),
        }
    }
}

/// Leads a browser from the address of the admin API to the console.
pub(crate) fn redirect_to_first_page() -> Reply {
    reply::redirect(PATH)
}
