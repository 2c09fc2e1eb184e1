//! Notes about what decoding tolerated.

use std::cell::{Cell, RefCell};
use std::ops::Deref;

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
    TruncatedDecimal,
    /// A repeated member, or a member under two of its names; one of the values was taken.
    RepeatedMember,
}

/// Maximum number of notes that are listed.
const MAX_NOTES: usize = 64;

/// Notes about what decoding tolerated: the first 64 in the order of the text, and the numbers of all.
///
/// Dereferences to the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    listed: Vec<Note>,
    counts: Counts,
}

/// The numbers of all notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    all: usize,
    unreadable: usize,
    faulty_rows: usize,
    other_units: usize,
    truncated_decimals: usize,
}

impl Notes {
    /// Returns the number of all notes.
    pub fn total(&self) -> usize {
        self.counts.all
    }

    /// Returns the number of notes that are not listed.
    pub fn left_out(&self) -> usize {
        self.counts.all - self.listed.len()
    }

    /// Returns the number of all [`Note::Unreadable`].
    pub fn unreadable(&self) -> usize {
        self.counts.unreadable
    }

    /// Returns the number of all [`Note::FaultyRow`].
    pub fn faulty_rows(&self) -> usize {
        self.counts.faulty_rows
    }

    /// Returns the number of all [`Note::OtherUnit`].
    pub fn other_units(&self) -> usize {
        self.counts.other_units
    }

    /// Returns the number of all [`Note::TruncatedDecimal`].
    pub fn truncated_decimals(&self) -> usize {
        self.counts.truncated_decimals
    }

    fn add(&mut self, note: Note) {
        self.counts.all += 1;
        match note {
            Note::Unreadable { .. } => self.counts.unreadable += 1,
            Note::FaultyRow { .. } => self.counts.faulty_rows += 1,
            Note::OtherUnit { .. } => self.counts.other_units += 1,
            Note::TruncatedDecimal => self.counts.truncated_decimals += 1,
            Note::UnknownValue { .. } | Note::RepeatedMember => {}
        }
        if self.listed.len() < MAX_NOTES {
            self.listed.push(note);
        }
    }
}

impl Deref for Notes {
    type Target = [Note];

    fn deref(&self) -> &[Note] {
        &self.listed
    }
}

thread_local! {
    static NOTES: RefCell<Option<Notes>> = const { RefCell::new(None) };
    static HAS_UNREADABLE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` and returns its result with notes about what the decoders of this crate tolerated
/// meanwhile.
///
/// ```
/// use bitmart_types::{Note, Side, collect_notes};
///
/// let (side, notes) = collect_notes(|| Side::from("sideways"));
/// assert!(!side.is_known());
/// assert!(matches!(&notes[..], [Note::UnknownValue { enumeration: "Side", value }]
///     if value.as_str() == "sideways"));
/// assert_eq!((notes.total(), notes.left_out()), (1, 0));
/// ```
pub fn collect_notes<T>(work: impl FnOnce() -> T) -> (T, Notes) {
    /// Restores the outer notes, also if `work` panics.
    struct Restore(Option<Notes>);
    impl Drop for Restore {
        fn drop(&mut self) {
            NOTES.set(self.0.take());
        }
    }

    let _restore = Restore(NOTES.replace(Some(Notes::default())));
    let result = work();
    (result, NOTES.take().unwrap_or_default())
}

/// Runs `work` and returns its result with whether an optional value became `None` meanwhile because it could
/// not be read. Notes are recorded as without it.
///
/// For objects in which absent values have a meaning that unreadable ones do not have.
pub fn find_unreadable<T>(work: impl FnOnce() -> T) -> (T, bool) {
    /// Restores what was found outside, also if `work` panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            HAS_UNREADABLE.set(HAS_UNREADABLE.get() || self.0);
        }
    }

    let _restore = Restore(HAS_UNREADABLE.replace(false));
    let result = work();
    (result, HAS_UNREADABLE.get())
}

/// Records that an optional value could not be read, whether or not notes are being collected.
#[cold]
pub(crate) fn unreadable(expected: &'static str) {
    HAS_UNREADABLE.set(true);
    note(|| Note::Unreadable { expected });
}

/// Records a note, if notes are being collected.
#[cold]
pub(crate) fn note(note: impl FnOnce() -> Note) {
    NOTES.with_borrow_mut(|notes| {
        if let Some(notes) = notes {
            notes.add(note());
        }
    });
}

/// How many notes there were at some moment, to which [`rewind`] returns.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    listed: usize,
    counts: Counts,
}

/// Returns how many notes there are now, for [`rewind`].
pub(crate) fn position() -> Position {
    NOTES.with_borrow(|notes| {
        let (listed, counts) = notes
            .as_ref()
            .map_or_else(Default::default, |notes| (notes.listed.len(), notes.counts));
        Position { listed, counts }
    })
}

/// Removes the notes since `position`, whose data is decoded again or dropped.
pub(crate) fn rewind(position: Position) {
    NOTES.with_borrow_mut(|notes| {
        if let Some(notes) = notes {
            notes.listed.truncate(position.listed);
            notes.counts = position.counts;
        }
    });
}
