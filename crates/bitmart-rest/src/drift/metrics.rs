//! The metric of drift. [`Drift`](super::Drift) also counts without a client, so it is not among the client's.

use metrics::counter;

use super::DriftKind;

/// A response differed from its description.
pub(super) fn count(endpoint: &'static str, kind: DriftKind) {
    let kind = match kind {
        DriftKind::UnknownMember => "unknown_member",
        DriftKind::UnknownValue => "unknown_value",
        DriftKind::OtherForm => "other_form",
        DriftKind::NoValue => "no_value",
        DriftKind::Unreadable => "unreadable",
        DriftKind::FaultyRow => "faulty_row",
        DriftKind::OtherUnit => "other_unit",
        DriftKind::TruncatedDecimal => "cut_decimal",
        DriftKind::RepeatedMember => "repeated_member",
    };
    counter!("bitmart_rest_drift_total", "endpoint" => endpoint, "kind" => kind).increment(1);
}
