//! The addresses of the WebSockets.

use crate::generated::Host;

/// Path of the public channels.
pub(crate) const PUBLIC: &str = "/api";
/// Path of the private channels and of the login.
pub(crate) const PRIVATE: &str = "/user";

/// The name of every WebSocket address, which is the target of a fault in a handshake.
pub(crate) const ADDRESSES: [&str; 4] = ["spot/api", "spot/user", "futures/api", "futures/user"];

/// The name of a host's public or private address.
pub(crate) fn address(host: Host, private: bool) -> &'static str {
    let [spot, spot_private, futures, futures_private] = ADDRESSES;
    match (host, private) {
        (Host::Spot, false) => spot,
        (Host::Spot, true) => spot_private,
        (Host::Futures, false) => futures,
        (Host::Futures, true) => futures_private,
    }
}
