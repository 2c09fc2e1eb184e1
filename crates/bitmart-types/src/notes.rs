//! What decoding put up with.

use std::cell::RefCell;

use crate::UnknownValue;

/// Something that decoding put up with instead of failing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// A value that an enumeration lacks; it is kept.
    UnknownValue {
        /// Name of the enumeration.
        enumeration: &'static str,
        /// The value.
        value: UnknownValue,
    },
    /// A value that cannot be read, in a field that became `None`.
    Unreadable {
        /// What the field holds: `a decimal`.
        expected: &'static str,
    },
    /// A time in another unit than described; it is read by its magnitude.
    OtherUnit {
        /// The unit that is described: `milliseconds`.
        described: &'static str,
        /// The unit that came.
        found: &'static str,
    },
    /// A row of [`Rows`](crate::Rows) that does not decode, or a whole list that is none.
    FaultyRow {
        /// Its place in the list, from 0.
        index: usize,
    },
    /// A member that came twice, or under its old and its new name; one of the values was taken.
    RepeatedMember,
}

/// Maximum number of notes of one piece of work.
const MOST: usize = 64;

thread_local! {
    static NOTES: RefCell<Option<Vec<Note>>> = const { RefCell::new(None) };
}

/// Does `work` and returns beside its result what the decoders of this crate put up with
/// meanwhile: the first 64 notes, in the order of the text.
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
    /// Puts back what was noted before, also when the work panics.
    struct Outer(Option<Vec<Note>>);
    impl Drop for Outer {
        fn drop(&mut self) {
            NOTES.set(self.0.take());
        }
    }

    let _outer = Outer(NOTES.replace(Some(Vec::new())));
    let result = work();
    (result, NOTES.take().unwrap_or_default())
}

/// Records a note, if somebody collects them.
#[cold]
pub(crate) fn note(note: impl FnOnce() -> Note) {
    NOTES.with_borrow_mut(|notes| {
        if let Some(notes) = notes
            && notes.len() < MOST
        {
            notes.push(note());
        }
    });
}

/// The number of notes so far, for [`rewind`].
pub(crate) fn mark() -> usize {
    NOTES.with_borrow(|notes| notes.as_ref().map_or(0, Vec::len))
}

/// Forgets the notes since `mark`: their data is decoded again, or dropped.
pub(crate) fn rewind(mark: usize) {
    NOTES.with_borrow_mut(|notes| {
        if let Some(notes) = notes {
            notes.truncate(mark);
        }
    });
}
