#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod config;
mod decimal;
mod enums;
mod environment;
mod id;
mod invalid;
pub mod json;
mod notes;
mod open_enum;
#[cfg(feature = "pem")]
mod pem;
mod positional;
mod roots;
mod rows;
mod time;
pub mod wire;

pub use clock::{Clock, Correction, SystemClock};
pub use config::ConfigError;
pub use enums::{
    AffiliateCopyTrade, AffiliateFundingType, AffiliateMarket, AffiliateOrderType,
    AffiliateRebateStatus, AffiliateUserType, AlgoOrderType, AlgoTriggerType, ApiAccountType,
    ApiKeyStatus, AutoSubscribe, CancelSource, ContractStatus, ContractType, DepositAccount,
    EarnRecordType, FeeRateType, FixedRenewal, FundingOperation, FundingStatus, FuturesAccount,
    FuturesFlowName, FuturesFlowType, FuturesFundTransferType, FuturesKlineStep, FuturesOrderMode,
    FuturesOrderState, FuturesOrderType, FuturesSelfTradePrevention, FuturesSide,
    FuturesTransferState, FuturesTransferType, KlineStep, MarginRiskLevel, MarginTransferSide,
    MarginType, OpenOrderFilter, OrderMode, OrderState, OrderType, PlanCategory, PlanOrderType,
    PlanType, PositionMode, PositionSide, PositionType, PriceType, ProductType, QueryState,
    RecipientType, RepaymentType, SelfTradePrevention, ServiceState, ServiceType, Side,
    SpotFundTransferType, SubAccountMove, SubAccountStatus, TradeRole, TradeStatus,
    TriggerDirection, WalletType, WithdrawAddressType, WithdrawSource,
};
pub use environment::{
    Environment, EnvironmentError, NoAddress, ReadyLine, ReadyLineError, Service,
};
pub use id::{
    BorrowId, ClientOrderId, ContractSymbol, Currency, DepositId, EarnId, EarnProductId,
    EarnRequestNo, OrderId, RepayId, RequestNo, Symbol, TradeId, TransactionId, TransferId, UserId,
    WithdrawalId,
};
pub use invalid::InvalidValue;
pub use notes::{Note, collect_notes};
pub use open_enum::UnknownValue;
#[cfg(feature = "pem")]
pub use pem::PemError;
pub use roots::Roots;
pub use rows::{RowFault, Rows, show_faults};
pub use rust_decimal::Decimal;
pub use time::Timestamp;

/// What the macros of this crate expand to. Not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use serde;

    pub use crate::{
        decimal::decimal_literal,
        open_enum::read_word,
        positional::{NoColumn, missing_column, short_row, skip_rest},
    };
}
