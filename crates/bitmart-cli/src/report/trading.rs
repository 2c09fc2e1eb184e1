//! Trades, results of futures, and income.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use bitmart::Decimal;

use super::money::{caption, describe, months, rows_left_out};
use super::page::{Column, Figure, Section, Table};
use super::totals::{Income, NEWEST, Pair, Results, Volume};
use super::{ReportData, plain, plus};
use crate::failure::Failure;
use crate::plot::{Mark, Plot, Ranking, Series};

/// Coins that are plotted.
const PLOTS: usize = 3;
/// Pairs in the plot, and in the table.
const BARS: usize = 10;
const PAIRS: usize = 100;

/// Plots amounts by month, for the coins with most rows.
fn by_month<'a>(
    id: &str,
    what: &str,
    amounts: impl Iterator<Item = (&'a String, &'a String, Decimal)>,
) -> Result<Vec<Figure>, Failure> {
    let mut coins: BTreeMap<&String, (usize, BTreeMap<&String, Decimal>)> = BTreeMap::new();
    for (month, coin, amount) in amounts {
        let (rows, months) = coins.entry(coin).or_default();
        *rows += 1;
        plus(months.entry(month).or_default(), amount)?;
    }
    let months = months(
        coins
            .values()
            .flat_map(|(_, months)| months.keys().copied())
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter(),
    );
    let mut coins: Vec<_> = coins.into_iter().collect();
    coins.sort_by_key(|(_, (rows, _))| Reverse(*rows));
    let mut figures = Vec::new();
    for (place, (coin, (_, amounts))) in coins.into_iter().take(PLOTS).enumerate() {
        let values: Vec<Option<Decimal>> =
            months.iter().map(|month| amounts.get(month).copied()).collect();
        let title = format!("{what} in {coin} by month");
        let numbers: Vec<Decimal> = values.iter().map(|value| value.unwrap_or_default()).collect();
        let plot = Plot {
            id: format!("{id}-{place}"),
            title: title.clone(),
            description: describe(&title, &months, &numbers, "it went"),
            labels: months.clone(),
            series: vec![Series::new(what, Mark::Bars, values)],
        };
        figures.extend(plot.svg().map(|svg| Figure { caption: title, svg }));
    }
    Ok(figures)
}

/// Volume and fees by month, and trades by pair.
pub(super) fn trades(data: &ReportData<'_>) -> Result<Section, Failure> {
    let totals = &data.totals;
    let mut section = Section::new("trades", "Trades, volume and fees");
    if totals.pairs.is_empty() {
        section.text("The archive has no trades.");
        return Ok(section);
    }
    section.text(
        "Volume is in the quote currency; currencies are not added up. Fees are those of trades; \
         those of futures are fees of the futures wallet. Rebates are income.",
    );
    if totals.without_volume > 0 {
        section.text(format!(
            "{} trades of futures are counted and have no volume: the archive does not have their \
             contract, or not their side.",
            totals.without_volume
        ));
    }
    let unknown: u64 = totals.unknown_fees.values().sum();
    if unknown > 0 {
        section.text(format!(
            "The fees of {unknown} trades are not known: the sums of fees contain the known ones only."
        ));
    }
    let volume = totals.volume.iter();
    let volume = volume.map(|((month, _, quote), volume)| {
        let mut sum = volume.bought;
        plus(&mut sum, volume.sold).map(|()| (month, quote, sum))
    });
    let volume = volume.collect::<Result<Vec<_>, _>>()?;
    let mut figures = by_month("volume", "Volume", volume.into_iter())?;
    let fees = totals.fees.iter().map(|((month, _, coin), fee)| (month, coin, *fee));
    figures.extend(by_month("fee", "Fees", fees)?);
    section.figures(figures);

    let columns = vec![
        Column::text("Month"),
        Column::text("Market"),
        Column::text("Currency"),
        Column::number("Trades"),
        Column::number("Bought for"),
        Column::number("Sold for"),
    ];
    let rows = totals.volume.len();
    let mut table = Table::new("volume-by-month", caption("Volume by month", rows), columns);
    for ((month, market, quote), volume) in totals.volume.iter().skip(rows_left_out(rows)) {
        let Volume { trades, bought, sold } = volume;
        let first = [month.clone(), market.name().to_owned(), quote.clone()];
        let numbers = [trades.to_string(), plain(*bought), plain(*sold)];
        table.row([first, numbers].concat());
    }
    section.table(table);

    let columns = vec![
        Column::text("Month"),
        Column::text("Market"),
        Column::text("Coin"),
        Column::number("Fees"),
    ];
    let known = totals.fees.iter().map(|((month, market, coin), fee)| {
        vec![month.clone(), market.name().to_owned(), coin.clone(), plain(*fee)]
    });
    let unknown = totals.unknown_fees.iter().map(|((month, market), trades)| {
        let coin = format!("of {trades} trades");
        vec![month.clone(), market.name().to_owned(), coin, "unknown".to_owned()]
    });
    let mut cells: Vec<_> = known.chain(unknown).collect();
    // The sort is stable: what is unknown follows what is known.
    cells.sort_by(|one, other| one[0].cmp(&other[0]));
    let rows = cells.len();
    let mut table = Table::new("fees-by-month", caption("Fees by month", rows), columns);
    for row in cells.into_iter().skip(rows_left_out(rows)) {
        table.row(row);
    }
    section.table(table);
    pairs(data, &mut section);

    let columns = vec![
        Column::text("Time"),
        Column::text("Market"),
        Column::text("Pair"),
        Column::text("Side"),
        Column::number("Price"),
        Column::number("Amount"),
        Column::number("Total"),
        Column::number("Fee"),
        Column::code("Id"),
    ];
    let caption = format!("The last trades of spot and margin, {NEWEST} at most");
    let mut table = Table::new("last-trades", caption, columns);
    for row in &totals.trades {
        table.row(row.clone());
    }
    section.table(table.folded());
    Ok(section)
}

