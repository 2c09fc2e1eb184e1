//! Advice for requests with an unknown outcome.

use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::endpoint::Effect;

use crate::confirm::{Parameters, parameter_text};

/// Advice with the commands that show whether a request took effect.
pub(crate) fn how_to_find_out(entry: &EndpointEntry, parameters: &Parameters) -> String {
    let commands = with_parameters(entry.metadata.id, parameters)
        .unwrap_or_else(|| without_parameters(entry).iter().map(|&one| one.to_owned()).collect());
    let commands: Vec<_> = commands.iter().map(|command| format!("`bitmart {command}`")).collect();
    format!("do not send it again before you have checked: {}", commands.join(", "))
}

/// The commands that look for what this request names, such as its client order id. `None` if there are none for this
/// endpoint, or the request lacks a parameter that they need.
fn with_parameters(id: &str, parameters: &Parameters) -> Option<Vec<String>> {
    let get = |name| parameter_text(parameters, name).filter(|text| !text.is_empty());
    Some(match id {
        "spot_submit_order" => {
            vec![format!("spot order-by-client-id {}", get("client_order_id")?)]
        }
        "margin_submit_order" => {
            vec![format!("spot order-by-client-id {}", get("clientOrderId")?)]
        }
        "futures_submit_order" => {
            let (symbol, client_order_id) = (get("symbol")?, get("client_order_id")?);
            vec![
                format!("futures open-orders --symbol {symbol}"),
                format!("futures order-history {symbol} --client-order-id {client_order_id}"),
            ]
        }
        // With a contract, its rows are listed even without a position; they state its leverage.
        "futures_set_leverage" => vec![format!("futures positions --symbol {}", get("symbol")?)],
        "margin_borrow" => vec![format!("margin borrow-records {}", get("symbol")?)],
        "margin_repay" => vec![format!("margin repay-records {}", get("symbol")?)],
        "earn_set_auto_subscribe" => vec![format!("earn auto-subscribe {}", get("productId")?)],
        _ => return None,
    })
}

/// The commands for what the endpoint changes, or at least its group.
fn without_parameters(entry: &EndpointEntry) -> &'static [&'static str] {
    let id = entry.metadata.id;
    match (entry.group, entry.metadata.effect) {
        _ if id == "account_withdraw" => &["account funding-history withdraw 100"],
        _ if id == "account_set_deposit_account" => &["account deposit-account"],
        _ if id == "earn_set_auto_saving" => &["earn auto-saving"],
        _ if id == "futures_transfer" => &["futures transfers 1 100"],
        _ if id == "futures_set_position_mode" => &["futures position-mode"],
        _ if id == "futures_set_leverage" => &["futures positions"],
        ("margin", Effect::Trade) => &["spot open-orders", "spot order-history"],
        ("margin", _) => &["margin accounts", "account spot-wallet"],
        ("spot", _) if is_trigger_order(id) => {
            &["spot open-algo-orders", "spot algo-order-history"]
        }
        // The exchange lists trailing orders among the orders, and not among the plan orders.
        ("futures", _) if id.contains("trailing") => {
            &["futures open-orders --type trailing", "futures positions"]
        }
        // A triggered one has become an order.
        ("futures", _) if is_trigger_order(id) => {
            &["futures plan-orders", "futures open-orders", "futures positions"]
        }
        ("spot", _) => &["spot open-orders", "spot order-history"],
        ("futures", Effect::Trade) => &["futures open-orders", "futures positions"],
        ("earn", _) => &["earn holdings", "account spot-wallet"],
        ("futures" | "futures_sub_accounts", _) => &["futures balances"],
        _ => &["account wallet"],
    }
}

/// Whether a request is about an order that waits for a price and is listed apart from other orders.
fn is_trigger_order(id: &str) -> bool {
    ["algo", "plan_order", "preset", "tp_sl"].iter().any(|word| id.contains(word))
}

#[cfg(test)]
mod tests {
    use bitmart::rest::catalog::{ENDPOINTS, EndpointEntry};
    use bitmart::rest::endpoint::Effect;

    use super::how_to_find_out;
    use crate::endpoint::command::{find, groups};
    use crate::output::json::Json;

    fn changing_endpoints() -> impl Iterator<Item = &'static EndpointEntry> {
        ENDPOINTS.iter().filter(|entry| entry.metadata.effect != Effect::Read)
    }

    fn entry(id: &str) -> &'static EndpointEntry {
        ENDPOINTS.iter().find(|entry| entry.metadata.id == id).expect("an endpoint")
    }

    #[test]
    fn an_order_that_waits_for_a_price_is_searched_where_such_orders_are_listed() {
        let mut checked = 0;
        for entry in changing_endpoints() {
            let path = entry.metadata.path;
            let list = if path.contains("trail") {
                "futures open-orders --type trailing"
            } else if path.contains("algo") {
                "spot open-algo-orders"
            } else if ["plan", "tp-sl", "preset"].iter().any(|word| path.contains(word)) {
                "futures plan-orders"
            } else {
                continue;
            };
            let advice = how_to_find_out(entry, &[]);
            assert!(advice.contains(list), "{path}: {advice}");
            checked += 1;
        }
        assert!(checked >= 10, "{checked}");
    }

    #[test]
    fn a_setting_is_queried_where_it_is_shown() {
        let of = |id, name: &str, value: &str| {
            how_to_find_out(entry(id), &[(name.to_owned(), Json::Text(value.to_owned()))])
        };
        let leverage = of("futures_set_leverage", "symbol", "BTCUSDT");
        assert!(leverage.contains("`bitmart futures positions --symbol BTCUSDT`"), "{leverage}");
        let mode = of("futures_set_position_mode", "position_mode", "hedge_mode");
        assert!(mode.contains("`bitmart futures position-mode`"), "{mode}");
    }

    #[test]
    fn commands_of_the_advice_are_complete_and_only_read() {
        let program = clap::Command::new("bitmart").subcommands(groups());
        for entry in changing_endpoints() {
            let parameters =
                entry.parameters.iter().map(|one| (one.name.to_owned(), "X1".to_owned()));
            let all: Vec<_> = parameters.map(|(name, text)| (name, Json::Text(text))).collect();
            for parameters in [&[][..], &all] {
                let advice = how_to_find_out(entry, parameters);
                let commands: Vec<_> =
                    advice.split('`').filter(|part| part.starts_with("bitmart ")).collect();
                assert!(!commands.is_empty(), "{advice}");
                for command in commands {
                    // An empty parameter is no word, so that the parser finds it missing.
                    let words: Vec<_> = command.split_whitespace().collect();
                    let parsed = program.clone().try_get_matches_from(&words);
                    assert!(parsed.is_ok(), "{command}: {parsed:?}");
                    let endpoint = find(words[1], words[2]).expect("an endpoint");
                    assert_eq!(endpoint.metadata.effect, Effect::Read, "{command}");
                }
            }
        }
    }
}
