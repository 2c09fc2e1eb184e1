//! Request numbers, which clients choose for transfers between accounts and for savings. An account can use each once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;

use crate::AccountId;

// Rule: An account remembers as many request numbers as finished orders, usually 10,000. Source: simplified (memory)
/// The last request numbers of each account. The serialized form is a list of pairs of account and number, the oldest
/// number of an account first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RequestNumbers(BTreeMap<AccountId, Numbers>);

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Numbers {
    used: BTreeSet<SmolStr>,
    /// Oldest first.
    order: VecDeque<SmolStr>,
}

impl Numbers {
    fn add(&mut self, number: SmolStr) {
        if self.used.insert(number.clone()) {
            self.order.push_back(number);
        }
    }
}

impl RequestNumbers {
    pub(crate) fn contains(&self, account: AccountId, number: &SmolStr) -> bool {
        self.0.get(&account).is_some_and(|numbers| numbers.used.contains(number))
    }

    /// Remembers a number, and forgets the oldest ones of the account beyond the history limit.
    pub(crate) fn insert(&mut self, account: AccountId, number: SmolStr, history_limit: usize) {
        let numbers = self.0.entry(account).or_default();
        numbers.add(number);
        while numbers.order.len() > history_limit {
            let Some(oldest) = numbers.order.pop_front() else { return };
            numbers.used.remove(&oldest);
        }
    }
}

impl Serialize for RequestNumbers {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let accounts = self.0.iter();
        let rows = accounts.flat_map(|(account, numbers)| {
            numbers.order.iter().map(move |number| (account, number))
        });
        serializer.collect_seq(rows)
    }
}

impl<'de> Deserialize<'de> for RequestNumbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut all = Self::default();
        for (account, number) in Vec::<(AccountId, SmolStr)>::deserialize(deserializer)? {
            all.0.entry(account).or_default().add(number);
        }
        Ok(all)
    }
}
