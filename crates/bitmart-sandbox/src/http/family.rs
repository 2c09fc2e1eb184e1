//! Groups of paths that share a range of error codes.

/// A group of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Quotation,
    Spot,
    Account,
    Futures,
}

impl Family {
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/spot/quotation/") {
            Self::Quotation
        } else if path.starts_with("/contract/") {
            Self::Futures
        } else if path.starts_with("/account/") {
            Self::Account
        } else {
            Self::Spot
        }
    }
}
