//! A call without its Rust type, for the admin API, its help page and the program.

use rust_decimal::Decimal;
use serde_json::{Map, Value, from_value};

use super::{
    Effect, Operator, OperatorCall, OperatorError,
    describe::{Described as _, Field, Kind},
};
use crate::long_numbers;

/// Maximum number of characters of a wrong value that an error repeats.
const MAX_GIVEN: usize = 40;

/// The description of a call: its route in the admin API, its fields and its response.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    name: &'static str,
    route: &'static str,
    description: &'static str,
    effect: Effect,
    request: Kind,
    response: Kind,
    run: fn(Operator<'_>, &[u8]) -> Result<Vec<u8>, CallError>,
    check: fn(&[u8]) -> Result<(), String>,
}

/// The error of a call in JSON.
#[derive(Debug)]
pub(crate) enum CallError {
    /// The body does not match the fields of the call.
    Body(String),
    Operator(OperatorError),
    /// The response cannot be written, which no known state causes.
    Response(serde_json::Error),
}

impl Call {
    /// The description of a call.
    pub const fn of<C: OperatorCall>() -> Self {
        Self {
            name: C::NAME,
            route: C::ROUTE,
            description: C::DESCRIPTION,
            effect: C::EFFECT,
            request: C::KIND,
            response: C::Response::KIND,
            run: run::<C>,
            check: check::<C>,
        }
    }

    /// The name, such as `freeze_account`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The route in the admin API, such as `POST /accounts/freeze`.
    pub fn route(&self) -> &'static str {
        self.route
    }

    /// The HTTP method.
    pub fn method(&self) -> &'static str {
        self.route.split_once(' ').map_or("", |(method, _)| method)
    }

    /// The path, such as `/book/{symbol}`.
    pub fn path(&self) -> &'static str {
        self.route.split_once(' ').map_or("", |(_, path)| path)
    }

    /// Its description.
    pub fn description(&self) -> &'static str {
        self.description
    }

    /// Its effect.
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The fields of the JSON body. A field that is named in the [path](Self::path) is given there.
    pub fn fields(&self) -> &'static [Field] {
        self.request.fields()
    }

    /// The type of the response.
    pub fn response(&self) -> Kind {
        self.response
    }

    /// The path and the body of a call with these fields, as a request of the admin API.
    pub fn request(&self, mut fields: Map<String, Value>) -> (String, String) {
        let mut path = self.path().to_owned();
        if let Some(name) = self.path_field() {
            let value = fields.remove(name);
            let text = value.as_ref().and_then(Value::as_str).unwrap_or_default();
            path = path.replace(&format!("{{{name}}}"), text);
        }
        (path, Value::Object(fields).to_string())
    }

    /// An example of its fields.
    pub(crate) fn example(&self) -> Map<String, Value> {
        match self.request.example() {
            Value::Object(fields) => fields,
            _ => Map::new(),
        }
    }

    /// The field that is a part of the path.
    fn path_field(&self) -> Option<&'static str> {
        let (_, rest) = self.route.split_once('{')?;
        rest.split_once('}').map(|(name, _)| name)
    }

    /// Whether a path belongs to this call.
    pub(crate) fn matches(&self, path: &str) -> bool {
        match self.path().split_once('{') {
            Some((start, _)) => path.starts_with(start),
            None => path == self.path(),
        }
    }

    /// Checks that these are the fields of the call, without running it.
    #[cfg_attr(not(feature = "console"), allow(dead_code, reason = "only scenarios are checked"))]
    pub(crate) fn check(&self, fields: &Map<String, Value>) -> Result<(), String> {
        (self.check)(Value::Object(fields.clone()).to_string().as_bytes())
    }

    /// Runs the call. Its fields are those of `body`, or the one in `path`, which [matches](Self::matches).
    /// As [`Operator::call`] it blocks until a change is stored.
    pub(crate) fn run(
        &self,
        operator: Operator<'_>,
        path: &str,
        body: &[u8],
    ) -> Result<Vec<u8>, CallError> {
        // An empty body is equivalent to `{}`.
        let body = if body.trim_ascii().is_empty() { b"{}" } else { body };
        let Some(name) = self.path_field() else {
            return (self.run)(operator, body);
        };
        let start = self.path().split_once('{').map_or("", |(start, _)| start);
        let value = path.strip_prefix(start).unwrap_or_default();
        match serde_json::from_slice::<Map<String, Value>>(body) {
            Ok(fields) if fields.is_empty() => {
                let fields = Map::from_iter([(name.to_owned(), Value::from(value))]);
                (self.run)(operator, Value::Object(fields).to_string().as_bytes())
            }
            Ok(_) => Err(CallError::Body(format!("the only field is {name} in the path"))),
            Err(error) => Err(CallError::Body(error.to_string())),
        }
    }
}

/// Runs a call with JSON as input and output, by [`Operator::call`], so that a change is rejected if it cannot be
/// stored, and stored before it is reported. The members of the response are sorted, so that the same state gives the
/// same text.
fn run<C: OperatorCall>(operator: Operator<'_>, body: &[u8]) -> Result<Vec<u8>, CallError> {
    let call = parse::<C>(body).map_err(CallError::Body)?;
    let response = operator.call(call).map_err(CallError::Operator)?;
    let response = serde_json::to_value(response).map_err(CallError::Response)?;
    Ok(format!("{response}\n").into_bytes())
}

fn check<C: OperatorCall>(body: &[u8]) -> Result<(), String> {
    parse::<C>(body).map(drop)
}

fn parse<C: OperatorCall>(body: &[u8]) -> Result<C, String> {
    let body = long_numbers::quoted(body);
    serde_json::from_slice(&body).map_err(|error| {
        wrong_decimal(C::KIND.fields(), &body).unwrap_or_else(|| error.to_string())
    })
}

/// Names the field that is no decimal. The error of the decoder names a type of Rust, and no field.
fn wrong_decimal(fields: &[Field], body: &[u8]) -> Option<String> {
    let values: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let decimals = fields.iter().filter(|field| field.kind == Kind::Decimal);
    decimals.into_iter().find_map(|field| {
        let value = values.get(field.name)?;
        if from_value::<Decimal>(value.clone()).is_ok() {
            return None;
        }
        let given: String = value.to_string().chars().take(MAX_GIVEN).collect();
        let example = field.example().unwrap_or_default();
        let example = example.as_str().unwrap_or("1.5");
        Some(format!("{} is a decimal such as {example}, not {given}", field.name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operator::MovePrice;

    #[test]
    fn an_amount_with_many_digits_is_read_exactly_as_number_and_as_text() {
        for price in
            ["54000.123456789012345", "\"54000.123456789012345\"", "540001234567890.12345e-10"]
        {
            let body = format!("{{\"symbol\":\"BTC_USDT\",\"price\":{price}}}");
            let call = parse::<MovePrice>(body.as_bytes()).expect(price);
            assert_eq!(call.price.to_string(), "54000.123456789012345");
        }
    }
}
