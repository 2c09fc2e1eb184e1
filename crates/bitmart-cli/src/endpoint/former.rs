//! Ids of endpoints in earlier versions of this program. Archives contain them, and scripts the commands.

/// Former and present ids.
const FORMER: [(&str, &str); 5] = [
    ("futures_assets", "futures_balances"),
    ("spot_account_trades", "spot_fills"),
    ("spot_order_trades", "spot_order_fills"),
    ("futures_transfer_fund", "futures_transfer_with_funding"),
    ("affiliate_trades", "affiliate_customer_trades"),
];

/// The present id of an endpoint.
pub(crate) fn present(id: &str) -> &str {
    FORMER.iter().find(|(former, _)| *former == id).map_or(id, |(_, present)| present)
}

/// The former ids of an endpoint.
pub(super) fn former(id: &str) -> impl Iterator<Item = &'static str> {
    FORMER.iter().filter(move |(_, present)| *present == id).map(|(former, _)| *former)
}

#[cfg(test)]
mod tests {
    use bitmart::rest::catalog;

    use super::{FORMER, former, present};

    #[test]
    fn former_ids_are_of_known_endpoints_and_free() {
        for (old, new) in FORMER {
            assert!(catalog::find(old).is_none(), "{old} is an endpoint");
            assert_eq!(catalog::find(present(old)).map(|entry| entry.metadata.id), Some(new));
            assert!(former(new).any(|id| id == old));
        }
        assert_eq!(present("spot_ticker"), "spot_ticker");
    }
}
