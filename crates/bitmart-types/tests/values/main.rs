//! What requests and responses are made of: identifiers, decimals, times, enumerations and rows.

mod environments;
mod identifiers;
mod open_enums;
mod positional_rows;
mod rows;
mod timestamps;
mod wire_decimals;
mod wire_values;
