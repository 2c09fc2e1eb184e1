//! The page that breaks things: faults, cuts, halts, prices, the clock, and scenarios of faults.

use askama::Template;

use super::{
    form::CallForm,
    page::{self, Shell, Visit},
    reply::Reply,
    scenarios::{self, PresetRow},
    table::{Column, Table, TableElement},
};
use crate::{
    address::ADDRESSES,
    generated::{Method, routes},
    operator::{
        AdvanceClock, ClearFaults, DelistContract, HaltMarket, InjectFault, KillSockets,
        ListFaults, MovePrice, Operator,
    },
};

#[derive(Template)]
#[template(path = "console/faults.html")]
struct Faults {
    shell: Shell,
    active: TableElement,
    held: String,
    inject: CallForm,
    clear: CallForm,
    targets: Vec<String>,
    others: Vec<CallForm>,
    presets: Vec<PresetRow>,
}

const ACTIVE: &[Column] =
    &[Column::text("fault"), Column::text("on"), Column::number("times left")];
/// Topics that are offered as targets. Any other can be typed.
const TOPICS: [&str; 6] = [
    "spot/depth/increase100:BTC_USDT",
    "spot/ticker:BTC_USDT",
    "spot/trade:BTC_USDT",
    "spot/user/orders:BTC_USDT",
    "futures/depthIncrease20:BTCUSDT@100ms",
    "futures/order",
];

pub(super) fn page(visit: &Visit<'_>) -> Reply {
    let shared = visit.shared;
    let back = "/console/faults";
    let active = Operator::new(shared).call(ListFaults {}).map(|listed| listed.faults);
    let active = active.unwrap_or_default().into_iter().map(|row| {
        // A fault without an end has the greatest number.
        let times = if row.times > 1_000_000 { "always".to_owned() } else { row.times.to_string() };
        vec![row.fault.as_str().to_owned(), row.on, times]
    });
    let active = Table::element(
        "active",
        "Faults in force, oldest first",
        ACTIVE,
        active.collect::<Vec<_>>(),
        "None.",
    );
    let mut targets: Vec<String> =
        ADDRESSES.into_iter().chain(TOPICS).map(ToOwned::to_owned).collect();
    // Writes first: their faults hurt most.
    let paths = |method| {
        routes().filter(move |route| route.method == method).map(|route| route.path.to_owned())
    };
    targets.extend(paths(Method::Post).chain(paths(Method::Get)));
    let symbol = "symbol";
    let mut others = vec![
        CallForm::of::<KillSockets>("kill", "Cut all WebSockets", back).destructive(),
        CallForm::of::<HaltMarket>("halt", "Halt or resume a market", back)
            .with(symbol, "BTC_USDT"),
        CallForm::of::<DelistContract>("delist", "Delist or list a contract", back)
            .with(symbol, "BTCUSDT"),
        CallForm::of::<MovePrice>("price", "Move the price", back).with(symbol, "BTC_USDT"),
    ];
    if shared.state().clock.is_stepped() {
        others.push(
            CallForm::of::<AdvanceClock>("jump", "Jump the clock", back).with("ms", 3_600_000),
        );
    }
    page::render(&Faults {
        shell: visit.shell("Faults", "Faults"),
        active,
        held: shared.held_paths.borrow().paths().join(", "),
        inject: CallForm::of::<InjectFault>("inject", "Inject the fault", back)
            .suggest("on", "targets")
            .with("fault", "drop-after")
            .with("on", "/spot/v2/submit_order")
            .with("times", 1)
            .refill(visit),
        clear: CallForm::of::<ClearFaults>("clear", "Clear all faults", back),
        targets,
        others: others.into_iter().map(|form| form.refill(visit)).collect(),
        presets: scenarios::presets(back),
    })
}
