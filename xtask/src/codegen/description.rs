//! The format of the API description. Unknown keys are errors.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::Deserialize;

use super::essentials::{self, Alias};
use super::types;

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

/// How the exchange serves a history.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct History {
    /// Longest window of a request.
    pub(crate) window_days: u32,
    /// A response with so many rows may be incomplete.
    pub(crate) page_size: u32,
    /// Unit of the window's ends: `ms`, the default, or `s`.
    #[serde(default)]
    pub(crate) unit: Unit,
    /// Whether a window has numbered pages.
    #[serde(default)]
    pub(crate) numbered: bool,
    /// Error code of an empty window.
    pub(crate) empty_code: Option<i64>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(crate) enum Unit {
    #[default]
    #[serde(rename = "ms")]
    Millis,
    #[serde(rename = "s")]
    Seconds,
}

/// Which rows are not final: those with a pending value, or those without a final one.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct States {
    /// Name of the field below the row.
    pub(crate) field: String,
    #[serde(default)]
    pub(crate) pending: Vec<String>,
    #[serde(default, rename = "final")]
    pub(crate) finals: Vec<String>,
}

/// How a list without times is limited.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// Parameter with the number of rows.
    pub(crate) size: String,
    /// Most rows of a response.
    pub(crate) max: u32,
    /// Parameter with the number of the page; absent where only the newest rows are returned.
    pub(crate) page: Option<String>,
}

/// A field that counts contracts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContractAmount {
    /// Distinguishes several counts of a row.
    #[serde(default)]
    pub(crate) name: String,
    /// Name of the field below the row.
    pub(crate) count: String,
    /// Name of the field with the price of one unit.
    pub(crate) price: String,
}

/// A difference between a recording and the model that is accepted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ignore {
    /// JSON path below the data: `records[].fee`; of a parameter `query.N` or `body.subAccount`.
    pub(crate) path: String,
    pub(crate) reason: String,
}

/// One parameter.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Param {
    /// Name on the wire.
    pub(crate) name: String,
    /// Name of the Rust field; absent where it is the wire name in snake case.
    field: Option<String>,
    #[serde(rename = "type")]
    pub(crate) rust: String,
    /// Form of an enumeration or an integer on the wire; the other types have one form.
    pub(crate) wire: Option<Wire>,
    #[serde(default)]
    pub(crate) presence: Presence,
    pub(crate) unit: Option<String>,
    pub(crate) min: Option<Bound>,
    pub(crate) max: Option<Bound>,
    pub(crate) max_length: Option<usize>,
    pub(crate) max_items: Option<usize>,
    /// What the exchange assumes without it.
    pub(crate) default: Option<String>,
    /// The documented values.
    #[serde(default)]
    pub(crate) values: Vec<String>,
    pub(crate) doc: String,
    /// Fields of the objects in a list.
    #[serde(default, rename = "item")]
    pub(crate) items: Vec<Param>,
}

/// An end of a published range: a whole number, or a decimal as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Bound {
    Whole(i64),
    Decimal(String),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Decimal(text) => f.write_str(text),
        }
    }
}

macro_rules! words {
    ($name:ident { $($variant:ident),+ }) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub(crate) enum $name { $($variant),+ }
    };
}
pub(super) use words;

words!(Host { Spot, Futures });
words!(Auth { None, Keyed, Signed });
words!(Codes { Quotation, Spot, Account, Futures });
words!(Effect { Read, Trade, Transfer, Account });
words!(Wire { Text, Number });

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
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Presence {
    Required,
    #[default]
    Optional,
    /// The documentation says when.
    Conditional,
}

/// A published limit, written `10 per 2 s by ip`; `unknown` where no source states one.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Limit {
    Unknown,
    Known { count: u32, seconds: u32, scope: Scope },
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Scope {
    Ip,
    Key,
    Uid,
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("limit `{text}`: expected `10 per 2 s by ip|key|uid` or `unknown`");
        let words: Vec<&str> = text.split(' ').collect();
        let [count, "per", seconds, "s", "by", scope] = words.as_slice() else {
            return if text == "unknown" { Ok(Self::Unknown) } else { Err(wrong()) };
        };
        Ok(Self::Known {
            count: count.parse().map_err(|_| wrong())?,
            seconds: seconds.parse().map_err(|_| wrong())?,
            scope: match *scope {
                "ip" => Scope::Ip,
                "key" => Scope::Key,
                "uid" => Scope::Uid,
                _ => return Err(wrong()),
            },
        })
    }
}

