#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
pub mod codec;
mod config;
mod decimal;
mod enums;
mod environment;
pub mod futures;
mod id;
mod invalid;
pub mod json;
mod market;
mod notes;
mod open_enum;
#[cfg(feature = "pem")]
mod pem;
mod positional;
mod roots;
mod rows;
pub mod spot;
mod time;

pub use clock::{Clock, Correction, SystemClock};
pub use config::ConfigError;
pub use enums::{Side, TradeRole, WalletType};
pub use environment::{
    Environment, EnvironmentError, NoAddress, ReadyLine, ReadyLineError, Service,
};
pub use id::{
    BorrowId, ClientOrderId, ContractSymbol, Currency, DepositId, EarnId, EarnProductId,
    EarnRequestNo, OrderId, RepayId, RequestNo, Symbol, TradeId, TransactionId, TransferId, UserId,
    WithdrawalId,
};
pub use invalid::InvalidValue;
pub use market::Market;
pub use notes::{Note, Notes, collect_notes, find_unreadable};
pub use open_enum::UnknownValue;
#[cfg(feature = "pem")]
pub use pem::PemError;
pub use roots::Roots;
pub use rows::{Keyed, RowFault, Rows, show_faults};
pub use rust_decimal::Decimal;
pub use time::Timestamp;

/// What the macros of this crate expand to. Not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use serde;

    pub use crate::{
        decimal::decimal_literal,
        open_enum::read_text,
        positional::{ColumnError, missing_column, short_row, skip_rest},
    };
}
