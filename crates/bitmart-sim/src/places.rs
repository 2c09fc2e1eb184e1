//! Whether what names a place of the ledger names one of its own currency.

use smol_str::SmolStr;

use crate::{
    Exchange,
    account::Account,
    book::Side,
    ledger::{BalanceId, WalletId},
    spot_order::SpotOrder,
};

impl Exchange {
    /// Whether all wallets, positions and orders name balances of the ledger of their currency. It is so in every
    /// exchange that this library made; one that was stored and read may have been changed meanwhile, and a posting
    /// between currencies would end it.
    pub fn has_sound_places(&self) -> bool {
        self.ledger.is_whole()
            && self.accounts.values().all(|account| self.has_own_places(account))
            && self.spot_orders.values().all(|order| self.is_paid_soundly(order))
    }

    fn is_wallet_of(&self, wallet: WalletId, currency: &SmolStr) -> bool {
        [wallet.available(), wallet.frozen()].iter().all(|at| self.ledger.is_of(*at, currency))
    }

    fn has_own_places(&self, account: &Account) -> bool {
        let plain = account.spot.iter().chain(&account.funding).chain(&account.futures);
        let margin = account.margin.iter().map(|((_, currency), wallet)| (currency, wallet));
        let mut wallets = plain.chain(margin);
        let mut savings = account.savings.iter();
        let mut positions = account.positions.iter();
        let holds_margin = |symbol: &SmolStr, place: BalanceId| {
            let market = self.futures.get(symbol);
            market.is_some_and(|market| self.ledger.is_of(place, &market.rules.quote))
        };
        wallets.all(|(currency, wallet)| self.is_wallet_of(*wallet, currency))
            && savings.all(|(currency, place)| self.ledger.is_of(*place, currency))
            && positions.all(|((symbol, _), position)| {
                position.margin.is_none_or(|place| holds_margin(symbol, place))
            })
    }

    fn is_paid_soundly(&self, order: &SpotOrder) -> bool {
        let Some(rules) = self.spot.get(&order.request.symbol).map(|market| &market.rules) else {
            return false;
        };
        let (from, into) = match order.request.side {
            Side::Buy => (&rules.quote, &rules.base),
            Side::Sell => (&rules.base, &rules.quote),
        };
        self.is_wallet_of(order.paid_from, from)
            && order.paid_into.is_none_or(|wallet| self.is_wallet_of(wallet, into))
    }
}
