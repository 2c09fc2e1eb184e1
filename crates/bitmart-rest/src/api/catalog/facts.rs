//! Facts of endpoints that programs act on.

/// The role of an endpoint that programs treat specially.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Places one order, which can have a client order id.
    PlaceOrder,
    /// Withdraws from the exchange.
    Withdraw,
}

/// Which rows of a history are not final.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowStates {
    /// Name of the field with the state.
    pub field: &'static str,
    /// Its values in rows that are not final; empty if the final values are known instead.
    pub pending: &'static [&'static str],
    /// Its values in final rows.
    pub finals: &'static [&'static str],
}

impl RowStates {
    /// Rows with one of these values are pending.
    pub const fn with_pending(field: &'static str, pending: &'static [&'static str]) -> Self {
        Self { field, pending, finals: &[] }
    }

    /// Rows with another value than these are pending.
    pub const fn with_final(field: &'static str, finals: &'static [&'static str]) -> Self {
        Self { field, pending: &[], finals }
    }

    /// Whether a row with this state is not final.
    ///
    /// ```
    /// use bitmart_rest::catalog;
    ///
    /// let states = catalog::find("spot_order_history").and_then(|entry| entry.states).expect("known");
    /// assert!(states.is_pending("partially_filled") && !states.is_pending("filled"));
    /// ```
    pub fn is_pending(&self, state: &str) -> bool {
        if self.pending.is_empty() {
            !self.finals.contains(&state)
        } else {
            self.pending.contains(&state)
        }
    }
}

/// How many rows a list without times returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Paging {
    /// Parameter with the number of rows.
    pub size: &'static str,
    /// Most rows of a response.
    pub max: u32,
    /// Parameter with the number of the page, from 1; `None` if only the newest rows are returned.
    pub page: Option<&'static str>,
}

impl Paging {
    /// At most `max` rows, with these parameters.
    pub const fn new(size: &'static str, max: u32, page: Option<&'static str>) -> Self {
        Self { size, max, page }
    }
}

/// A field that counts contracts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContractAmount {
    /// Distinguishes several counts of a row, such as `filled`; empty for the main one.
    pub name: &'static str,
    /// Name of the field.
    pub count: &'static str,
    /// Name of the field with the price.
    pub price: &'static str,
}

impl ContractAmount {
    /// The field `count`, at the price in the field `price`.
    pub const fn new(name: &'static str, count: &'static str, price: &'static str) -> Self {
        Self { name, count, price }
    }
}
