//! The first page: clock, load, refusals and controls.

use askama::Template;
use serde_json::{Value, json};

use super::{
    form::CallForm,
    page::{self, Shell, Visit},
    reply::Reply,
    rows::open_count,
    time,
};
use crate::{
    clock::Clock,
    operator::{AdvanceClock, PauseMarketMakers, StepMarket},
    shared::Shared,
};

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview<'a> {
    shell: Shell,
    clock: String,
    seed: u64,
    figures: Figures,
    spot: &'a str,
    futures: &'a str,
    refusals: Vec<(u32, u64)>,
    forms: Vec<CallForm>,
}

/// The part of the page that is updated while it is open.
struct Figures {
    time: String,
    makers: &'static str,
    total: u64,
    connections: usize,
    sockets: usize,
    faults: usize,
    accounts: usize,
    orders: usize,
}

impl Figures {
    /// After a panic of the exchange there are none.
    fn of(shared: &Shared) -> Option<Self> {
        let rest_faults = shared.faults().active().len();
        let traffic = shared.traffic.as_ref();
        let state = shared.intact_state()?;
        let customers = || state.exchange.accounts().filter(|account| !account.house);
        Some(Self {
            time: time::date(state.clock.now_ms()),
            makers: if state.makers_paused { "paused" } else { "running" },
            total: traffic.map_or(0, |traffic| traffic.requests().last()),
            connections: traffic.map_or(0, |traffic| traffic.connections()),
            sockets: state.feed.sockets(),
            faults: rest_faults + state.feed.faults.active().len(),
            accounts: customers().count(),
            orders: customers().map(|account| open_count(&state.exchange, account)).sum(),
        })
    }
}

/// The first page.
pub(super) fn page(visit: &Visit<'_>) -> Reply {
    let shared = visit.shared;
    let Some(figures) = Figures::of(shared) else { return page::missing(visit) };
    let state = shared.state();
    let (clock, paused) = (state.clock, state.makers_paused);
    drop(state);
    let back = super::PATH;
    let hold = CallForm::of::<PauseMarketMakers>(
        "hold",
        if paused { "Resume the market makers" } else { "Pause the market makers" },
        back,
    );
    let mut forms = vec![hold.fixed("paused", !paused)];
    if clock.is_stepped() {
        forms.push(
            CallForm::of::<AdvanceClock>("advance", "Advance the clock", back).with("ms", 60_000),
        );
    }
    forms.push(CallForm::of::<StepMarket>("step", "Step the market", back).with("steps", 10));
    page::render(&Overview {
        shell: visit.shell("Overview", "Overview"),
        clock: match clock {
            Clock::Machine => "the machine's clock".to_owned(),
            Clock::Running { speed, .. } => format!("{speed} times as fast as the machine's"),
            Clock::Stepped { .. } => "standing: it moves only by the controls below".to_owned(),
        },
        seed: shared.config.seed,
        figures,
        spot: &visit.addresses.spot,
        futures: &visit.addresses.futures,
        refusals: shared.traffic.as_ref().map(|traffic| traffic.refusals()).unwrap_or_default(),
        forms: forms.into_iter().map(|form| form.refill(visit)).collect(),
    })
}

/// The figures of now; `None` after a panic of the exchange. The script computes requests a second from `total`.
pub(super) fn update(shared: &Shared) -> Option<Value> {
    let figures = Figures::of(shared)?;
    let traffic = shared.traffic.as_ref()?;
    Some(json!({
        "refusals": traffic.refusals(),
        "stats": {
            "time": figures.time,
            "makers": figures.makers,
            "total": figures.total.to_string(),
            "connections": figures.connections.to_string(),
            "sockets": figures.sockets.to_string(),
            "faults": figures.faults.to_string(),
            "accounts": figures.accounts.to_string(),
            "orders": figures.orders.to_string(),
        },
    }))
}
