//! Advice for requests with an unknown outcome.

use bitmart::rest::catalog::EndpointEntry;
use bitmart::rest::endpoint::Effect;

use crate::confirm::{Parameters, parameter_text};

/// Advice with the commands that show whether a request took effect.
pub(crate) fn how_to_find_out(entry: &EndpointEntry, parameters: &Parameters) -> String {
    let get = |name: &str| parameter_text(parameters, name).unwrap_or_default();
    let id = entry.metadata.id;
    let commands = match id {
        "spot_submit_order" => vec![format!("spot order-by-client-id {}", get("client_order_id"))],
        "margin_submit_order" => vec![format!("spot order-by-client-id {}", get("clientOrderId"))],
        "futures_submit_order" => vec![
            format!("futures open-orders --symbol {}", get("symbol")),
            format!(
                "futures order-history {} --client-order-id {}",
                get("symbol"),
                get("client_order_id")
            ),
        ],
        "account_withdraw" => vec!["account funding-history withdraw 100".to_owned()],
        "futures_transfer" => vec!["futures transfers 1 100".to_owned()],
        "margin_borrow" => vec![format!("margin borrow-records {}", get("symbol"))],
        "margin_repay" => vec![format!("margin repay-records {}", get("symbol"))],
        "margin_transfer" => vec!["margin accounts".to_owned(), "account spot-wallet".to_owned()],
        _ if is_trigger_order(id) && entry.group == "spot" => {
            vec!["spot open-algo-orders".to_owned(), "spot algo-order-history".to_owned()]
        }
        // A triggered one has become an order.
        _ if is_trigger_order(id) => vec![
            "futures plan-orders".to_owned(),
            "futures open-orders".to_owned(),
            "futures positions".to_owned(),
        ],
        _ => match (entry.group, entry.metadata.effect) {
            ("spot", _) => vec!["spot open-orders".to_owned(), "spot order-history".to_owned()],
            ("futures", Effect::Trade) => {
                vec!["futures open-orders".to_owned(), "futures positions".to_owned()]
            }
            ("earn", _) => vec!["earn holdings".to_owned(), "account spot-wallet".to_owned()],
            ("futures" | "futures_sub_accounts", _) => vec!["futures balances".to_owned()],
            _ => vec!["account wallet".to_owned()],
        },
    };
    let commands: Vec<_> = commands.iter().map(|command| format!("`bitmart {command}`")).collect();
    format!("do not send it again before you have checked: {}", commands.join(", "))
}

/// Whether a request is about an order that waits for a price. Lists of other orders do not contain it.
fn is_trigger_order(id: &str) -> bool {
    ["algo", "plan_order", "preset", "tp_sl", "trailing"].iter().any(|word| id.contains(word))
}

#[cfg(test)]
mod tests {
    use bitmart::rest::catalog::ENDPOINTS;
    use bitmart::rest::endpoint::Effect;

    use super::how_to_find_out;
    use crate::endpoint::command::find;

    #[test]
    fn an_order_that_waits_for_a_price_is_searched_where_such_orders_are_listed() {
        let mut found = 0;
        for entry in ENDPOINTS.iter().filter(|entry| entry.metadata.effect == Effect::Trade) {
            let path = entry.metadata.path;
            if ["algo", "plan", "tp-sl", "trail", "preset"].iter().any(|word| path.contains(word)) {
                let advice = how_to_find_out(entry, &[]);
                assert!(
                    advice.contains("algo") || advice.contains("plan-orders"),
                    "{path}: {advice}"
                );
                found += 1;
            }
        }
        assert!(found >= 10, "{found}");
    }

    #[test]
    fn advice_names_existing_commands_that_only_read() {
        for entry in ENDPOINTS.iter().filter(|entry| entry.metadata.effect != Effect::Read) {
            let advice = how_to_find_out(entry, &[]);
            for command in advice.split('`').filter_map(|part| part.strip_prefix("bitmart ")) {
                let mut words = command.split(' ');
                let (group, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
                let found = find(group, name).unwrap_or_else(|| panic!("there is no {command}"));
                assert_eq!(found.metadata.effect, Effect::Read, "{command}");
            }
        }
    }
}
