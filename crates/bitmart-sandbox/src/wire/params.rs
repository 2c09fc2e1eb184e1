//! Request parameters from query or body, and the errors for missing and invalid ones.

use std::borrow::Cow;

use bitmart_sim::rules::MAX_AMOUNT;

use percent_encoding::percent_decode;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{
    generated::{Codes, Kind, Param},
    wire::{
        error::{WireError, error},
        parse_number,
    },
};

/// The field that says how old a request may be when it arrives, in milliseconds. The npm package bitmart-api sends it
/// with every signed request; the exchange only uses it where it is documented.
pub(crate) const RECV_WINDOW: &str = "recvWindow";

/// The parameters of a request. Empty strings and null count as absent, because clients send them for optional fields
/// without a value.
#[derive(Debug)]
pub(crate) struct Params {
    values: Map<String, Value>,
    codes: Codes,
    /// Lists do not contain rows that are newer than this (`Fault::LateHistory`).
    listed_until_ms: Option<u64>,
}

impl Params {
    pub(crate) fn new(values: Map<String, Value>, codes: Codes) -> Self {
        Self { values, codes, listed_until_ms: None }
    }

    /// All of them by name.
    pub(crate) fn values(&self) -> &Map<String, Value> {
        &self.values
    }

    pub(crate) fn from_query(query: &str, codes: Codes) -> Self {
        let decode = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode(text.as_bytes()).decode_utf8_lossy().into_owned()
        };
        let values = query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .map(|(name, value)| (decode(name), Value::String(decode(value))))
            .collect();
        Self { values, codes, listed_until_ms: None }
    }

    /// Leaves rows after this time out of lists.
    pub(crate) fn limit_to(&mut self, newest_ms: u64) {
        self.listed_until_ms = Some(newest_ms);
    }

    /// The latest time of which rows are listed.
    pub(crate) fn newest_listed_ms(&self) -> u64 {
        self.listed_until_ms.unwrap_or(u64::MAX)
    }

    pub(crate) fn raw(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    /// Whether a parameter is missing, null or empty.
    pub(crate) fn is_absent(&self, name: &str) -> bool {
        match self.values.get(name) {
            None | Some(Value::Null) => true,
            Some(Value::String(text)) => text.trim().is_empty(),
            Some(_) => false,
        }
    }

    /// The error for a missing parameter.
    pub(crate) fn missing(&self, name: &str) -> WireError {
        let code = match self.codes {
            Codes::Quotation => 70001,
            Codes::Spot => 50028,
            Codes::Account => 60000,
            Codes::Futures => 40007,
        };
        error(code).with_reason(format!("{name} is required"))
    }

    /// The error for a parameter with an invalid value.
    pub(crate) fn invalid(&self, name: &str, rule: &str) -> WireError {
        let error = match self.codes {
            Codes::Spot | Codes::Quotation => error(50021).with_message(format!("Invalid {name}")),
            // The second of its two documented texts.
            Codes::Account => error(60000).with_message("Parameter Error"),
            Codes::Futures => error(40007),
        };
        error.with_reason(format!("{name}: {rule}"))
    }

    /// A string; numbers and flags are converted to strings.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, WireError> {
        Ok(self.borrowed_text(name)?.map(Cow::into_owned))
    }

    /// As [`text`](Self::text), without a copy of a string.
    fn borrowed_text(&self, name: &str) -> Result<Option<Cow<'_, str>>, WireError> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => {
                Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(Cow::Borrowed))
            }
            Some(Value::Number(number)) => Ok(Some(number.to_string().into())),
            Some(Value::Bool(flag)) => Ok(Some(flag.to_string().into())),
            Some(Value::Array(_) | Value::Object(_)) => {
                Err(self.invalid(name, "must be text or a number"))
            }
        }
    }

    /// A string, as [`text`](Self::text); an error if absent.
    pub(crate) fn required(&self, name: &str) -> Result<String, WireError> {
        self.text(name)?.ok_or_else(|| self.missing(name))
    }

    /// A whole number, as number or string; `None` if absent.
    pub(crate) fn integer(&self, name: &str) -> Result<Option<i64>, WireError> {
        self.borrowed_text(name)?
            .map(|text| {
                parse_number::integer(&text)
                    .ok_or_else(|| self.invalid(name, "must be a whole number"))
            })
            .transpose()
    }

    /// The requested number of rows, from 1 to `max`; `default` if absent.
    pub(crate) fn limit(&self, default: i64, max: i64) -> Result<usize, WireError> {
        let requested = self.integer("limit")?.unwrap_or(default);
        if requested < 1 {
            return Err(error(50015));
        }
        if requested > max {
            return Err(error(50016).with_message(format!("Maximum limit is {max}")));
        }
        Ok(usize::try_from(requested).unwrap_or(1))
    }

    /// A decimal above zero, as string or number; `None` if absent.
    pub(crate) fn decimal(&self, name: &str) -> Result<Option<Decimal>, WireError> {
        let Some(text) = self.borrowed_text(name)? else { return Ok(None) };
        let value = parse_number::decimal(&text)
            .ok_or_else(|| self.invalid(name, "must be a decimal number"))?;
        if value <= Decimal::ZERO || value > MAX_AMOUNT || value.normalize().scale() > 12 {
            return Err(
                self.invalid(name, "must be above 0, at most 1e12, with at most 12 decimals")
            );
        }
        Ok(Some(value.normalize()))
    }

    /// A list of strings; `None` if absent.
    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>, WireError> {
        match self.values.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(rows)) => rows
                .iter()
                .map(|row| match row {
                    Value::String(text) => Ok(text.clone()),
                    Value::Number(number) => Ok(number.to_string()),
                    _ => Err(self.invalid(name, "must be a list of texts")),
                })
                .collect::<Result<_, _>>()
                .map(Some),
            Some(_) => Err(self.invalid(name, "must be a list")),
        }
    }

    /// A list of objects; an error if absent.
    pub(crate) fn rows(&self, name: &str) -> Result<Vec<Self>, WireError> {
        match self.values.get(name) {
            None | Some(Value::Null) => Err(self.missing(name)),
            Some(Value::Array(rows)) => rows
                .iter()
                .map(|row| {
                    let row = row
                        .as_object()
                        .ok_or_else(|| self.invalid(name, "must be a list of objects"))?;
                    Ok(Self::new(row.clone(), self.codes))
                })
                .collect(),
            Some(_) => Err(self.invalid(name, "must be a list")),
        }
    }

    /// Rejects unknown fields. The exchange ignores them silently, so with a misspelled name an order may differ from
    /// what was intended.
    pub(crate) fn reject_unknown(
        &self,
        fields: &[Param],
        undocumented: &[&str],
    ) -> Result<(), WireError> {
        for (name, value) in &self.values {
            let Some(field) = fields.iter().find(|field| field.name == name) else {
                // Some clients send null for absent fields, and some send a window with every request.
                if value.is_null() || name == RECV_WINDOW || undocumented.contains(&name.as_str()) {
                    continue;
                }
                return Err(self.unknown(name, fields));
            };
            if let (false, Value::Array(rows)) = (field.items.is_empty(), value) {
                for row in rows.iter().filter_map(Value::as_object) {
                    Self::new(row.clone(), self.codes).reject_unknown(field.items, undocumented)?;
                }
            }
        }
        Ok(())
    }

    /// Rejects malformed number fields even if the order type ignores them, because the client intended some value.
    pub(crate) fn reject_malformed(&self, fields: &[Param]) -> Result<(), WireError> {
        for field in fields {
            if let (false, Some(Value::Array(rows))) =
                (field.items.is_empty(), self.values.get(field.name))
            {
                for row in rows.iter().filter_map(Value::as_object) {
                    Self::new(row.clone(), self.codes).reject_malformed(field.items)?;
                }
            }
            let text = match field.kind {
                Kind::Decimal => self.borrowed_text(field.name)?,
                _ => None,
            };
            if text.is_some_and(|text| parse_number::decimal(&text).is_none()) {
                return Err(self.malformed(field.name));
            }
        }
        Ok(())
    }

    /// The error for a malformed number. Futures have separate codes for two fields.
    fn malformed(&self, name: &str) -> WireError {
        match (self.codes, name) {
            (Codes::Futures, "leverage") => error(40040),
            (Codes::Futures, "size") => error(40044),
            _ => self.invalid(name, "must be a decimal number"),
        }
    }

    /// The error for a duplicate parameter.
    pub(crate) fn duplicate(&self, name: &str) -> WireError {
        self.invalid(name, "is duplicated. With --lenient the sandbox uses the last value")
    }

    fn unknown(&self, name: &str, fields: &[Param]) -> WireError {
        let bare = |text: &str| text.replace('_', "").to_lowercase();
        let hint = fields
            .iter()
            .find(|field| bare(field.name) == bare(name))
            .map_or(String::new(), |field| format!(" (did you mean \"{}\"?)", field.name));
        let code = match self.codes {
            Codes::Spot | Codes::Quotation => 50029,
            Codes::Account => 60000,
            Codes::Futures => 40007,
        };
        error(code).with_reason(format!(
            "unknown field \"{name}\"{hint}. BitMart ignores it silently, and so does the sandbox with --lenient"
        ))
    }
}