fn pairs(data: &ReportData<'_>, section: &mut Section) {
    let mut pairs: Vec<_> = data.totals.pairs.iter().collect();
    // The sort is stable: equal pairs stay ordered by name.
    pairs.sort_by_key(|(_, pair)| Reverse(pair.volume.trades));
    let bars = pairs.iter().take(BARS).map(|((market, symbol), pair)| {
        (
            format!("{symbol}{}", if pair.volume.trades == 0 { market.name() } else { "" }),
            pair.volume.trades.into(),
        )
    });
    let bars: Vec<(String, Decimal)> = bars.collect();
    let title = "Trades by pair".to_owned();
    let counts: Vec<_> = bars.iter().map(|(pair, trades)| format!("{pair} {trades}")).collect();
    let ranking = Ranking {
        id: "pairs-plot".to_owned(),
        title: title.clone(),
        description: format!("{title}: {}. The table has every number.", counts.join(", ")),
        bars,
    };
    section.figures(ranking.svg().map(|svg| Figure { caption: title, svg }).into_iter().collect());
    let columns = vec![
        Column::text("Pair"),
        Column::text("Market"),
        Column::number("Trades"),
        Column::number("Bought"),
        Column::number("Sold"),
        Column::text("Currency"),
        Column::number("Bought for"),
        Column::number("Sold for"),
        Column::text("Fees"),
    ];
    let caption = if pairs.len() > PAIRS {
        format!("By pair or contract: the {PAIRS} with most trades, of {}", pairs.len())
    } else {
        "By pair or contract".to_owned()
    };
    let mut table = Table::new("pairs", caption, columns);
    for ((market, symbol), pair) in pairs.into_iter().take(PAIRS) {
        let Pair { quote, volume, bought, sold, fees, unknown_fees } = pair;
        let mut fees: Vec<_> =
            fees.iter().map(|(coin, fee)| format!("{} {coin}", plain(*fee))).collect();
        if *unknown_fees > 0 {
            fees.push(format!("unknown of {unknown_fees} trades"));
        }
        table.row(vec![
            symbol.clone(),
            market.name().to_owned(),
            volume.trades.to_string(),
            plain(*bought),
            plain(*sold),
            quote.clone(),
            plain(volume.bought),
            plain(volume.sold),
            fees.join(", "),
        ]);
    }
    section.table(table);
}

