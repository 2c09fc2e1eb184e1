//! Enumerations of the exchange that more than one endpoint or channel uses.
//!
//! One idea often has several spellings on this exchange; each enumeration reads all that are
//! documented or have been seen, and writes the documented one.

mod account;
mod affiliate;
mod earn;
mod futures;
mod margin;
mod spot;
mod system;

pub use account::{
    ApiAccountType, ApiKeyStatus, DepositAccount, FeeRateType, FundingOperation, FundingStatus,
    RecipientType, SpotFundTransferType, SubAccountMove, SubAccountStatus, WithdrawAddressType,
    WithdrawSource,
};
pub use affiliate::{
    AffiliateCopyTrade, AffiliateFundingType, AffiliateMarket, AffiliateOrderType,
    AffiliateRebateStatus, AffiliateUserType,
};
pub use earn::{AutoSubscribe, EarnRecordType, FixedRenewal};
pub use futures::{
    ContractStatus, ContractType, FuturesAccount, FuturesFlowName, FuturesFlowType,
    FuturesFundTransferType, FuturesKlineStep, FuturesOrderMode, FuturesOrderState,
    FuturesOrderType, FuturesSelfTradePrevention, FuturesSide, FuturesTransferState,
    FuturesTransferType, MarginType, OpenOrderFilter, PlanCategory, PlanOrderType, PlanType,
    PositionMode, PositionSide, PositionType, PriceType, ProductType, RepaymentType,
    TriggerDirection, WalletType,
};
pub use margin::{MarginRiskLevel, MarginTransferSide};
pub use spot::{
    AlgoOrderType, AlgoTriggerType, CancelSource, KlineStep, OrderMode, OrderState, OrderType,
    QueryState, SelfTradePrevention, Side, TradeRole, TradeStatus,
};
pub use system::{ServiceState, ServiceType};
