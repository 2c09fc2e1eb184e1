//! The HTTP server: connections, routing, checks, limits and the envelope of a response.

mod body;
mod checks;
mod cors;
mod duplicates;
mod handshake;
mod injection;
mod response;
mod routing;
mod server;
mod service;
mod tcp;

pub(crate) use self::{
    server::{serve, serve_stream},
    tcp::MonitoredStream,
};

#[cfg(test)]
mod tests;
