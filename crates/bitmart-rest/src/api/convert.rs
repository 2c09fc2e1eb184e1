//! Conversions into requests.

/// Implements conversions from an identifier, or its text, into a request. The request's constructor or
/// the given setter takes the identifier.
macro_rules! identifier {
    ($id:ident => $request:ident) => {
        $crate::api::convert::identifier!(@each $id, $request, |id| $request::new(id));
    };
    ($id:ident => $request:ident.$setter:ident) => {
        $crate::api::convert::identifier!(@each $id, $request, |id| $request::new().$setter(id));
    };
    (@each $id:ident, $request:ident, |$value:ident| $new:expr) => {
        impl From<$id> for $request {
            fn from($value: $id) -> Self {
                $new
            }
        }
        impl From<&$id> for $request {
            fn from($value: &$id) -> Self {
                $new
            }
        }
        impl From<&str> for $request {
            fn from($value: &str) -> Self {
                $new
            }
        }
        impl From<String> for $request {
            fn from($value: String) -> Self {
                $new
            }
        }
    };
}

pub(crate) use identifier;
