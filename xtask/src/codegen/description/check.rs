//! Descriptions that the generator rejects.

use std::collections::BTreeSet;

use super::super::{essentials, types};
use super::{Auth, Effect, Endpoint, Method, Section};

/// Rejects facts that contradict each other or that the generator has no code for.
pub(in super::super) fn check(sections: &[Section]) -> Result<(), String> {
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
            if let Err(what) = endpoint.check_references() {
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

impl Endpoint {
    /// Rejects `paging`, `contract_amounts` and `states` if they name a parameter or field that the endpoint
    /// does not have, and values that contradict each other.
    fn check_references(&self) -> Result<(), String> {
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
        self.check_tuple()?;
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

    /// Rejects a `tuple` in which values could be swapped, or that moves money or leaves a required parameter out.
    fn check_tuple(&self) -> Result<(), String> {
        if self.tuple.is_empty() {
            return Ok(());
        }
        let Some(params) = self.tuple_params() else {
            return Err("tuple: there is no such parameter".to_owned());
        };
        if self.custom || !matches!(params.len(), 2 | 3) {
            return Err("tuple: two or three parameters of a generated request".to_owned());
        }
        if self.effect == Effect::Transfer {
            return Err("tuple: a transfer names its parameters".to_owned());
        }
        let types: BTreeSet<&str> = params.iter().map(|param| param.rust.as_str()).collect();
        let numbers = params.iter().filter(|param| types::is_number(&param.rust)).count();
        if types.len() < params.len() || numbers > 1 {
            return Err("tuple: parameters of the same form could be swapped".to_owned());
        }
        if self.required().any(|param| !self.tuple.contains(&param.name)) {
            return Err("tuple: a required parameter is missing".to_owned());
        }
        Ok(())
    }
}
