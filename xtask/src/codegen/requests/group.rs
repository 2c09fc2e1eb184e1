//! The methods of the client's groups.

use std::fmt::Write as _;

use crate::codegen::description::{Endpoint, Section};
use crate::codegen::models::Models;
use crate::codegen::sdk::SdkNames;
use crate::codegen::{prose, types};

/// One method per endpoint. It takes whatever converts into the request, so that a new optional
/// parameter breaks no caller.
pub(super) fn render(out: &mut String, section: &Section, models: &Models, sdks: &SdkNames) {
    let module = section.public_module();
    let name = types::type_name(&section.group);
    let _ = writeln!(out, "#[cfg(feature = \"client\")]\nimpl crate::api::{module}::{name}<'_> {{");
    for (index, endpoint) in section.endpoints.iter().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let request = super::path(section, endpoint);
        let (arguments, value) = if endpoint.takes_request() {
            (format!(", request: impl Into<{request}>"), "request.into()".to_owned())
        } else {
            (String::new(), format!("{request}::new()"))
        };
        let method = endpoint.method_name(&section.group);
        let _ = writeln!(
            out,
            "{}{}pub async fn {method}(&self{arguments}) -> Result<{}, crate::Error> {{ self.client.send({value}).await }}",
            prose::method_doc(section, endpoint, models),
            search_aliases(endpoint, method, sdks),
            types::path(&endpoint.response),
        );
    }
    out.push_str("}\n");
}

/// The path of the endpoint and its names in the official SDKs. The name of the method itself would
/// be an error.
fn search_aliases(endpoint: &Endpoint, method: &str, sdks: &SdkNames) -> String {
    let names = sdks.names(endpoint).into_iter().filter(|name| *name != method);
    let mut out = String::new();
    for alias in std::iter::once(&*endpoint.path).chain(names) {
        let _ = writeln!(out, "#[doc(alias = {alias:?})]");
    }
    out
}
