//! Codes of the spot market data.

use super::Category::{InvalidRequest, NoData, ServerFault};
use super::{ErrorCode, row};

#[rustfmt::skip]
pub(super) const CODES: &[ErrorCode] = &[
    row(70000, 200, NoData, "no data", "There is nothing for these parameters, for example candles out of range."),
    row(70001, 200, InvalidRequest, "request param can not be null", "A required parameter is missing."),
    row(70002, 200, InvalidRequest, "symbol is invalid", "No spot pair has this name; query the pairs that are listed."),
    row(70003, 200, ServerFault, "net error", "A passing fault inside the exchange; reads can be tried again."),
    row(71001, 200, InvalidRequest, "after is invalid", "`before` and `after` are times in seconds."),
    row(71002, 200, InvalidRequest, "before is invalid", "`before` and `after` are times in seconds."),
    row(71003, 200, InvalidRequest, "request after or before is invalid", "`before` and `after` are times in seconds."),
    row(71004, 200, InvalidRequest, "request kline count limit", "Request fewer candles."),
    row(71005, 200, InvalidRequest, "request step error", "Use one of the documented candle steps."),
];