/// Results of futures positions.
pub(super) fn futures(data: &ReportData<'_>) -> Result<Section, Failure> {
    let results = &data.totals.results;
    let mut section = Section::new("futures", "Results of futures");
    if results.is_empty() {
        section.text("The archive has none.");
        return Ok(section);
    }
    section.text(
        "Realised results, by the transactions of the futures wallet; costs are negative. Open \
         positions are not included.",
    );
    let mut contracts: BTreeMap<(&String, &String), Results> = BTreeMap::new();
    let mut net = Vec::new();
    for ((month, symbol, coin), one) in results {
        contracts.entry((symbol, coin)).or_default().add(one)?;
        net.push((month, coin, one.net()?));
    }
    section.figures(by_month("result", "Result", net.into_iter())?);
    let columns = |first: &[&str]| {
        let mut columns: Vec<Column> = first.iter().map(|name| Column::text(*name)).collect();
        let numbers = ["Profit", "Fees", "Rebates", "Funding", "Liquidation", "Other", "Net"];
        columns.extend(numbers.map(Column::number));
        columns
    };
    let cells = |first: &[&String], results: &Results| {
        let Results { profit, fees, rebates, funding, liquidation, other } = results;
        let name = |text: &&String| {
            if text.is_empty() { "no contract".to_owned() } else { (*text).clone() }
        };
        let mut cells: Vec<String> = first.iter().map(name).collect();
        cells.extend([profit, fees, rebates, funding, liquidation, other].map(|one| plain(*one)));
        cells.push(plain(results.net()?));
        Ok::<_, Failure>(cells)
    };
    let mut table = Table::new("results", "Results by contract", columns(&["Contract", "Coin"]));
    for ((symbol, coin), sum) in &contracts {
        table.row(cells(&[*symbol, *coin], sum)?);
    }
    section.table(table);
    let caption = caption("Results by month", results.len());
    let mut table =
        Table::new("results-by-month", caption, columns(&["Month", "Contract", "Coin"]));
    for ((month, symbol, coin), one) in results.iter().skip(rows_left_out(results.len())) {
        table.row(cells(&[month, symbol, coin], one)?);
    }
    section.table(table.folded());
    Ok(section)
}

/// Interest, rebates and funding.
pub(super) fn income(data: &ReportData<'_>) -> Result<Section, Failure> {
    let income = &data.totals.income;
    let mut section = Section::new("income", "Income by kind");
    if income.is_empty() {
        section.text("The archive has none.");
        return Ok(section);
    }
    section.text(
        "Payments are negative. Funding is part of the results of futures as well. Rebates are \
         those of fees; for rebates of brokers and affiliates the exchange does not report whether \
         and when they were paid: they are listed under Balances against movements, as rows that \
         are in no sum.",
    );
    let mut kinds: BTreeMap<(Income, &String), Decimal> = BTreeMap::new();
    for ((_, kind, coin), amount) in income {
        plus(kinds.entry((*kind, coin)).or_default(), *amount)?;
    }
    let columns = vec![Column::text("Kind"), Column::text("Coin"), Column::number("Amount")];
    let mut table = Table::new("income-by-kind", "Income by kind and coin", columns);
    for ((kind, coin), amount) in &kinds {
        table.row(vec![kind.name().to_owned(), (*coin).clone(), plain(*amount)]);
    }
    section.table(table);
    let mut figures = Vec::new();
    for kind in [Income::EarnInterest, Income::Rebate, Income::Funding, Income::MarginInterest] {
        let rows = income.iter().filter(|((_, other, _), _)| *other == kind);
        let rows = rows.map(|((month, _, coin), amount)| (month, coin, *amount));
        let mut name = kind.name().to_owned();
        name.get_mut(..1).map(str::make_ascii_uppercase);
        let id = format!("income-{}", kind.name().replace(' ', "-"));
        figures.extend(by_month(&id, &name, rows)?.into_iter().take(2));
    }
    section.figures(figures);
    let columns = vec![
        Column::text("Month"),
        Column::text("Kind"),
        Column::text("Coin"),
        Column::number("Amount"),
    ];
    let mut table =
        Table::new("income-by-month", caption("Income by month", income.len()), columns);
    for ((month, kind, coin), amount) in income.iter().skip(rows_left_out(income.len())) {
        table.row(vec![month.clone(), kind.name().to_owned(), coin.clone(), plain(*amount)]);
    }
    section.table(table.folded());
    Ok(section)
}
