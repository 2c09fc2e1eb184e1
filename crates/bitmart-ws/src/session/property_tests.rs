//! Random interleavings of commands, acknowledgements, disconnections and time, compared with a model of
//! the server.

mod frames;
mod model;

use proptest::prelude::*;

use super::*;

use self::model::Model;

#[derive(Clone, Debug)]
enum Step {
    Subscribe(u8),
    Unsubscribe(u8),
    Request(u8),
    /// The attempt to connect succeeds or fails.
    Connect(bool),
    /// The server acknowledges its oldest command.
    Acknowledge,
    /// The server rejects one topic of its oldest command.
    Reject(u32),
    /// The server rejects its oldest command as a whole.
    RejectFrame,
    Data(u8),
    InvalidFrame,
    Disconnect,
    Wait(u16),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..40_u8).prop_map(Step::Subscribe),
        4 => (0..40_u8).prop_map(Step::Unsubscribe),
        1 => (0..40_u8).prop_map(Step::Request),
        4 => proptest::bool::weighted(0.8).prop_map(Step::Connect),
        8 => Just(Step::Acknowledge),
        1 => prop::sample::select(vec![90_004, 90_007, 90_008, 95_000]).prop_map(Step::Reject),
        1 => Just(Step::RejectFrame),
        2 => (0..40_u8).prop_map(Step::Data),
        1 => Just(Step::InvalidFrame),
        1 => Just(Step::Disconnect),
        4 => (0..15_000_u16).prop_map(Step::Wait),
    ]
}

proptest! {
    // The same cases every time, so that a run can be repeated; the fuzz target explores.
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(7),
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_session_keeps_the_limits_and_recovers_from_any_sequence_of_events(
        steps in prop::collection::vec(step(), 0..120),
        spot: bool,
        private: bool,
    ) {
        let market = if spot { Market::Spot } else { Market::Futures };
        let access = if private { Access::Private } else { Access::Public };
        let mut model = Model::new(market, access);
        for step in &steps {
            model.apply(step);
        }
        model.recover();
    }
}
