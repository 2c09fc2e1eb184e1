//! The newest version of each row, while the stored responses are read in order.
//!
//! Rows with equal ids are compared by their content first: the exchange may return them in another order.

use std::collections::{BTreeMap, HashMap};

use bitmart::rest::history::{RowKey, numbered_id};

use super::index::{Digest, digest};

/// How a row of a response compares with the known rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    New,
    /// It is known.
    Again,
    /// It is a newer version of this row, which came with the response of this number.
    Replaces(Digest, u64),
}

#[derive(Clone, Copy, Debug)]
struct Version {
    line: Digest,
    /// The last pagination that returned it.
    pagination: u32,
    /// The first response that contained it.
    number: u64,
}

/// The newest versions, by the digest of their numbered id.
#[derive(Debug, Default)]
pub(super) struct RowVersions(HashMap<Digest, Version>);

impl RowVersions {
    /// Adds the rows of a response, by numbered id and content. Windows overlap: of one pagination the first version
    /// counts.
    pub(super) fn add(
        &mut self,
        rows: &[(String, Digest)],
        pagination: u32,
        number: u64,
    ) -> Vec<Added> {
        let mut added = vec![Added::Again; rows.len()];
        for (id, group) in groups(rows.iter().map(|(id, _)| id.as_str())) {
            let slot = |at: usize| digest(numbered_id(id, at + 1).as_bytes());
            let mut known: Vec<Version> =
                (0..).map_while(|at| self.0.get(&slot(at)).copied()).collect();
            // Rows that this pagination returned before, in an overlapping window, have the lowest numbers.
            let of_pagination = known.iter().filter(|one| one.pagination == pagination).count();
            let not_seen = group.into_iter().filter(|(_, number)| *number > of_pagination);
            let mut changed_or_new = Vec::new();
            for at in not_seen.map(|(at, _)| at) {
                let same =
                    |one: &&mut Version| one.pagination != pagination && one.line == rows[at].1;
                match known.iter_mut().find(same) {
                    Some(one) => one.pagination = pagination,
                    None => changed_or_new.push(at),
                }
            }
            for at in changed_or_new {
                let version = Version { line: rows[at].1, pagination, number };
                let older = known.iter_mut().find(|one| one.pagination != pagination);
                added[at] = if let Some(one) = older {
                    let old = std::mem::replace(one, version);
                    Added::Replaces(old.line, old.number)
                } else {
                    known.push(version);
                    Added::New
                };
            }
            for (at, version) in known.into_iter().enumerate() {
                self.0.insert(slot(at), version);
            }
        }
        added
    }

    /// The newest versions of all rows.
    pub(super) fn lines(self) -> impl Iterator<Item = Digest> {
        self.0.into_values().map(|version| version.line)
    }
}

/// Groups rows by their id, each with its position and its number.
pub(super) fn groups<'a>(
    ids: impl Iterator<Item = &'a str>,
) -> BTreeMap<&'a str, Vec<(usize, usize)>> {
    let mut groups: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (at, id) in ids.enumerate() {
        let (id, number) = RowKey::split_number(id);
        groups.entry(id).or_default().push((at, number));
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::{Added, RowVersions, digest};

    fn add(versions: &mut RowVersions, rows: &[(&str, &str)], pagination: u32) -> Vec<Added> {
        let rows: Vec<_> =
            rows.iter().map(|(id, line)| ((*id).to_owned(), digest(line.as_bytes()))).collect();
        versions.add(&rows, pagination, u64::from(pagination))
    }

    #[test]
    fn equal_ids_in_another_order_are_no_changes() {
        let mut versions = RowVersions::default();
        let (first, second) = ("7", "7\u{1f}2");
        assert_eq!(add(&mut versions, &[(first, "a"), (second, "b")], 0), [Added::New; 2]);
        assert_eq!(add(&mut versions, &[(first, "b"), (second, "a")], 1), [Added::Again; 2]);
        let changed = add(&mut versions, &[(first, "b"), (second, "c")], 2);
        assert_eq!(changed, [Added::Again, Added::Replaces(digest(b"a"), 0)]);
        assert_eq!(add(&mut versions, &[(first, "d")], 2), [Added::Again], "a window overlaps");
    }

    #[test]
    fn another_row_of_an_id_is_new_and_replaces_nothing() {
        let mut versions = RowVersions::default();
        let (first, second) = ("7", "7\u{1f}2");
        assert_eq!(add(&mut versions, &[(first, "a")], 0), [Added::New]);
        let more = add(&mut versions, &[(first, "b"), (second, "a")], 1);
        assert_eq!(more, [Added::New, Added::Again]);
        assert_eq!(versions.lines().count(), 2);
    }
}
