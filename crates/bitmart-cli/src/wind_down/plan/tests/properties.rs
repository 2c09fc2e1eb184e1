//! Properties of the plan of any account.

use proptest::prelude::*;

use super::*;

fn amount() -> impl Strategy<Value = Decimal> {
    prop_oneof![
        Just(Decimal::ZERO),
        (1_i64..=10_000_000_000_000, 0_u32..=10)
            .prop_map(|(units, scale)| Decimal::new(units, scale)),
    ]
}

fn currency() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["BTC", "USDT", "ETH"]).prop_map(str::to_owned)
}

fn wallet() -> impl Strategy<Value = Wallet> {
    let pair = || prop::sample::select(vec!["BTC_USDT", "ETH_USDT"]).prop_map(str::to_owned);
    prop_oneof![
        Just(Wallet::Spot),
        Just(Wallet::Funding),
        Just(Wallet::Futures),
        pair().prop_map(Wallet::Margin),
        Just(Wallet::SubSpot("sub".into())),
        Just(Wallet::SubFutures("sub".into())),
    ]
}

fn held() -> impl Strategy<Value = Held> {
    let by = prop::sample::select(vec![
        HeldBy::Orders,
        HeldBy::Positions,
        HeldBy::Withdrawal,
        HeldBy::Unknown,
    ]);
    (by, amount()).prop_map(|(by, amount)| Held { by, amount })
}

prop_compose! {
    fn facts()(
        balances in prop::collection::vec((wallet(), currency(), amount(), prop::collection::vec(held(), 0..3)), 0..12),
        symbols in prop::collection::btree_set(prop::sample::select(vec!["BTC_USDT", "ETH_USDT"]), 0..2),
        futures in any::<bool>(),
        position in prop::option::of(any::<bool>()),
        loans in prop::collection::btree_map(currency(), amount(), 0..3),
        savings in prop::collection::vec((currency(), amount(), any::<bool>()), 0..4),
        networks in prop::collection::vec(
            (
                currency(),
                amount(),
                amount(),
                0_u32..=8,
                any::<bool>(),
                any::<bool>(),
                prop::option::of(1_u64..20),
            ),
            0..5,
        ),
        quota in prop::option::of(amount()),
        trading in any::<bool>(),
    ) -> Facts {
        // A wallet has one balance of a currency.
        let mut seen = BTreeSet::new();
        let balances = balances.into_iter().filter(|row| seen.insert((row.0.clone(), row.1.clone())));
        let balances = balances.map(|(wallet, currency, free, held)| Balance { wallet, currency, free, held });
        let mut orders: Vec<_> = symbols.into_iter().map(|symbol| Orders {
            kind: OrderKind::Spot, symbol: symbol.to_owned(), count: 1,
        }).collect();
        if futures {
            orders.push(Orders { kind: OrderKind::Futures, symbol: "BTCUSDT".into(), count: 1 });
        }
        let mut facts = Facts {
            balances: balances.collect(),
            orders,
            positions: position.into_iter().map(|long| Position { symbol: "BTCUSDT".into(), long, size: dec!(1) }).collect(),
            loans: loans.into_iter().map(|(currency, owed)| Loan { symbol: "BTC_USDT".into(), currency, owed }).collect(),
            savings: savings.into_iter().enumerate().map(|(id, (currency, amount, fixed))| Saving {
                earn_id: id.to_string(), currency, amount: Some(amount), fixed,
            }).collect(),
            prices: BTreeMap::from([("BTC".to_owned(), dec!(50000)), ("ETH".to_owned(), dec!(2500))]),
            quota_btc: quota,
            no_trading: (!trading).then(|| "no trading".to_owned()),
            ..Facts::default()
        };
        for (index, network_facts) in networks.into_iter().enumerate() {
            let (currency, fee, minimum, decimals, open, addressed, multiple_of) = network_facts;
            let code = format!("{currency}-N{index}");
            let minimum = Some(minimum);
            facts.networks.push(Network {
                open: Some(open),
                decimals: Some(decimals),
                multiple_of,
                minimum,
                ..network(&code, fee, Decimal::ZERO)
            });
            if addressed {
                facts.destinations.push(saved_address(&code));
            }
        }
        facts
    }
}

/// Checks that the plan accounts for every amount.
fn check(facts: &Facts, skipped: &Skipped) -> Result<(), TestCaseError> {
    let plan = plan(facts, skipped);
    let mut held: BTreeMap<&str, Decimal> = BTreeMap::new();
    for balance in &facts.balances {
        *held.entry(&balance.currency).or_default() += balance.free;
        for part in &balance.held {
            *held.entry(&balance.currency).or_default() += part.amount;
        }
    }
    for saving in &facts.savings {
        *held.entry(&saving.currency).or_default() += saving.amount.unwrap_or_default();
    }
    let mut planned: BTreeMap<&str, Decimal> = BTreeMap::new();
    for step in plan
        .steps
        .iter()
        .filter(|step| ["account_withdraw", "margin_repay"].contains(&step.endpoint))
    {
        *planned.entry(step.currency.as_deref().unwrap_or_default()).or_default() +=
            step.amount.unwrap_or_default();
    }
    for stuck in &plan.stuck {
        prop_assert!(!stuck.reason.is_empty());
        prop_assert!(stuck.amount > Some(Decimal::ZERO), "{stuck:?}");
        *planned.entry(&stuck.currency).or_default() += stuck.amount.unwrap_or_default();
    }
    held.retain(|_, amount| !amount.is_zero());
    planned.retain(|_, amount| !amount.is_zero());
    prop_assert_eq!(held, planned, "every amount leaves, repays, or is stuck: {:?}", plan);
    let mut keys = BTreeSet::new();
    for step in &plan.steps {
        prop_assert!(keys.insert(&step.key), "twice: {}", step.key);
        prop_assert!(!skipped.contains_key(&step.key));
        prop_assert!(step.amount.is_none_or(|amount| amount > Decimal::ZERO), "{step:?}");
        if step.endpoint == "account_withdraw" {
            let code = &step.parameters[0].1;
            let network =
                facts.networks.iter().find(|network| network.code == *code).expect("listed");
            let amount = step.amount.expect("an amount");
            prop_assert!(network.open == Some(true) && amount > network.fee.unwrap_or_default());
            prop_assert!(amount >= network.minimum.unwrap_or_default());
            prop_assert!(amount.scale() <= network.decimals.unwrap_or_default());
            let rest = network.multiple_of.map(|step| amount % Decimal::from(step));
            prop_assert!(rest.is_none_or(|rest| rest.is_zero()));
        } else if let Some(amount) = step.amount.filter(|_| step.endpoint.contains("transfer")) {
            prop_assert!(amount.scale() <= 8, "{step:?}");
        }
    }
    let rank = |endpoint: &str| match endpoint {
        "account_withdraw" => 2,
        of if of.contains("cancel") => 0,
        _ => 1,
    };
    prop_assert!(plan.steps.is_sorted_by_key(|step| rank(step.endpoint)));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_amount_is_withdrawn_repaid_or_stuck_with_a_reason(
        facts in facts(),
        indices in prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    ) {
        check(&facts, &Skipped::new())?;
        let steps = plan(&facts, &Skipped::new()).steps;
        if !steps.is_empty() {
            let skipped = indices.iter().map(|index| (index.get(&steps).key.clone(), "no".to_owned()));
            check(&facts, &skipped.collect())?;
        }
    }
}
