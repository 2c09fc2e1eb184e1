//! The frame around all pages, and the pages without content of their own. Templates escape all text; only forms and
//! plots, which are templates themselves, are inserted as they are.

use std::{fmt, sync::Arc};

use askama::Template;
use hyper::StatusCode;

use super::{
    form::{CallForm, Control, Fields},
    reply::{self, Reply},
};
use crate::shared::Shared;

pub(super) const STYLE: &str = include_str!("../../templates/console/style.css");
pub(super) const SCRIPT: &str = include_str!("../../templates/console/console.js");
pub(super) const ICON: &str = include_str!("../../templates/console/icon.svg");

/// A message about the last change.
#[derive(Debug, Clone)]
pub(super) struct Flash {
    pub(super) text: String,
    /// The name of the rejected call and its fields, both empty if the form was not read; `None` after a success.
    pub(super) rejected: Option<(String, Fields)>,
}

impl Flash {
    /// About a form that was not read, so that it is not known which call it makes.
    pub(super) fn not_read(problem: &str) -> Self {
        let text = format!(
            "nothing was done: {problem}. The browser leads back to what was typed; a scenario has at most 48 KiB"
        );
        Self { text, rejected: Some((String::new(), Fields::default())) }
    }

    pub(super) fn is_good(&self) -> bool {
        self.rejected.is_none()
    }
}

/// The addresses of the REST APIs.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) spot: String,
    pub(super) futures: String,
}

/// A request for a page by a browser with a session.
pub(super) struct Visit<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) addresses: &'a Addresses,
    pub(super) flash: Option<Flash>,
    pub(super) query: &'a Fields,
}

impl Visit<'_> {
    /// The fields of the latest call, if it was a call with this name and rejected.
    pub(super) fn rejected(&self, call: &str) -> Option<&Fields> {
        let (name, fields) = self.flash.as_ref()?.rejected.as_ref()?;
        (name == call).then_some(fields)
    }

    /// The frame of a page; `current` is its name in the navigation.
    pub(super) fn shell(&self, title: impl Into<String>, current: &'static str) -> Shell {
        Shell { title: title.into(), current, flash: self.flash.clone() }
    }
}

/// The frame of a page: its title, the navigation, and the message about the last change.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    pub(super) title: String,
    /// The name in the navigation of the page that is open.
    current: &'static str,
    pub(super) flash: Option<Flash>,
}

/// The pages of the navigation: path and name.
const PAGES: [(&str, &str); 7] = [
    ("/console", "Overview"),
    ("/console/traffic", "Traffic"),
    ("/console/faults", "Faults"),
    ("/console/scenarios", "Scenarios"),
    ("/console/accounts", "Accounts"),
    ("/console/markets", "Markets"),
    ("/console/snapshots", "Snapshots"),
];

impl Shell {
    /// Path and name of each page of the navigation, and whether it is the open one.
    pub(super) fn pages(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        PAGES.iter().map(|(path, name)| (*path, *name, *name == self.current))
    }
}

#[derive(Template)]
#[template(path = "console/form.html")]
struct FormElement<'a> {
    form: &'a CallForm,
}

impl fmt::Display for CallForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FormElement { form: self }.render_into(f).map_err(|_| fmt::Error)
    }
}

#[derive(Template)]
#[template(path = "console/login.html")]
struct Login<'a> {
    problem: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "console/missing.html")]
struct Missing {
    shell: Shell,
}

/// Renders a page.
pub(super) fn render(page: &impl Template) -> Reply {
    match page.render() {
        Ok(text) => reply::html(StatusCode::OK, text),
        Err(_) => reply::text(StatusCode::INTERNAL_SERVER_ERROR, "the page cannot be rendered"),
    }
}

/// The page for a browser without a session.
pub(super) fn login(problem: Option<&str>) -> Reply {
    let mut reply = render(&Login { problem });
    if problem.is_some() {
        *reply.status_mut() = StatusCode::UNAUTHORIZED;
    }
    reply
}

/// The page of an unknown path, or of a record that is not kept any more.
pub(super) fn missing(visit: &Visit<'_>) -> Reply {
    let mut reply = render(&Missing { shell: visit.shell("Not found", "") });
    *reply.status_mut() = StatusCode::NOT_FOUND;
    reply
}
