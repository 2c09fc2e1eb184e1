//! An order book: the time of an update with at most seven changes a side, and the bytes of a level.

use super::{Cost, bytes_of_each, time_of_step};
use crate::book::{Follower, Market};

pub(super) fn measure(levels: usize) -> Cost {
    let market = Market::new(levels);
    let mut follower = None;
    let allocated =
        allocation_counter::measure(|| follower = Some(Follower::new(&market))).bytes_current;
    let time = follower.map_or(0, |mut follower| time_of_step(|| follower.step()));
    Cost { time, memory: bytes_of_each(allocated, 2 * levels) }
}
