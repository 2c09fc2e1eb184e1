//! The values of requests and responses: identifiers, decimals, times, enumerations and rows.

mod codec_decimals;
mod codec_values;
mod environments;
mod identifiers;
mod open_enums;
mod positional_rows;
mod rows;
mod timestamps;