impl Limit {
    /// The limit as text for the documentation.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Unknown => "not published".to_owned(),
            Self::Known { count, seconds, scope } => {
                let scope = match scope {
                    Scope::Ip => "address",
                    Scope::Key => "key",
                    Scope::Uid => "user",
                };
                format!("{count} in {seconds} s per {scope}")
            }
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
    pub(crate) fn call(&self, group: &str) -> &str {
        self.id.strip_prefix(group).unwrap_or(&self.id).trim_start_matches('_')
    }

    /// HTTP method and path: `GET /system/time`.
    pub(crate) fn route(&self) -> String {
        format!("{} {}", self.method.word(), self.path)
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

    /// Rejects names of the newer keys that the endpoint does not have.
    fn check_names(&self) -> Result<(), String> {
        let has_param = |name: &String| self.params.iter().any(|param| param.name == *name);
        let rows = self.row_path().map(|path| format!("{path}.")).unwrap_or_default();
        let has_field = |name: &String| {
            let path = format!("{rows}{name}: ");
            self.fields.iter().any(|field| field.starts_with(&path))
        };
        let paging =
            self.paging.iter().flat_map(|paging| [Some(&paging.size), paging.page.as_ref()]);
        if let Some(name) = paging.flatten().find(|name| !has_param(name)) {
            return Err(format!("paging: there is no parameter `{name}`"));
        }
        let amounts =
            self.contract_amounts.iter().flat_map(|amount| [&amount.count, &amount.price]);
        let fields = amounts.chain(self.states.as_ref().map(|states| &states.field));
        if let Some(name) = fields.into_iter().find(|name| !has_field(name)) {
            return Err(format!("no row has a field `{name}`"));
        }
        if self
            .states
            .as_ref()
            .is_some_and(|states| states.pending.is_empty() == states.finals.is_empty())
        {
            return Err("states: either pending or final values".to_owned());
        }
        if self.states.is_some() && self.history.is_none() {
            return Err("states are those of a history".to_owned());
        }
        if self.role.is_some() && self.effect == Effect::Read {
            return Err("a read has no role".to_owned());
        }
        Ok(())
    }

    pub(crate) fn required(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|param| param.presence == Presence::Required)
    }
}

impl Param {
    /// Name of the Rust field.
    pub(crate) fn field(&self) -> String {
        let name = self.field.clone().unwrap_or_else(|| types::snake_case(&self.name));
        if name == "type" { "kind".to_owned() } else { name }
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

/// Rejects facts that contradict each other or that the generator has no code for.
pub(super) fn check(sections: &[Section]) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for section in sections {
        for endpoint in &section.endpoints {
            let fail = |what: String| Err(format!("{}: {}: {what}", section.file, endpoint.id));
            if !endpoint.id.starts_with(&format!("{}_", section.group)) {
                return fail(format!("the id does not start with the group `{}`", section.group));
            }
            let request = section.public_path(endpoint);
            for unique in [&endpoint.id, &request, &endpoint.route()] {
                if !seen.insert(unique.clone()) {
                    return fail(format!("`{unique}` is used twice"));
                }
            }
            if endpoint.auth == Auth::Signed && endpoint.method == Method::Get {
                return fail("a signed GET is not known on this exchange".to_owned());
            }
            let pages = ["https://developer-pro.bitmart.com/", "https://developer.bitmart.com/"];
            let link = section.docs(endpoint);
            if !pages.iter().any(|page| link.starts_with(page)) {
                return fail(format!("`{link}` is not the documentation of the exchange"));
            }
            let is_known =
                |name: &&String| endpoint.params.iter().any(|param| param.name == **name);
            if let Some(name) = endpoint.undocumented.iter().find(is_known) {
                return fail(format!("parameter `{name}` is described"));
            }
            if endpoint.no_argument && endpoint.required().next().is_some() {
                return fail("a required parameter needs an argument".to_owned());
            }
            if let Err(what) =
                essentials::check(&endpoint.essential, &endpoint.aliases, &endpoint.fields)
            {
                return fail(what);
            }
            if let Err(what) = endpoint.check_names() {
                return fail(what);
            }
            if endpoint.sources.is_empty() || endpoint.checked.len() != "2026-01-01".len() {
                return fail("sources and the day of the check are missing".to_owned());
            }
            for param in
                endpoint.params.iter().chain(endpoint.params.iter().flat_map(|param| &param.items))
            {
                if let Err(what) = types::check(param, endpoint.custom) {
                    return fail(format!("parameter `{}`: {what}", param.name));
                }
            }
        }
    }
    Ok(())
}
