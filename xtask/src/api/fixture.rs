//! A library with one of everything, for the test of the snapshots. It is documented and never compiled.

mod hidden {
    #[derive(Clone)]
    #[non_exhaustive]
    pub enum Kind<T: Copy = u8> {
        Unit,
        Tuple(T, u8),
        Struct { name: &'static str },
    }

    impl<T: Copy> Kind<T> {
        pub const LIMIT: usize = 1;

        pub async fn send<'a>(
            &'a mut self,
            filter: impl Fn(&str) -> bool + 'a,
        ) -> Result<Box<dyn Shape<Out = std::vec::IntoIter<u8>> + Send>, ()>
        where
            T: 'static,
        {
            let _ = filter;
            Err(())
        }

        fn private(&self) {}
    }

    impl From<u8> for Kind<u8> {
        fn from(_: u8) -> Self {
            Self::Unit
        }
    }

    impl Iterator for Kind<u8> {
        type Item = [u8; 4];
        fn next(&mut self) -> Option<[u8; 4]> {
            self.private();
            None
        }
    }

    pub trait Shape: Send {
        const SIDES: usize;
        type Out: Iterator<Item = u8>;
        fn area(&self) -> Self::Out;
        fn is_empty(&self) -> bool {
            Self::SIDES == 0
        }
    }

    pub struct Private;

    impl From<Private> for String {
        fn from(_: Private) -> Self {
            Self::new()
        }
    }
}

pub use hidden::{Kind, Shape};

pub mod deep {
    pub struct Record {
        pub field: (u8, *const u8),
        private: u8,
    }

    impl Record {
        pub fn private(&self) -> u8 {
            self.private
        }
    }

    pub struct Pair(pub u8, u16);

    impl Pair {
        pub const fn second(&self) -> u16 {
            self.1
        }
    }

    pub struct Unit;

    pub type Alias<X> = Result<X, fn(u8) -> !>;

    pub static TABLE: [u8; 2] = [0; 2];

    pub struct NotSend(pub std::rc::Rc<u8>);

    #[macro_export]
    macro_rules! exported {
        ($x:expr) => {};
    }
}

pub use deep::Record;
pub use std::collections::BTreeMap as Map;

pub fn slice<const N: usize>(values: &[[u8; N]]) -> impl Sized + use<N> {
    values.len()
}

#[doc(hidden)]
pub fn seam() {}
