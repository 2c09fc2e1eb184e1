//! Balances, deposits and withdrawals, and the comparison of balances with movements.

use std::collections::BTreeMap;

use bitmart::Decimal;

use super::page::{Column, Figure, Section, Table};
use super::timeline::LevelSeries;
use super::totals::{Funds, NEWEST, Newest};
use super::{ReportData, plain, plus};
use crate::failure::Failure;
use crate::ledger::Wallet;
use crate::plot::{Mark, Plot, Series};

/// Coins of a wallet whose balances are shown over time: those that moved most often.
const COINS: usize = 6;
/// Wallets whose balances are shown over time: an account may have a margin wallet for each pair.
const WALLETS: usize = 8;
/// Rows of a table by month, the newest.
const ROWS: usize = 600;

/// Balances, now and over time.
pub(super) fn balances(data: &ReportData<'_>) -> Result<Section, Failure> {
    let mut section = Section::new("balances", "Balances");
    let columns = vec![Column::text("Wallet"), Column::text("Coin"), Column::number("Balance")];
    let mut table =
        Table::new("balances-now", "Balances as the exchange reported them last", columns);
    let mut openings: BTreeMap<(Wallet, String), Decimal> = BTreeMap::new();
    for difference in &data.differences {
        let Some(wallet) = &difference.wallet else { continue };
        openings.insert((wallet.clone(), difference.coin.clone()), difference.amount());
        if !difference.balance.is_zero() {
            let cells = [wallet.to_string(), difference.coin.clone(), plain(difference.balance)];
            table.row(cells.to_vec());
        }
    }
    if table.rows.is_empty() {
        section.text("The archive has no balances.");
    }
    section.table(table);
    let levels = &data.totals.levels;
    let points = levels.points();
    if points.is_empty() {
        return Ok(section);
    }
    section.heading("Over time");
    section.text(format!(
        "The line is computed back from the last balance by the movements in the archive; before \
         the first movement it shows what no movement explains. Dots are balances that the \
         exchange reported, at their time. No coin is valued in another. Up to {COINS} coins of up \
         to {WALLETS} wallets are shown, those that moved most often."
    ));
    let mut wallets: BTreeMap<&Wallet, Vec<(&String, &LevelSeries)>> = BTreeMap::new();
    for ((wallet, coin), changes) in levels.series().iter().filter(|(_, changes)| changes.count > 0)
    {
        wallets.entry(wallet).or_default().push((coin, changes));
    }
    let mut wallets: Vec<_> = wallets.into_iter().collect();
    let moves = |coins: &[(&String, &LevelSeries)]| {
        coins.iter().map(|(_, changes)| changes.count).sum::<u64>()
    };
    wallets.sort_by_key(|(_, coins)| std::cmp::Reverse(moves(coins)));
    wallets.truncate(WALLETS);
    let (mut figures, mut tables) = (Vec::new(), Vec::new());
    for (number, (wallet, mut coins)) in wallets.into_iter().enumerate() {
        coins.sort_by_key(|(_, changes)| std::cmp::Reverse(changes.count));
        coins.truncate(COINS);
        let mut columns = vec![Column::text(levels.unit())];
        columns.extend(coins.iter().map(|(coin, _)| Column::number(coin.as_str())));
        let caption =
            format!("Balances of {wallet} at the end of each {}", levels.unit().to_lowercase());
        let mut table = Table::new(format!("levels-{number}"), caption, columns);
        let mut rows: Vec<Vec<String>> = points.iter().map(|point| vec![point.clone()]).collect();
        for (place, (coin, changes)) in coins.iter().enumerate() {
            let opening = openings.get(&(wallet.clone(), (*coin).clone())).copied();
            let values = changes.levels(&points, opening.unwrap_or_default())?;
            for (row, value) in rows.iter_mut().zip(&values) {
                row.push(plain(*value));
            }
            let title = format!("{coin}, {wallet}");
            let description = describe(&title, &points, &values, "its balance went");
            let values = values.into_iter().map(Some).collect();
            let mut series = vec![Series::new("balance", Mark::Steps, values)];
            let (observed, within) = changes.observed(&points);
            if observed.iter().any(Option::is_some) {
                series.push(Series { within, ..Series::new("as reported", Mark::Dots, observed) });
            }
            let id = format!("level-{number}-{place}");
            let plot =
                Plot { id, title: title.clone(), description, labels: points.clone(), series };
            figures.extend(plot.svg().map(|svg| Figure { caption: title, svg }));
        }
        for row in rows {
            table.row(row);
        }
        tables.push(table.folded());
    }
    section.figures(figures);
    for table in tables {
        section.table(table);
    }
    Ok(section)
}

