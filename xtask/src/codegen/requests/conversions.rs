//! Conversions into requests, so that group methods take an identifier or a tuple for a request.

use std::fmt::Write as _;

use crate::codegen::description::{Effect, Endpoint, Param, Presence};
use crate::codegen::types;

/// What converts into a request, besides the request itself.
pub(in crate::codegen) struct Conversions<'a> {
    pub(in crate::codegen) from: Option<Source<'a>>,
    /// Whether `()` stands for the request without any parameter.
    pub(in crate::codegen) from_unit: bool,
}

/// A value that converts into a request.
pub(in crate::codegen) enum Source<'a> {
    /// The value of one parameter.
    One(&'a Param),
    /// A tuple of the required parameters, or of those that the description names.
    Tuple(Vec<&'a Param>),
}

impl<'a> Conversions<'a> {
    /// The conversions that are generated for `endpoint`; those of a request that is written by hand
    /// are written by hand as well.
    pub(in crate::codegen) fn new(endpoint: &'a Endpoint) -> Self {
        if endpoint.custom {
            return Self { from: None, from_unit: false };
        }
        if let Some(params) = endpoint.tuple_params().filter(|params| !params.is_empty()) {
            return Self { from: Some(Source::Tuple(params)), from_unit: false };
        }
        let required: Vec<&Param> = endpoint.required().collect();
        let is_read = endpoint.effect == Effect::Read;
        let from = match required.as_slice() {
            [] => identifier(&endpoint.params).map(Source::One),
            [only] => Some(Source::One(only)),
            [_, _] | [_, _, _] if fits_a_tuple(endpoint, &required) => {
                Some(Source::Tuple(required))
            }
            _ => None,
        };
        let from_unit =
            is_read && !endpoint.params.is_empty() && endpoint.required().next().is_none();
        Self { from, from_unit }
    }

    /// The implementations.
    pub(in crate::codegen) fn render(&self, out: &mut String, endpoint: &Endpoint) {
        let request = &endpoint.request;
        match &self.from {
            Some(Source::One(param)) => one(out, request, param, endpoint.required().count() == 0),
            Some(Source::Tuple(params)) => tuple(out, endpoint, params),
            None => {}
        }
        if self.from_unit {
            let _ = writeln!(
                out,
                "impl From<()> for {request} {{ fn from((): ()) -> Self {{ Self::new() }} }}\n"
            );
        }
    }
}

/// The parameter that a request without required parameters is made of: its pair or contract, or
/// else its only identifier.
fn identifier(params: &[Param]) -> Option<&Param> {
    let is_symbol = |param: &&Param| matches!(&*param.rust, "Symbol" | "ContractSymbol");
    let mut identifiers = params.iter().filter(|param| types::takes_text(&param.rust));
    params.iter().find(is_symbol).or_else(|| match (identifiers.next(), identifiers.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    })
}

/// A tuple names nothing. It is for reads, and for writes that have no other parameters and move no
/// money; not where page and size could be swapped. A description may name another one for a write with optional
/// parameters.
fn fits_a_tuple(endpoint: &Endpoint, required: &[&Param]) -> bool {
    let is_complete = required.len() == endpoint.params.len();
    let numbers = required.iter().filter(|param| param.rust == "u32").count();
    numbers < 2
        && match endpoint.effect {
            Effect::Read => true,
            Effect::Trade | Effect::Account => is_complete,
            Effect::Transfer => false,
        }
}

fn one(out: &mut String, request: &str, param: &Param, is_optional: bool) {
    let (rust, field) = (&param.rust, param.field());
    let is_identifier = types::takes_text(rust) && rust != "String";
    if is_identifier {
        let setter = if is_optional { format!(".{field}") } else { String::new() };
        let _ = writeln!(out, "crate::api::convert::identifier!({rust} => {request}{setter});\n");
        return;
    }
    let constructor =
        if is_optional { format!("Self::new().{field}(value)") } else { "Self::new(value)".into() };
    // A client order id is checked when it is created, so that no text converts into it.
    if rust == "ClientOrderId" {
        let constructor = constructor.replace("value", "value.clone()");
        let _ = writeln!(
            out,
            "impl From<&{rust}> for {request} {{ fn from(value: &{rust}) -> Self {{ {constructor} }} }}\n"
        );
    }
    let sources = if rust == "String" { vec!["String", "&str"] } else { vec![rust.as_str()] };
    for source in sources {
        let _ = writeln!(
            out,
            "impl From<{source}> for {request} {{ fn from(value: {source}) -> Self {{ {constructor} }} }}\n"
        );
    }
}

fn tuple(out: &mut String, endpoint: &Endpoint, params: &[&Param]) {
    let (mut generics, mut types, mut fields) = (Vec::new(), Vec::new(), Vec::new());
    for (param, letter) in params.iter().zip(["A", "B", "C"]) {
        if types::takes_text(&param.rust) {
            generics.push(format!("{letter}: Into<{}>", param.rust));
            types.push(letter.to_owned());
        } else {
            types.push(param.rust.clone());
        }
        fields.push(param.field());
    }
    let generics =
        if generics.is_empty() { String::new() } else { format!("<{}>", generics.join(", ")) };
    let (request, types, fields) = (&endpoint.request, types.join(", "), fields.join(", "));
    let required: Vec<String> = endpoint.required().map(Param::field).collect();
    let mut setters = String::new();
    for param in params.iter().filter(|param| param.presence != Presence::Required) {
        let _ = write!(setters, ".{0}({0})", param.field());
    }
    let new = format!("Self::new({}){setters}", required.join(", "));
    let _ = writeln!(
        out,
        "impl{generics} From<({types})> for {request} {{ fn from(({fields}): ({types})) -> Self {{ {new} }} }}\n"
    );
}
