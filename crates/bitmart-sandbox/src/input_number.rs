//! Numbers of the inputs of a state.

/// The number of an input: 1 for the first input of a data folder, 0 for none.
pub(crate) type InputNumber = u64;