/// Describes a plot as text, for screen readers.
pub(super) fn describe(title: &str, labels: &[String], values: &[Decimal], verb: &str) -> String {
    let (Some(first), Some(last)) = (labels.first(), labels.last()) else {
        return title.to_owned();
    };
    let (low, high) = (values.iter().min(), values.iter().max());
    let number = |value: Option<&Decimal>| value.map(|value| plain(*value)).unwrap_or_default();
    format!(
        "{title}, {first} to {last}: {verb} from {} to {}, lowest {}, highest {}. The table has \
         every number.",
        number(values.first()),
        number(values.last()),
        number(low),
        number(high)
    )
}

/// Deposits and withdrawals.
pub(super) fn funds(data: &ReportData<'_>) -> Result<Section, Failure> {
    let mut section = Section::new("funds", "Deposits and withdrawals");
    let funds = &data.totals.funds;
    if funds.is_empty() {
        section.text("The archive has none.");
        return Ok(section);
    }
    let mut coins: BTreeMap<&str, Funds> = BTreeMap::new();
    for ((_, coin), month) in funds {
        let sum = coins.entry(coin).or_default();
        sum.deposits += month.deposits;
        sum.withdrawals += month.withdrawals;
        plus(&mut sum.deposited, month.deposited)?;
        plus(&mut sum.withdrawn, month.withdrawn)?;
        plus(&mut sum.fees, month.fees)?;
    }
    section.text(
        "Deposits that arrived, and withdrawals that were neither canceled nor failed, of which \
         some may be pending. Withdrawn amounts exclude the fee.",
    );
    let columns = |first: &[&str]| {
        let mut columns: Vec<Column> = first.iter().map(|name| Column::text(*name)).collect();
        let numbers = ["Deposits", "Deposited", "Withdrawals", "Withdrawn", "Fees"];
        columns.extend(numbers.map(Column::number));
        columns
    };
    let cells = |first: &[&str], funds: &Funds| {
        let mut cells: Vec<String> = first.iter().map(|text| (*text).to_owned()).collect();
        let Funds { deposits, deposited, withdrawals, withdrawn, fees } = funds;
        cells.extend([deposits.to_string(), plain(*deposited)]);
        cells.extend([withdrawals.to_string(), plain(*withdrawn), plain(*fees)]);
        cells
    };
    let mut table =
        Table::new("funds-by-coin", "Deposits and withdrawals by coin", columns(&["Coin"]));
    for (coin, sum) in &coins {
        table.row(cells(&[coin], sum));
    }
    section.table(table);
    section.figures(fund_figures(data, &coins));
    let mut table = Table::new(
        "funds-by-month",
        caption("Deposits and withdrawals by month", funds.len()),
        columns(&["Month", "Coin"]),
    );
    for ((month, coin), sum) in funds.iter().skip(funds.len().saturating_sub(ROWS)) {
        table.row(cells(&[month, coin], sum));
    }
    section.table(table.folded());
    for (id, what, rows) in [
        ("last-deposits", "deposits", &data.totals.deposits),
        ("last-withdrawals", "withdrawals", &data.totals.withdrawals),
    ] {
        section.table(newest_table(id, what, rows));
    }
    Ok(section)
}

fn fund_figures(data: &ReportData<'_>, coins: &BTreeMap<&str, Funds>) -> Vec<Figure> {
    let funds = &data.totals.funds;
    let months = months(funds.keys().map(|(month, _)| month));
    let mut coins: Vec<_> = coins.iter().collect();
    coins.sort_by_key(|(_, funds)| std::cmp::Reverse(funds.deposits + funds.withdrawals));
    let figure = |(place, (coin, sum)): (usize, &(&&str, &Funds))| {
        let of = |part: fn(&Funds) -> Decimal| {
            let month = |month: &String| funds.get(&(month.clone(), (**coin).to_owned())).map(part);
            months.iter().map(month).collect::<Vec<_>>()
        };
        let series = |name: &str, values| Series::new(name, Mark::Bars, values);
        let title = format!("{coin} by month");
        let description = format!(
            "{title}: deposited {} in {} deposits, withdrawn {} in {} withdrawals. The table has \
             every number.",
            plain(sum.deposited),
            sum.deposits,
            plain(sum.withdrawn),
            sum.withdrawals
        );
        let plot = Plot {
            id: format!("fund-{place}"),
            title: title.clone(),
            description,
            labels: months.clone(),
            series: vec![
                series("deposited", of(|funds| funds.deposited)),
                series("withdrawn", of(|funds| -funds.withdrawn)),
            ],
        };
        Some(Figure { caption: title, svg: plot.svg()? })
    };
    coins.iter().take(COINS).enumerate().filter_map(figure).collect()
}

