//! A preview of an order: its value, its distance from the market, and its effect on balance or position.
//!
//! A failing preview is reported and never prevents sending.

use bitmart::Decimal;
use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::{Client, Error, futures};

use super::{Market, Parameters, order_market, parameter_text};
use crate::failure::chain;

/// The lines of the preview; none for endpoints that do not place an order.
pub(super) async fn lines(
    client: &Client,
    entry: &EndpointEntry,
    parameters: &Parameters,
) -> Vec<String> {
    let lines = match order_market(entry) {
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
    let price = number(parameters, "price");
    let size = number(parameters, "size");
    let reference = price.or(best).or(ticker.last_price);
    let notional = number(parameters, "notional").or_else(|| size?.checked_mul(reference?));
    let mut lines = vec![format!(
        "market                  last {}, {} {}",
        or_dash(ticker.last_price.as_ref()),
        if buys { "ask" } else { "bid" },
        or_dash(best.as_ref())
    )];
    let post_only = parameter_text(parameters, "type").as_deref() == Some("limit_maker");
    if let Some((price, best)) = price.zip(best) {
        lines.extend(distance(price, best, buys, post_only));
    }
    if let Some(notional) = notional {
        lines.push(format!("notional                {} {quote}", notional.normalize()));
    }
    let pays = if buys { notional } else { size };
    let currency = if buys { quote } else { base };
    if let (Some(pays), Ok(wallet)) = (pays, client.account().spot_wallet().await) {
        let free = match wallet.find(currency) {
            Some(balance) => balance.available,
            // In a complete list a currency without a row has a balance of zero.
            None => wallet.balances.is_complete().then_some(Decimal::ZERO),
        };
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
    let Some(contract) = contracts.contracts.into_iter().find(|one| one.symbol.as_str() == symbol)
    else {
        return Ok(vec![format!("unknown contract {symbol}")]);
    };
    // 1 and 2 buy, 3 and 4 sell, in both position modes.
    let buys = matches!(parameter_text(parameters, "side").as_deref(), Some("1" | "2"));
    let last = contract.last_price;
    let depth = client.futures().depth(symbol.as_str()).await?;
    let best = if buys { depth.asks.first() } else { depth.bids.first() };
    let best = best.map(|level| level.price);
    let price = number(parameters, "price");
    let size = number(parameters, "size").unwrap_or_default();
    let mut lines = vec![format!(
        "market                  last {}, {} {}",
        or_dash(last.as_ref()),
        if buys { "ask" } else { "bid" },
        or_dash(best.as_ref())
    )];
    let post_only = parameter_text(parameters, "mode").as_deref() == Some("4");
    if let Some((price, best)) = price.zip(best) {
        lines.extend(distance(price, best, buys, post_only));
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
        lines.push(match net_size(&positions).filter(|_| positions.is_complete()) {
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

/// The net size of all rows; `None` if one is unknown or the sum is too large.
fn net_size(positions: &[futures::Position]) -> Option<Decimal> {
    positions.iter().try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one.net_size()?))
}

/// The distance of a limit price from the best price of the other side; `None` if that is zero.
fn distance(price: Decimal, best: Decimal, buys: bool, post_only: bool) -> Option<String> {
    let ratio = price.checked_sub(best)?.checked_div(best)?;
    let percent = ratio.checked_mul(Decimal::ONE_HUNDRED)?.round_dp(2);
    let is_taker = if buys { price >= best } else { price <= best };
    let effect = match (is_taker, post_only) {
        (false, _) => "waits in the book",
        (true, false) => "trades at once",
        (true, true) => "would be canceled, as it is post-only",
    };
    Some(format!("distance                {percent} % from the market: {effect}"))
}

#[cfg(test)]
mod tests {
    use bitmart::{Decimal, dec};

    use super::{distance, futures, net_size};

    #[test]
    fn distance_reports_whether_the_order_trades_at_once() {
        let line =
            |price, buys| distance(price, dec!(100), buys, false).expect("there is a market");
        assert!(line(dec!(110), true).ends_with("10.00 % from the market: trades at once"));
        assert!(line(dec!(110), false).ends_with("10.00 % from the market: waits in the book"));
        assert!(line(dec!(99), true).ends_with("-1.00 % from the market: waits in the book"));
        let post_only = distance(dec!(110), dec!(100), true, true).expect("there is a market");
        assert!(post_only.ends_with("would be canceled, as it is post-only"), "{post_only}");
        assert_eq!(distance(dec!(1), dec!(0), true, false), None);
        let smallest = Decimal::from_parts(1, 0, 0, false, 28);
        assert_eq!(distance(Decimal::MAX, smallest, true, false), None);
    }

    fn position(side: &str, size: &str, signed: &str) -> futures::Position {
        let row = format!(
            r#"{{"symbol":"BTCUSDT","position_side":"{side}","current_amount":"{size}","position_amount":"{signed}"}}"#
        );
        serde_json::from_str(&row).expect("a position")
    }

    #[test]
    fn a_short_counts_against_a_long_in_both_position_modes() {
        let hedge = [position("long", "30", "30"), position("short", "10", "10")];
        assert_eq!(net_size(&hedge), Some(dec!(20)));
        assert_eq!(net_size(&[position("both", "15", "-15")]), Some(dec!(-15)));
        // A published flat row has a size in the other member.
        assert_eq!(net_size(&[position("both", "0", "5")]), Some(dec!(0)));
        assert_eq!(net_size(&[position("sideways", "1", "1")]), None, "an unknown side");
    }

    #[test]
    fn a_sum_that_is_too_large_is_unknown() {
        let most = Decimal::MAX.to_string();
        let row = || position("long", &most, &most);
        assert_eq!(net_size(&[row(), row()]), None);
    }
}
