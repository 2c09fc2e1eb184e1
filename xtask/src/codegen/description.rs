//! The format of the API description. Unknown keys are errors.

use std::path::Path;

use serde::Deserialize;

use super::essentials::Alias;

mod check;
mod limit;
mod lists;
mod param;

pub(super) use check::check;
pub(crate) use limit::Limit;
pub(crate) use lists::{ContractAmount, History, Paging, States, Unit};
pub(crate) use param::{Bound, Param, Presence, Wire};

/// One file of the description: the endpoints of one group of the client.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Section {
    /// File name without its folder.
    #[serde(skip)]
    pub(crate) file: String,
    /// The client's method that leads to these endpoints: `spot` for `client.spot()`.
    pub(crate) group: String,
    /// Module of bitmart-rest that the generated file belongs to: `spot::market`.
    pub(crate) module: String,
    /// Availability of endpoints that state none themselves.
    availability: Option<String>,
    /// Page of the exchange's documentation for endpoints that have no link of their own.
    pub(crate) docs: String,
    /// Range of the error codes of endpoints that state none themselves.
    codes: Codes,
    /// Message of a success of endpoints that state none themselves.
    success: String,
    #[serde(rename = "endpoint")]
    pub(crate) endpoints: Vec<Endpoint>,
}

/// The facts of one endpoint.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Endpoint {
    /// Stable name: the group, an underscore, the name of the group's method.
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// Its place in the exchange's documentation; absent where no source has the link.
    pub(crate) docs: Option<String>,
    pub(crate) host: Host,
    /// Clients of the exchange send it to the other host as well.
    #[serde(default)]
    pub(crate) other_host: bool,
    /// Range of its error codes, if not that of the file.
    codes: Option<Codes>,
    /// Message of a success, if not that of the file.
    success: Option<String>,
    /// Parameters that clients of the exchange send and no document knows.
    #[serde(default)]
    pub(crate) undocumented: Vec<String>,
    pub(crate) auth: Auth,
    /// What the key must be allowed to do; absent where none is needed or no source states it.
    pub(crate) permission: Option<String>,
    pub(crate) limit: Limit,
    pub(crate) effect: Effect,
    /// For which accounts or symbols it works, if not for all.
    pub(crate) availability: Option<String>,
    pub(crate) role: Option<Role>,
    /// Path of the list of rows, where it is not the only list; empty if the data is one row.
    pub(crate) rows: Option<String>,
    /// How it pages through a span of time.
    pub(crate) history: Option<History>,
    /// Which rows of a history are not final.
    pub(crate) states: Option<States>,
    /// How it limits the rows of a list without times.
    pub(crate) paging: Option<Paging>,
    /// Fields that count contracts.
    #[serde(default)]
    pub(crate) contract_amounts: Vec<ContractAmount>,
    /// The envelope of the response.
    #[serde(default)]
    pub(crate) envelope: Envelope,
    /// Name of the request type.
    pub(crate) request: String,
    /// The request type is written by hand in the section's module.
    #[serde(default)]
    pub(crate) custom: bool,
    /// Parameters whose values convert into the request as a tuple, by their names on the wire: where the rule of
    /// the required ones finds none.
    #[serde(default)]
    pub(crate) tuple: Vec<String>,
    /// The group method takes no argument although there are parameters by now: they are optional
    /// and came later.
    #[serde(default)]
    pub(crate) no_argument: bool,
    /// Rust type of the response's data, below the crate's root.
    pub(crate) response: String,
    /// Documented fields of the data, as `path: form and unit`; a column of a row is `[][2]`.
    pub(crate) fields: Vec<String>,
    /// Paths of the fields without which the data, or a row of it, is useless.
    #[serde(default)]
    pub(crate) essential: Vec<String>,
    /// Alternative names of fields.
    #[serde(default)]
    pub(crate) aliases: Vec<Alias>,
    pub(crate) sources: Vec<String>,
    /// Day on which the facts were compared with the sources.
    pub(crate) checked: String,
    #[serde(default)]
    pub(crate) quirks: Vec<String>,
    /// Contradictions between sources and how they were decided.
    #[serde(default)]
    pub(crate) decisions: Vec<String>,
    /// Error codes that callers should expect, each with what it means here.
    #[serde(default)]
    pub(crate) errors: Vec<String>,
    /// Rust lines for the method's documentation; `client` exists and `?` works.
    #[serde(default)]
    pub(crate) example: String,
    /// Differences that the conformance check accepts, in the data or in the parameters.
    #[serde(default, rename = "ignore")]
    pub(crate) ignores: Vec<Ignore>,
    #[serde(default, rename = "param")]
    pub(crate) params: Vec<Param>,
}

