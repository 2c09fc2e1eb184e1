//! Notes about what decoding tolerated.

use std::cell::RefCell;

use crate::UnknownValue;

/// Something that decoding tolerated instead of failing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A value that an enumeration does not know; it is kept as `Unknown`.
    UnknownValue {
        /// Name of the enumeration.
        enumeration: &'static str,
        /// The value.
        value: UnknownValue,
    },
    /// An unreadable value of an optional field, which became `None`.
    Unreadable {
        /// The expected value: `a decimal`.
        expected: &'static str,
    },
    /// A time in another unit than documented; its magnitude determines the unit.
    OtherUnit {
        /// The documented unit: `milliseconds`.
        described: &'static str,
        /// The unit on the wire.
        found: &'static str,
    },
    /// A row of [`Rows`](crate::Rows) that does not decode, or a value that is not a list.
    FaultyRow {
        /// Index in the list, from 0.
        index: usize,
    },
    /// A decimal without its last places, which a [`Decimal`](crate::Decimal) cannot hold.
    CutDecimal,
    /// A repeated member, or a member under two of its names; one of the values was taken.
    RepeatedMember,
}

/// Maximum number of notes that are collected.
const MAX_NOTES: usize = 64;

thread_local! {
    static NOTES: RefCell<Option<Vec<Note>>> = const { RefCell::new(None) };
}

/// Runs `work` and returns its result with notes about what the decoders of this crate tolerated
/// meanwhile: the first 64, in the order of the text.
///
/// ```
/// use bitmart_types::{Note, Side, collect_notes};
///
/// let (side, notes) = collect_notes(|| Side::from("sideways"));
/// assert!(!side.is_known());
/// assert!(matches!(&notes[..], [Note::UnknownValue { enumeration: "Side", value }]
///     if value.as_str() == "sideways"));
/// ```
pub fn collect_notes<T>(work: impl FnOnce() -> T) -> (T, Vec<Note>) {
    /// Restores the outer notes, also if `work` panics.
    struct Restore(Option<Vec<Note>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            NOTES.set(self.0.take());
        }
    }

    let _restore = Restore(NOTES.replace(Some(Vec::new())));
    let result = work();
    (result, NOTES.take().unwrap_or_default())
}

/// Records a note, if notes are being collected.
#[cold]
pub(crate) fn note(note: impl FnOnce() -> Note) {
    NOTES.with_borrow_mut(|notes| {
        if let Some(notes) = notes
            && notes.len() < MAX_NOTES
        {
            notes.push(note());
        }
    });
}

/// Returns the number of notes so far, for [`rewind`].
pub(crate) fn position() -> usize {
    NOTES.with_borrow(|notes| notes.as_ref().map_or(0, Vec::len))
}

/// Removes the notes since `position`, whose data is decoded again or dropped.
pub(crate) fn rewind(position: usize) {
    NOTES.with_borrow_mut(|notes| {
        if let Some(notes) = notes {
            notes.truncate(position);
        }
    });
}
