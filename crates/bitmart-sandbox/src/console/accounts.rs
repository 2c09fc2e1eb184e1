//! The pages about accounts: all of them, and one.

use askama::Template;
use bitmart_sim::{AccountId, Exchange, account::Account};

use super::{
    form::CallForm,
    ledger,
    page::{self, Shell, Visit},
    reply::Reply,
    rows::{self, plain},
    table::{Column, Row, Table, TableElement},
    time,
};
use crate::{
    keys::ApiKey,
    operator::{CreateAccount, FreezeAccount, MakeDeposit, SetBalance},
};

/// Accounts that the list shows.
const ACCOUNTS_SHOWN: usize = 500;

#[derive(Template)]
#[template(path = "console/sections.html")]
struct Sections {
    shell: Shell,
    intro: String,
    parts: Vec<Section>,
}

/// A part of a page.
struct Section {
    heading: &'static str,
    table: Option<TableElement>,
    forms: Vec<CallForm>,
}

const ACCOUNTS: &[Column] = &[
    Column::text("account"),
    Column::text("main account"),
    Column::text("state"),
    Column::number("USDT on spot"),
    Column::number("futures equity in USDT"),
    Column::number("open orders"),
    Column::number("positions"),
];

/// All accounts.
pub(super) fn page(visit: &Visit<'_>) -> Reply {
    let state = visit.shared.state();
    let exchange = &state.exchange;
    let customers = || exchange.accounts().filter(|account| !account.house);
    let rows: Vec<Row> =
        customers().take(ACCOUNTS_SHOWN).map(|account| summary(exchange, account)).collect();
    let caption = match customers().count() {
        count if count > ACCOUNTS_SHOWN => {
            format!("The first {ACCOUNTS_SHOWN} of {count} accounts")
        }
        _ => "Accounts".to_owned(),
    };
    drop(state);
    let back = "/console/accounts";
    let table = Table::element("accounts", caption, ACCOUNTS, rows, "There is no account.");
    page::render(&Sections {
        shell: visit.shell("Accounts", "Accounts"),
        intro: String::new(),
        parts: vec![
            Section { heading: "Customers", table: Some(table), forms: Vec::new() },
            Section {
                heading: "New account",
                table: None,
                forms: vec![CallForm::of::<CreateAccount>("create", "Create an account", back)],
            },
        ],
    })
}

fn summary(exchange: &Exchange, account: &Account) -> Row {
    let number = account.id.0;
    let open = rows::open_count(exchange, account);
    let spot = exchange.wallet(account.id, bitmart_sim::account::WalletKind::Spot, "USDT");
    let equity = exchange.collateral(account.id, &"USDT".into()).equity();
    let frozen = exchange.operator_settings().is_frozen(account.id);
    let cells = vec![
        number.to_string(),
        account.main.map(|main| main.0.to_string()).unwrap_or_default(),
        if frozen { "frozen" } else { "active" }.to_owned(),
        plain(spot.available + spot.frozen),
        plain(equity),
        open.to_string(),
        account.open_positions().count().to_string(),
    ];
    Row { link: Some(format!("/console/accounts/{number}")), cells, plot: None }
}

const WALLETS: &[Column] = &[
    Column::text("wallet"),
    Column::text("currency"),
    Column::number("available"),
    Column::number("frozen"),
];
const KEYS: &[Column] = &[Column::text("key"), Column::text("permissions"), Column::text("state")];

/// One account.
pub(super) fn account(visit: &Visit<'_>, number: &str) -> Reply {
    let Ok(number) = number.parse::<u32>() else { return page::missing(visit) };
    let id = AccountId(number);
    let state = visit.shared.state();
    let exchange = &state.exchange;
    let Some(account) = exchange.account(id).filter(|account| !account.house) else {
        drop(state);
        return page::missing(visit);
    };
    let balances = exchange.balance_rows_of(account).into_iter();
    let balances = balances.filter(|row| !row.available.is_zero() || !row.frozen.is_zero());
    let wallets = balances.map(|row| {
        vec![row.wallet.to_owned(), row.currency, plain(row.available), plain(row.frozen)]
    });
    let wallets: Vec<_> = wallets.collect();
    let positions = rows::positions(exchange, account);
    let orders = rows::open_orders(exchange, account);
    let finished = rows::finished_orders(exchange, account);
    let fills = rows::fills(exchange, id);
    let ledger = ledger::rows(exchange, account);
    let frozen = exchange.operator_settings().is_frozen(id);
    let now_ms = state.clock.now_ms();
    drop(state);
    let keys = visit.shared.keys.keys_of_account(id);
    let keys = keys.iter().map(|key| key_row(key, now_ms));
    let back = format!("/console/accounts/{number}");
    let section = |heading, table| Section { heading, table: Some(table), forms: Vec::new() };
    let none = "None.";
    page::render(&Sections {
        shell: visit.shell(format!("Account {number}"), "Accounts"),
        intro: if frozen { "It is frozen: requests with an effect are rejected." } else { "" }
            .to_owned(),
        parts: vec![
            Section {
                heading: "Wallets",
                table: Some(Table::element(
                    "wallets",
                    "Wallets that are not empty",
                    WALLETS,
                    wallets,
                    "They are empty.",
                )),
                forms: vec![
                    CallForm::of::<SetBalance>("fund", "Set the balance", &back)
                        .fixed("account", number)
                        .with("currency", "USDT")
                        .refill(visit),
                    CallForm::of::<MakeDeposit>("deposit", "Simulate a deposit", &back)
                        .fixed("account", number)
                        .with("currency", "USDT")
                        .refill(visit),
                    CallForm::of::<FreezeAccount>(
                        "freeze",
                        if frozen { "Unfreeze the account" } else { "Freeze the account" },
                        &back,
                    )
                    .fixed("account", number)
                    .fixed("frozen", !frozen)
                    .destructive(),
                ],
            },
            section(
                "Positions",
                Table::element("positions", "Open positions", rows::POSITIONS, positions, none),
            ),
            section(
                "Open orders",
                Table::element("open", "Open orders, newest first", rows::ORDERS, orders, none),
            ),
            section(
                "Finished orders",
                Table::element("finished", "Latest finished orders", rows::ORDERS, finished, none),
            ),
            section("Fills", Table::element("fills", "Latest fills", rows::FILLS, fills, none)),
            section(
                "Ledger",
                Table::element("ledger", ledger::CAPTION, ledger::COLUMNS, ledger, none),
            ),
            section(
                "Keys",
                Table::element(
                    "keys",
                    "API keys, without their secrets; the command bitmart sandbox keys --new creates one",
                    KEYS,
                    keys,
                    none,
                ),
            ),
        ],
    })
}

fn key_row(key: &ApiKey, now_ms: u64) -> Vec<String> {
    let permissions = key.permissions.iter().filter_map(|one| serde_json::to_value(one).ok());
    let permissions: Vec<_> =
        permissions.filter_map(|one| one.as_str().map(ToOwned::to_owned)).collect();
    let state = match (key.frozen, key.expires_ms) {
        (true, _) => "frozen".to_owned(),
        (false, Some(at_ms)) if key.is_expired(now_ms) => format!("expired {}", time::date(at_ms)),
        (false, Some(at_ms)) => format!("expires {}", time::date(at_ms)),
        (false, None) => "active".to_owned(),
    };
    let start: String = key.key.chars().take(6).collect();
    vec![format!("{start}…"), permissions.join(", "), state]
}
