//! The first page: clock, load, refusals and controls.

use askama::Template;
use serde_json::{Value, json};

use super::{
    form::CallForm,
    page::{self, Shell, Visit},
    reply::Reply,
    time,
};
use crate::{
    clock::Clock,
    operator::{AdvanceClock, HoldMarket, StepMarket},
    shared::Shared,
};

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview<'a> {
    shell: Shell,
    time: String,
    clock: String,
    seed: u64,
    makers: &'static str,
    total: u64,
    sockets: usize,
    spot: &'a str,
    futures: &'a str,
    refusals: Vec<(u32, u64)>,
    faults: usize,
    accounts: usize,
    orders: usize,
    forms: Vec<CallForm>,
}

/// The first page.
pub(super) fn page(visit: &Visit<'_>) -> Reply {
    let shared = visit.shared;
    let state = shared.state();
    let (clock, paused, sockets) = (state.clock, state.makers_paused, state.feed.sockets());
    let customers = || state.exchange.accounts().filter(|account| !account.house);
    let accounts = customers().count();
    let open =
        customers().map(|one| one.spot_orders.open().len() + one.futures_orders.open().len());
    let (orders, faults) = (open.sum(), state.feed.faults.active().len());
    drop(state);
    let back = super::PATH;
    let hold = CallForm::of::<HoldMarket>(
        "hold",
        if paused { "Resume the market makers" } else { "Pause the market makers" },
        back,
    );
    let mut forms = vec![hold.fixed("held", !paused)];
    if clock.is_stepped() {
        forms.push(
            CallForm::of::<AdvanceClock>("advance", "Advance the clock", back).with("ms", 60_000),
        );
    }
    forms.push(CallForm::of::<StepMarket>("step", "Step the market", back).with("steps", 10));
    let traffic = shared.traffic.as_ref();
    page::render(&Overview {
        shell: visit.shell("Overview", "Overview"),
        time: time::date(clock.now_ms()),
        clock: match clock {
            Clock::Machine => "the machine's clock".to_owned(),
            Clock::Running { speed, .. } => format!("{speed} times as fast as the machine's"),
            Clock::Stepped { .. } => "standing: it moves only by the controls below".to_owned(),
        },
        seed: shared.config.seed,
        makers: if paused { "paused" } else { "running" },
        total: traffic.map_or(0, |traffic| traffic.requests().last()),
        sockets,
        spot: &visit.addresses.spot,
        futures: &visit.addresses.futures,
        faults: faults + shared.faults().active().len(),
        accounts,
        orders,
        refusals: traffic.map(|traffic| traffic.refusals()).unwrap_or_default(),
        forms,
    })
}

/// The figures that change while the page is open.
pub(super) fn stats(shared: &Shared, rate: u64) -> Value {
    // After a panic of the exchange there are none.
    let Some(state) = shared.intact_state() else { return json!({}) };
    let (now_ms, sockets) = (state.clock.now_ms(), state.feed.sockets());
    drop(state);
    let total = shared.traffic.as_ref().map_or(0, |traffic| traffic.requests().last());
    json!({
        "time": time::date(now_ms),
        "sockets": sockets.to_string(),
        "rate": rate.to_string(),
        "total": total.to_string(),
    })
}