/// The table of the newest rows.
fn newest_table(id: &str, what: &str, rows: &Newest) -> Table {
    let columns = vec![
        Column::text("Time"),
        Column::text("Coin"),
        Column::text("Network"),
        Column::number("Amount"),
        Column::number("Fee"),
        Column::code("Id"),
        Column::code("Transaction"),
    ];
    let caption = format!("The last {what}, {NEWEST} at most");
    let mut table = Table::new(id, caption, columns);
    for row in rows {
        table.row(row.clone());
    }
    table.folded()
}

/// All months from the first to the last, including those without a row.
pub(super) fn months<'a>(named: impl Iterator<Item = &'a String>) -> Vec<String> {
    let mut timeline = super::timeline::Timeline::default();
    let mut named: Vec<_> = named.collect();
    named.dedup();
    for month in named {
        // An invalid month is ignored.
        let _ = timeline.change((), &format!("{month}-01"), Decimal::ZERO);
    }
    let mut months: Vec<String> =
        timeline.points().iter().map(|point| point.chars().take(7).collect()).collect();
    months.dedup();
    months
}

/// A caption that states whether rows are left out.
pub(super) fn caption(caption: &str, rows: usize) -> String {
    if rows > ROWS {
        format!("{caption}: the newest {ROWS} of {rows} rows")
    } else {
        caption.to_owned()
    }
}

/// Number of rows that are left out: see [`caption`].
pub(super) fn rows_left_out(rows: usize) -> usize {
    rows.saturating_sub(ROWS)
}

/// Balances compared with movements.
pub(super) fn check(data: &ReportData<'_>) -> Section {
    let mut section = Section::new("check", "Balances against movements");
    section.text(
        "The last balance of each wallet and coin, and the sum of all movements in the archive. A \
         difference is no fault of the archive: the numbers beside it refer to possible reasons. \
         Transfers between wallets of which no list contains both sides cancel out in the lines of \
         all wallets.",
    );
    if !data.problems.is_empty() {
        section.heading("Rows that are in no sum, or lack a part");
        section.list(data.problems.lines());
    }
    let differing = data.differences.iter().filter(|one| !one.amount().is_zero()).count();
    let lines = data.differences.len();
    section.text(format!("{differing} of {lines} lines have a difference."));
    let columns = vec![
        Column::text("Wallet"),
        Column::text("Coin"),
        Column::number("Balance"),
        Column::number("Movements"),
        Column::number("Difference"),
        Column::text("It may be"),
    ];
    let mut table = Table::new("differences", "Every wallet and coin", columns);
    // Many coins differ for the same reasons, which are listed once and referred to by number.
    let mut reasons: Vec<&str> = Vec::new();
    for one in &data.differences {
        let numbers = one.reasons.iter().map(|reason| {
            let known = reasons.iter().position(|known| known == reason);
            let at = known.unwrap_or_else(|| {
                reasons.push(reason);
                reasons.len() - 1
            });
            (at + 1).to_string()
        });
        let numbers = numbers.collect::<Vec<_>>().join(", ");
        let wallet = one.wallet.as_ref().map_or("all wallets".to_owned(), ToString::to_string);
        table.row(vec![
            wallet,
            one.coin.clone(),
            plain(one.balance),
            plain(one.movement_sum),
            plain(one.amount()),
            numbers,
        ]);
    }
    section.table(table);
    if !reasons.is_empty() {
        section.heading("What a difference may be");
        let reason = |(at, reason): (usize, &&str)| format!("{}: {reason}", at + 1);
        section.list(reasons.iter().enumerate().map(reason).collect());
    }
    section
}
