//! Every endpoint as data, for tools: tables, recorders, checks of recorded traffic.
//!
//! [`find`] finds an endpoint by its path, its id or its Rust method, and tells the other two:
//!
//! ```
//! use bitmart_rest::catalog;
//!
//! let entry = catalog::find("/spot/quotation/v3/ticker").expect("it is described");
//! assert_eq!(entry.metadata.id, "spot_ticker");
//! assert_eq!(entry.call, "client.spot().ticker(..)");
//! ```

use crate::endpoint::Method;

mod entry;
mod facts;
mod field;
#[allow(
    clippy::module_inception,
    clippy::wildcard_imports,
    reason = "modules have the ids of endpoints, and each uses a part of the list in its parent"
)]
mod generated;
mod history;
pub(crate) mod history_specs;
mod meanings;
mod parameter;
mod recode;

pub use entry::{Alias, EndpointEntry, Ignore};
pub use facts::{ContractAmount, Paging, Role, RowStates};
pub use field::{Field, FieldKind, Meaning, TimeUnit};
pub use generated::ENDPOINTS;
pub use history::{HistoryEntry, HistoryRows, Losses, count_losses};
pub use parameter::{Form, Parameter, Presence};
pub use recode::RecodeError;

/// Finds an endpoint by its path, its id or its Rust method.
///
/// A path may have the HTTP method in front of it. Without one the first endpoint with the path is returned. Of a Rust
/// method `client.` and the arguments may be left out.
///
/// ```
/// use bitmart_rest::catalog;
///
/// for name in [
///     "/spot/v4/query/order",
///     "POST /spot/v4/query/order",
///     "spot_order",
///     "client.spot().order(..)",
///     "spot().order",
/// ] {
///     let entry = catalog::find(name).expect(name);
///     assert_eq!(entry.call, "client.spot().order(..)");
/// }
/// ```
pub fn find(name: &str) -> Option<&'static EndpointEntry> {
    let name = name.trim();
    if let Some((group, method)) = name.trim_start_matches("client.").split_once("().") {
        let method = method.split('(').next().unwrap_or(method);
        let is_it = |entry: &&EndpointEntry| {
            let id = entry.metadata.id;
            let own = id.strip_prefix(entry.group).and_then(|rest| rest.strip_prefix('_'));
            entry.group == group && own == Some(method)
        };
        return ENDPOINTS.iter().find(is_it);
    }
    let (method, name) = match name.split_once(' ') {
        Some(("GET", path)) => (Some(Method::Get), path.trim()),
        Some(("POST", path)) => (Some(Method::Post), path.trim()),
        _ => (None, name),
    };
    ENDPOINTS.iter().find(|entry| {
        let metadata = &entry.metadata;
        let is_path =
            metadata.path == name && method.is_none_or(|method| method == metadata.method);
        is_path || (method.is_none() && metadata.id == name)
    })
}

/// Finds the endpoint with this HTTP method and path.
pub fn find_route(method: Method, path: &str) -> Option<&'static EndpointEntry> {
    ENDPOINTS.iter().find(|entry| entry.metadata.method == method && entry.metadata.path == path)
}