/// A difference between a recording and the model that is accepted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ignore {
    /// JSON path below the data: `records[].fee`; of a parameter `query.N` or `body.subAccount`.
    pub(crate) path: String,
    pub(crate) reason: String,
}

macro_rules! lowercase_enum {
    ($name:ident { $($variant:ident),+ }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub(crate) enum $name { $($variant),+ }
    };
}
pub(super) use lowercase_enum;

lowercase_enum!(Host { Spot, Futures });
lowercase_enum!(Auth { None, Keyed, Signed });
lowercase_enum!(Effect { Read, Trade, Transfer, Account });
lowercase_enum!(Codes { Quotation, Spot, Account, Futures });

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    PlaceOrder,
    Withdraw,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Envelope {
    #[default]
    Standard,
    Errno,
    AccountInfo,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    Get,
    Post,
}

impl Method {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

impl Section {
    /// The public module of the requests: `spot` for `spot::market`.
    pub(crate) fn public_module(&self) -> &str {
        self.module.split("::").next().unwrap_or_default()
    }

    /// The public path of a request: `spot::ListKlines`.
    pub(crate) fn public_path(&self, endpoint: &Endpoint) -> String {
        format!("{}::{}", self.public_module(), endpoint.request)
    }

    /// The link to the exchange's documentation of an endpoint.
    pub(crate) fn docs<'a>(&'a self, endpoint: &'a Endpoint) -> &'a str {
        endpoint.docs.as_deref().unwrap_or(&self.docs)
    }

    /// The range of the error codes of an endpoint.
    pub(crate) fn codes(&self, endpoint: &Endpoint) -> Codes {
        endpoint.codes.unwrap_or(self.codes)
    }

    /// The message of a success of an endpoint.
    pub(crate) fn success<'a>(&'a self, endpoint: &'a Endpoint) -> &'a str {
        endpoint.success.as_deref().unwrap_or(&self.success)
    }
}

impl Endpoint {
    /// Name of the method of `group`: the id without the group.
    pub(crate) fn method_name(&self, group: &str) -> &str {
        self.id.strip_prefix(group).unwrap_or(&self.id).trim_start_matches('_')
    }

    /// HTTP method and path: `GET /system/time`.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method.as_str(), self.path)
    }

    /// Whether the group method takes the request as an argument.
    pub(crate) fn takes_request(&self) -> bool {
        !self.params.is_empty() && !self.no_argument
    }

    /// Whether the exchange does not document the response.
    pub(crate) fn is_unverified(&self) -> bool {
        self.response.starts_with("Unverified<")
    }

    /// Path of the list of rows below the data: `records[]`. `None` if the data is one row: it has no list, several, or
    /// one within an object.
    pub(crate) fn row_path(&self) -> Option<String> {
        if let Some(rows) = &self.rows {
            return Some(rows.clone()).filter(|rows| !rows.is_empty());
        }
        let mut lists = self.fields.iter().filter_map(|field| {
            let path = field.split_once(": ").map_or(field.as_str(), |(path, _)| path);
            Some(path.split_once("[]")?.0)
        });
        let first = lists.next()?;
        let is_nested = |list: &str| list.contains(['.', '{']);
        if is_nested(first) || lists.any(|list| list != first && !is_nested(list)) {
            return None;
        }
        Some(format!("{first}[]"))
    }

    /// The parameters of `tuple`, in its order; `None` if one does not exist.
    pub(crate) fn tuple_params(&self) -> Option<Vec<&Param>> {
        let param = |name: &String| self.params.iter().find(|param| param.name == *name);
        self.tuple.iter().map(param).collect()
    }

    pub(crate) fn required(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| param.presence == Presence::Required)
    }
}

/// Reads and checks every description in `folder`, sorted by file name.
pub(crate) fn load(folder: &Path) -> Result<Vec<Section>, String> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .map_err(|error| format!("{}: {error}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut sections = Vec::new();
    for path in files {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        sections.push(parse(file, &text)?);
    }
    check(&sections)?;
    Ok(sections)
}

/// Reads one description.
pub(super) fn parse(file: String, text: &str) -> Result<Section, String> {
    let mut section: Section = toml::from_str(text).map_err(|error| format!("{file}: {error}"))?;
    section.file = file;
    for endpoint in &mut section.endpoints {
        endpoint.availability = endpoint.availability.take().or(section.availability.clone());
    }
    Ok(section)
}

/// Reads the list of all live endpoints, one `METHOD /path` a line.
pub(crate) fn paths(file: &Path) -> Result<Vec<String>, String> {
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.lines().map(str::to_owned).collect())
}
