//! The wallets of an account.

use serde::{Deserialize, Serialize};

/// A wallet of an account that money can be moved to and from. In JSON it is `spot`, `funding` or `futures`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WalletKind {
    /// Pays and receives in spot trading.
    #[default]
    Spot,
    /// The funding account that BitMart added in 2026.
    Funding,
    /// Pays margin and fees of futures. It holds only currencies that contracts are settled in.
    Futures,
}

/// The names that transfers, withdrawals and accounts have always been stored with: stored commands must stay
/// readable, and be written as before.
#[derive(Serialize, Deserialize)]
#[serde(remote = "WalletKind")]
enum StoredName {
    Spot,
    #[serde(rename = "Fund")]
    Funding,
    Futures,
}

/// For fields of type [`WalletKind`].
pub(crate) mod stored {
    use serde::{Deserializer, Serializer};

    use super::{StoredName, WalletKind};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde requires")]
    pub(crate) fn serialize<S: Serializer>(kind: &WalletKind, to: S) -> Result<S::Ok, S::Error> {
        StoredName::serialize(kind, to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<WalletKind, D::Error> {
        StoredName::deserialize(from)
    }
}

/// For fields of type `Option<WalletKind>`.
pub(crate) mod stored_option {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::WalletKind;

    #[derive(Serialize, Deserialize)]
    struct Stored(#[serde(with = "super::stored")] WalletKind);

    #[allow(
        clippy::ref_option,
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde requires"
    )]
    pub(crate) fn serialize<S: Serializer>(
        kind: &Option<WalletKind>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        kind.map(Stored).serialize(to)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<WalletKind>, D::Error> {
        Ok(Option::<Stored>::deserialize(from)?.map(|stored| stored.0))
    }
}
