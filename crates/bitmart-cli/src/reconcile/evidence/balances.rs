//! Evidence of transfers between two wallets that no history lists: their balances.

use bitmart::Decimal;
use bitmart::rest::{Client, Error, account, margin};

use super::{Evidence, Source};
use crate::confirm::{Parameters, parameter_text};

/// The two balances that a transfer changes, spot first. Empty if one of them is unknown.
pub(super) async fn balances(
    client: &Client,
    source: Source,
    parameters: &Parameters,
) -> Result<Vec<Decimal>, Error> {
    let currency = parameter_text(parameters, "currency").unwrap_or_default();
    if source == Source::SpotFund {
        let request = account::QueryWallet::new().currency(currency.as_str());
        let wallet = client.account().wallet(request).await?.balances;
        let row = wallet.iter().find(|row| row.currency.as_str() == currency);
        if row.is_none() && !wallet.is_complete() {
            return Ok(Vec::new());
        }
        let amounts = row.map(|row| [row.available, row.fund_available]);
        return Ok(known(amounts.unwrap_or([Some(Decimal::ZERO); 2])));
    }
    let symbol = parameter_text(parameters, "symbol").unwrap_or_default();
    let request = margin::ListAccounts::new().symbol(symbol.as_str());
    let accounts = client.margin().accounts(request).await?.accounts;
    let account = accounts.iter().find(|account| account.symbol.as_str() == symbol);
    if account.is_none() && !accounts.is_complete() {
        return Ok(Vec::new());
    }
    let sides = account.into_iter().flat_map(|account| [&account.base, &account.quote]);
    let side = sides
        .flatten()
        .find(|side| side.currency.as_ref().is_some_and(|known| known.as_str() == currency));
    let spot = client.account().spot_wallet().await?;
    let row = spot.find(&currency);
    if row.is_none() && !spot.balances.is_complete() {
        return Ok(Vec::new());
    }
    let free = row.map_or(Some(Decimal::ZERO), |row| row.available);
    Ok(known([free, side.map_or(Some(Decimal::ZERO), |side| side.available)]))
}

/// The amounts, or none if one of them is unknown.
fn known(amounts: [Option<Decimal>; 2]) -> Vec<Decimal> {
    amounts.into_iter().collect::<Option<_>>().unwrap_or_default()
}

/// The changes of the two balances by the transfer, spot first.
pub(super) fn expected_changes(source: Source, parameters: &Parameters) -> Vec<Decimal> {
    let amount = parameter_text(parameters, "amount").and_then(|text| text.parse().ok());
    let amount: Decimal = amount.unwrap_or_default();
    let direction =
        parameter_text(parameters, if source == Source::Margin { "side" } else { "type" });
    let leaves_spot = matches!(direction.as_deref(), Some("in" | "spot_to_fund"));
    if leaves_spot { vec![-amount, amount] } else { vec![amount, -amount] }
}

pub(super) fn compare(before: &[Decimal], now: &[Decimal], changes: &[Decimal]) -> Evidence {
    let pairs = now.iter().zip(before);
    let moves: Option<Vec<_>> = pairs.map(|(now, before)| now.checked_sub(*before)).collect();
    let moves = moves.unwrap_or_default();
    if moves.len() != changes.len() {
        return Evidence::Inconclusive("the balances cannot be read".to_owned());
    }
    if moves == changes {
        return Evidence::Found("the balances have changed by the amount".to_owned());
    }
    if moves.iter().all(Decimal::is_zero) {
        return Evidence::NotFound;
    }
    Evidence::Inconclusive("the balances have changed, but not by the amount".to_owned())
}

#[cfg(test)]
mod tests {
    use bitmart::dec;

    use super::{Evidence, compare};

    #[test]
    fn balances_prove_a_transfer_only_if_both_changed_by_its_amount() {
        let before = [dec!(10), dec!(5)];
        let changes = [dec!(-3), dec!(3)];
        let compared = |spot, other| compare(&before, &[spot, other], &changes);
        assert!(matches!(compared(dec!(7), dec!(8)), Evidence::Found(_)));
        assert_eq!(compared(dec!(10), dec!(5)), Evidence::NotFound);
        for (spot, other) in [(dec!(7), dec!(5)), (dec!(10), dec!(8)), (dec!(6), dec!(9))] {
            let evidence = compared(spot, other);
            assert!(matches!(evidence, Evidence::Inconclusive(_)), "{spot} {other}");
        }
        for (before, now) in [(&[][..], &[][..]), (&before[..], &[]), (&[], &before[..])] {
            let evidence = compare(before, now, &changes);
            assert!(matches!(evidence, Evidence::Inconclusive(_)));
        }
    }
}
