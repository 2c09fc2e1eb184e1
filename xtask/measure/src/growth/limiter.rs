//! The rate limiter with many tasks that want permits at once, of which about a quarter gets one in each window: the
//! processor time of a request, in which only the part of the limiter depends on the number of tasks, and the bytes of
//! a waiting task.

use std::time::Duration;

use bitmart_rest::endpoint::{
    Auth, Effect, EncodeError, Endpoint, Host, LimitScope, Metadata, Method, Payload,
};
use bitmart_rest::limit::{LimitPolicy, Limiter};
use bitmart_rest::{Client, spot};
use tokio::runtime::Builder;
use tokio::task::JoinSet;

use super::{Cost, bytes_of_each, processor_time};
use crate::Failure;
use crate::canned::{Canned, PLACED};

/// Requests that are timed at least. With few tasks they are sent in several rounds, because the system counts
/// processor time in coarse steps.
const REQUESTS: usize = 4_000;

/// An endpoint with a limit of `PERMITS` requests a second.
struct Limited<const PERMITS: u32>;

impl<const PERMITS: u32> Endpoint for Limited<PERMITS> {
    type Response = <spot::SubmitOrder as Endpoint>::Response;
    const METADATA: Metadata = Metadata::new("limited", Method::Get, Host::Spot, "/limited")
        .auth(Auth::None)
        .effect(Effect::Read)
        .limit(PERMITS, 1, LimitScope::Ip);
    fn encode(&self, _: &mut Payload) -> Result<(), EncodeError> {
        Ok(())
    }
}

pub(super) fn measure(tasks: usize) -> Result<Cost, Failure> {
    match tasks {
        0..10 => run::<1>(tasks),
        10..100 => run::<3>(tasks),
        100..1_000 => run::<25>(tasks),
        1_000..10_000 => run::<250>(tasks),
        _ => run::<2_500>(tasks),
    }
}

fn run<const PERMITS: u32>(tasks: usize) -> Result<Cost, Failure> {
    // Windows pass at once as soon as every task waits.
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let rounds = (REQUESTS / tasks.max(1)).max(1);
    let (mut result, mut allocated) = (Ok(()), 0);
    let begin = processor_time();
    for _ in 0..rounds {
        let client = Client::builder()
            .transport(Canned(PLACED))
            .timeout(Duration::from_secs(600))
            .limiter(Limiter::new(LimitPolicy::WaitUpTo(Duration::from_secs(500))))
            .build()?;
        let round = allocation_counter::measure(|| {
            result = runtime.block_on(send::<PERMITS>(&client, tasks));
        });
        allocated = round.bytes_max;
        std::mem::replace(&mut result, Ok(()))?;
    }
    let time = (processor_time() - begin) / u128::try_from(rounds * tasks.max(1))?;
    Ok(Cost { time, memory: bytes_of_each(i64::try_from(allocated)?, tasks) })
}

async fn send<const PERMITS: u32>(client: &Client, tasks: usize) -> Result<(), Failure> {
    let mut all = JoinSet::new();
    for _ in 0..tasks {
        let client = client.clone();
        all.spawn(async move { client.send(Limited::<PERMITS>).await });
    }
    while let Some(sent) = all.join_next().await {
        sent??;
    }
    Ok(())
}
