//! The addresses of the WebSockets.

use crate::generated::Host;

/// Path of the public channels.
pub(crate) const PUBLIC: &str = "/api";
/// Path of the private channels and of the login.
pub(crate) const PRIVATE: &str = "/user";

/// One of the two WebSockets of a host, each with its own address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum SocketKind {
    Public,
    Private,
}

/// The name of every WebSocket address, which is the target of a fault in a handshake.
pub(crate) const ADDRESSES: [&str; 4] = ["spot/api", "spot/user", "futures/api", "futures/user"];

/// The name of a WebSocket address of a host.
pub(crate) fn address(host: Host, kind: SocketKind) -> &'static str {
    let [spot, spot_private, futures, futures_private] = ADDRESSES;
    match (host, kind) {
        (Host::Spot, SocketKind::Public) => spot,
        (Host::Spot, SocketKind::Private) => spot_private,
        (Host::Futures, SocketKind::Public) => futures,
        (Host::Futures, SocketKind::Private) => futures_private,
    }
}
