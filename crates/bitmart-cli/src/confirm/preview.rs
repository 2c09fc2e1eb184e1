//! A preview of an order: its value, its distance from the market, and its effect on balance or position.
//!
//! A failing preview is reported and never prevents sending.

use bitmart::Decimal;
use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::{Client, Error, futures};

use super::{Market, Parameters, market, parameter_text};
use crate::failure::chain;

/// The lines of the preview; none for endpoints that do not place an order.
pub(super) async fn lines(
    client: &Client,
    entry: &EndpointEntry,
    parameters: &Parameters,
) -> Vec<String> {
    let lines = match market(entry) {
        Some(Market::Spot) => spot(client, parameters).await,
        Some(Market::Futures) => futures(client, parameters).await,
        None => return Vec::new(),
    };
    lines.unwrap_or_else(|error| vec![format!("no preview: {}", chain(&error))])
}

const UNKNOWN: &str = "not sent by the exchange";

/// A value, or `-` if it is absent.
fn or_dash(value: Option<&impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), ToString::to_string)
}

fn number(parameters: &Parameters, name: &str) -> Option<Decimal> {
    parameter_text(parameters, name)?.parse().ok()
}

async fn spot(client: &Client, parameters: &Parameters) -> Result<Vec<String>, Error> {
    let symbol = parameter_text(parameters, "symbol").unwrap_or_default();
    let (base, quote) = symbol.split_once('_').unwrap_or((symbol.as_str(), ""));
    let buys = parameter_text(parameters, "side").as_deref() == Some("buy");
    let ticker = client.spot().ticker(symbol.as_str()).await?;
    let best = if buys { ticker.ask_price } else { ticker.bid_price };
    let best = best.or(ticker.last_price);
    let price = number(parameters, "price");
    let size = number(parameters, "size");
    let reference = price.or(best);
    let notional = number(parameters, "notional").or_else(|| size?.checked_mul(reference?));
    let mut lines = vec![format!(
        "market                  last {}, {} {}",
        or_dash(ticker.last_price.as_ref()),
        if buys { "ask" } else { "bid" },
        or_dash(best.as_ref())
    )];
    if let Some(line) = price.zip(best).and_then(|(price, best)| distance(price, best, buys)) {
        lines.push(line);
    }
    if let Some(notional) = notional {
        lines.push(format!("notional                {} {quote}", notional.normalize()));
    }
    let pays = if buys { notional } else { size };
    let currency = if buys { quote } else { base };
    if let (Some(pays), Ok(wallet)) = (pays, client.account().spot_wallet().await) {
        let balance = wallet.find(currency).map(|balance| balance.available);
        // In a complete list a currency without a row has a balance of zero.
        let free = balance.or_else(|| wallet.wallet.is_complete().then_some(Decimal::ZERO));
        lines.push(match free {
            Some(free) => {
                let Some(after) = free.checked_sub(pays).map(|after| after.normalize()) else {
                    return Ok(too_large(lines));
                };
                let is_short = after.is_sign_negative() && !after.is_zero();
                let short = if is_short { ": NOT ENOUGH" } else { "" };
                format!("available               {} -> {after} {currency}{short}", free.normalize())
            }
            None => format!("available               {UNKNOWN}"),
        });
    }
    Ok(lines)
}

async fn futures(client: &Client, parameters: &Parameters) -> Result<Vec<String>, Error> {
    let symbol = parameter_text(parameters, "symbol").unwrap_or_default();
    let contracts =
        client.futures().contracts(futures::ListContracts::new().symbol(symbol.as_str())).await?;
    let Some(contract) = contracts.symbols.into_iter().find(|one| one.symbol.as_str() == symbol)
    else {
        return Ok(vec![format!("unknown contract {symbol}")]);
    };
    // 1 and 2 buy, 3 and 4 sell, in both position modes.
    let buys = matches!(parameter_text(parameters, "side").as_deref(), Some("1" | "2"));
    let last = contract.last_price;
    let price = number(parameters, "price");
    let size = number(parameters, "size").unwrap_or_default();
    let mut lines = vec![format!("market                  last {}", or_dash(last.as_ref()))];
    if let Some(line) = price.zip(last).and_then(|(price, last)| distance(price, last, buys)) {
        lines.push(line);
    }
    let notional = price.or(last).and_then(|price| notional(&contract, price, size));
    if let Some((notional, base)) = notional.zip(size.checked_mul(contract.contract_size)) {
        lines.push(format!(
            "notional                {} {} ({} {})",
            notional.normalize(),
            or_dash(contract.quote_currency.as_ref()),
            base.normalize(),
            or_dash(contract.base_currency.as_ref())
        ));
    }
    let positions =
        client.futures().positions(futures::ListPositions::new().symbol(symbol.as_str())).await;
    if let Ok(positions) = positions {
        let net: Option<Decimal> = positions.iter().map(|position| position.signed_size).sum();
        lines.push(match net.filter(|_| positions.is_complete()) {
            Some(net) => {
                let after = if buys { net.checked_add(size) } else { net.checked_sub(size) };
                let Some(after) = after else { return Ok(too_large(lines)) };
                format!(
                    "net position            {} -> {} contracts, once filled",
                    net.normalize(),
                    after.normalize()
                )
            }
            None => format!("net position            {UNKNOWN}"),
        });
    }
    Ok(lines)
}

/// The lines so far, with a note that the rest cannot be computed.
fn too_large(mut lines: Vec<String>) -> Vec<String> {
    lines.push("an amount is too large for the rest of the preview".to_owned());
    lines
}

fn notional(contract: &futures::Contract, price: Decimal, size: Decimal) -> Option<Decimal> {
    price.checked_mul(size)?.checked_mul(contract.contract_size)
}

/// The distance of a limit price from the market; `None` if the market price is zero.
fn distance(price: Decimal, market: Decimal, buys: bool) -> Option<String> {
    let ratio = price.checked_sub(market)?.checked_div(market)?;
    let percent = ratio.checked_mul(Decimal::ONE_HUNDRED)?.round_dp(2);
    let is_taker = if buys { price >= market } else { price <= market };
    let effect = if is_taker { "trades at once" } else { "waits in the book" };
    Some(format!("distance                {percent} % from the market: {effect}"))
}

#[cfg(test)]
mod tests {
    use bitmart::dec;

    use super::distance;

    #[test]
    fn distance_reports_whether_the_order_trades_at_once() {
        let line = |price, buys| distance(price, dec!(100), buys).expect("there is a market");
        assert!(line(dec!(110), true).ends_with("10.00 % from the market: trades at once"));
        assert!(line(dec!(110), false).ends_with("10.00 % from the market: waits in the book"));
        assert!(line(dec!(99), true).ends_with("-1.00 % from the market: waits in the book"));
        assert_eq!(distance(dec!(1), dec!(0), true), None);
        let smallest = bitmart::Decimal::from_parts(1, 0, 0, false, 28);
        assert_eq!(distance(bitmart::Decimal::MAX, smallest, true), None);
    }
}
