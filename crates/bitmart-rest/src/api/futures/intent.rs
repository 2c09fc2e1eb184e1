//! Constructors of orders, named by intent: open or close, long or short.

/// Defines the eight constructors of an order, one per intent. The type needs a `new` that takes the
/// contract, the [`Side`](bitmart_types::futures::Side) and the arguments.
macro_rules! by_intent {
    ($order:ident, $details:literal, ($($argument:ident: $type:ty),+)) => {
        impl $order {
            by_intent!(@one open_long, OpenLong,
                "Hedge mode: buys to open or increase a long position.",
                $details, ($($argument: $type),+));
            by_intent!(@one open_short, OpenShort,
                "Hedge mode: sells to open or increase a short position.",
                $details, ($($argument: $type),+));
            by_intent!(@one close_long, CloseLong,
                "Hedge mode: sells to reduce or close a long position.",
                $details, ($($argument: $type),+));
            by_intent!(@one close_short, CloseShort,
                "Hedge mode: buys to reduce or close a short position.",
                $details, ($($argument: $type),+));
            by_intent!(@one buy, OpenLong,
                "One-way mode: buys.",
                $details, ($($argument: $type),+));
            by_intent!(@one sell, OpenShort,
                "One-way mode: sells.",
                $details, ($($argument: $type),+));
            by_intent!(@one buy_reduce_only, CloseShort,
                "One-way mode: buys, but never beyond closing a short position.",
                $details, ($($argument: $type),+));
            by_intent!(@one sell_reduce_only, CloseLong,
                "One-way mode: sells, but never beyond closing a long position.",
                $details, ($($argument: $type),+));
        }
    };
    (@one $name:ident, $side:ident, $what:literal, $details:literal,
        ($($argument:ident: $type:ty),+)) => {
        #[doc = $what]
        #[doc = ""]
        #[doc = $details]
        pub fn $name(
            symbol: impl Into<bitmart_types::ContractSymbol>,
            $($argument: $type),+
        ) -> Self {
            Self::new(symbol.into(), bitmart_types::futures::Side::$side, $($argument),+)
        }
    };
}
pub(super) use by_intent;
