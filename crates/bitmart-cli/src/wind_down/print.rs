//! Prints the account and the plan.

use bitmart::Decimal;

use super::facts::{Facts, HeldBy};
use super::plan::{Plan, Step};
use crate::context::Context;
use crate::failure::{Failure, chain};
use crate::output::{self, Format, json::Json};

pub(super) fn print(context: &Context, facts: &Facts, plan: &Plan) -> Result<(), Failure> {
    if context.format() == Format::Table && !context.output.names_columns() {
        return output::write(text(facts, plan).as_bytes());
    }
    let data = serde_json::json!({ "account": facts, "plan": plan });
    let read = |value: &serde_json::Value| {
        Json::parse(&value.to_string()).map_err(|error| Failure::io(chain(&error)))
    };
    if let Format::Json | Format::Raw = context.format() {
        return output::print_rows(&context.output, &read(&data)?);
    }
    // A row for each step, stuck amount and debt.
    let mut rows = Vec::new();
    for (part, what) in [("steps", "step"), ("stuck", "stuck"), ("owed", "owed")] {
        for row in data["plan"][part].as_array().into_iter().flatten() {
            let mut row = row.clone();
            row["what"] = what.into();
            rows.push(read(&row)?);
        }
    }
    output::print_rows(&context.output, &Json::List(rows))
}

fn holder(by: HeldBy) -> &'static str {
    match by {
        HeldBy::Orders => "orders",
        HeldBy::Positions => "positions",
        HeldBy::Withdrawal => "a pending withdrawal",
        HeldBy::Unknown => "unknown",
    }
}

fn text(facts: &Facts, plan: &Plan) -> String {
    let mut text = String::from("Balances\n");
    for balance in &facts.balances {
        text += &format!(
            "  {:<24}{:>24} {:<8}",
            balance.wallet.to_string(),
            balance.free.normalize().to_string(),
            balance.currency
        );
        for held in &balance.held {
            text += &format!("  {} held by {}", held.amount.normalize(), holder(held.by));
        }
        text += "\n";
    }
    for saving in &facts.savings {
        let kind = if saving.fixed { "fixed savings" } else { "flexible savings" };
        let amount =
            saving.amount.map_or_else(|| "?".to_owned(), |one| one.normalize().to_string());
        text += &format!("  {kind:<24}{amount:>24} {}\n", saving.currency);
    }
    for loan in &facts.loans {
        let place = format!("OWED on {}", loan.symbol);
        text +=
            &format!("  {place:<24}{:>24} {}\n", loan.owed.normalize().to_string(), loan.currency);
    }
    text += &networks(facts);
    text += "\nPlan\n";
    if plan.steps.is_empty() {
        text += "  nothing to do\n";
    }
    for (index, step) in plan.steps.iter().enumerate() {
        text += &format!("  {:>3}. {}\n", index + 1, line(step));
    }
    if !plan.stuck.is_empty() {
        text += "\nStuck\n";
    }
    for stuck in &plan.stuck {
        let amount = stuck.amount.map_or_else(|| "?".to_owned(), |one| one.normalize().to_string());
        let worth = stuck.worth_usdt.map(|worth| {
            let when = if facts.no_trading.is_some() { "would have sold" } else { "would sell" };
            format!(" ({when} for about {worth} USDT)")
        });
        text += &format!(
            "  {amount} {} in {}: {}{}\n",
            stuck.currency,
            stuck.place,
            stuck.reason,
            worth.unwrap_or_default()
        );
    }
    for owed in &plan.owed {
        let amount = owed.amount.normalize();
        text += &format!("  {amount} {} remain OWED on {}\n", owed.currency, owed.symbol);
    }
    if !facts.unread.is_empty() {
        text += "\nFailed queries, not in the plan\n";
        facts.unread.iter().for_each(|what| text += &format!("  {what}\n"));
    }
    text
}

/// A step on one line.
pub(super) fn line(step: &Step) -> String {
    let notes = step.notes.iter().map(|note| format!("; {note}"));
    format!("{}{}", step.text, notes.collect::<String>())
}

fn networks(facts: &Facts) -> String {
    let mut text = String::from("\nWithdrawal networks\n");
    let or_unknown = |value: Option<Decimal>| {
        value.map_or_else(|| "unknown".to_owned(), |value| value.normalize().to_string())
    };
    for network in &facts.networks {
        let state = match network.open {
            Some(true) => "open",
            Some(false) => "CLOSED",
            None => "unknown",
        };
        text += &format!(
            "  {:<16}{state:<12}fee {}, minimum {}\n",
            network.code,
            or_unknown(network.fee),
            or_unknown(network.minimum)
        );
        let mut destinations =
            facts.destinations.iter().filter(|to| to.code == network.code).peekable();
        if destinations.peek().is_none() {
            text += "    no saved and verified address\n";
        }
        for to in destinations {
            text += &format!("    to {}", to.name);
            for risk in &to.risks {
                text += &format!("; RISK: {risk}");
            }
            text += "\n";
        }
    }
    if let Some(quota) = facts.quota_btc {
        text +=
            &format!("  {} BTC may be withdrawn today, all coins together\n", quota.normalize());
    }
    text
}
