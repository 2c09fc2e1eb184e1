//! Paths that were removed from the API.

/// Paths that BitMart has removed, according to its change log.
const REMOVED: [&str; 18] = [
    "/account/sub-account/sub/v1/sub-to-sub",
    "/account/v1/deposit-withdraw/history",
    "/spot/v1/batch_orders",
    "/spot/v1/cancel_order",
    "/spot/v1/cancel_orders",
    "/spot/v1/steps",
    "/spot/v1/submit_order",
    "/spot/v1/symbols/book",
    "/spot/v1/symbols/kline",
    "/spot/v1/symbols/trades",
    "/spot/v1/ticker",
    "/spot/v1/ticker_detail",
    "/spot/v2/batch_orders",
    "/spot/v2/cancel_order",
    "/spot/v2/order_detail",
    "/spot/v2/ticker",
    "/spot/v2/trades",
    "/spot/v3/orders",
];

/// Whether the spot host had this path earlier.
pub(crate) fn is_removed(path: &str) -> bool {
    REMOVED.contains(&path)
}

/// Whether a path belongs to futures. Version 1 of the futures API was on the spot host (BitMart's notice of
/// 2024-11-11).
pub(crate) fn is_futures_path(path: &str) -> bool {
    path.starts_with("/contract/")
}
