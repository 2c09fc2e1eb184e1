//! Tests of the stored form of every change. A command or field that is renamed without an alias would make folders
//! unreadable.
//!
//! A new change, command or field gets a new line in `fixtures/journal/changes.jsonl`. Existing lines do not change.
//! If `BITMART_WRITE_CHANGES` is set, the test rewrites the file in the current form, for a new format only.
//! `format-2/changes.jsonl` has the changes of format 2 with its names, in the same order.

use std::{collections::BTreeSet, env, fs, path::Path};

use bitmart_sim::{
    Command, FuturesRequest, OperatorCommand, Request, SpotRequest, WalletRequest,
    operator::Operation,
};

use super::Change;

/// Number of names that [`name`] returns.
const NAMES: usize = 50;

fn name(change: &Change) -> &'static str {
    match change {
        Change::Step => "step",
        Change::PauseMarketMakers(_) => "hold",
        Change::DeriveKey { .. } => "make key",
        Change::AddKey(_) => "add key",
        Change::Command(Command::Wait) => "wait",
        Change::Command(Command::StepMarket) => "step market",
        Change::Command(Command::Customer { request, .. }) => match request {
            Request::Spot(request) => spot(request),
            Request::Futures(request) => futures(request),
            Request::Wallet(request) => wallet(request),
        },
        Change::Command(Command::Operator(command)) => operator(command),
    }
}

fn spot(request: &SpotRequest) -> &'static str {
    match request {
        SpotRequest::Place(_) => "place spot",
        SpotRequest::Cancel(_) => "cancel spot",
        SpotRequest::CancelAll { .. } => "cancel all spot",
        SpotRequest::PlaceTrigger(_) => "place trigger",
        SpotRequest::CancelTrigger(_) => "cancel trigger",
        SpotRequest::CancelAllTriggers { .. } => "cancel all triggers",
    }
}

fn futures(request: &FuturesRequest) -> &'static str {
    match request {
        FuturesRequest::Place { .. } => "place futures",
        FuturesRequest::Modify { .. } => "modify",
        FuturesRequest::Cancel(_) => "cancel futures",
        FuturesRequest::CancelAll { .. } => "cancel all futures",
        FuturesRequest::CancelAllAfter { .. } => "cancel all after",
        FuturesRequest::ClosePositions { .. } => "close positions",
        FuturesRequest::SetOneWay(_) => "set one way",
        FuturesRequest::SetLeverage { .. } => "set leverage",
        FuturesRequest::PlacePlan(plan) => match plan.condition {
            bitmart_sim::trigger::Condition::Reach { .. } => "place plan",
            bitmart_sim::trigger::Condition::Trail(_) => "place trailing plan",
        },
        FuturesRequest::ModifyPlan { .. } => "modify plan",
        FuturesRequest::ModifyPreset { .. } => "modify preset",
        FuturesRequest::CancelPlan { .. } => "cancel plan",
        FuturesRequest::CancelPlans { .. } => "cancel plans",
    }
}

fn wallet(request: &WalletRequest) -> &'static str {
    match request {
        WalletRequest::Transfer { .. } => "transfer",
        WalletRequest::Withdraw(_) => "withdraw",
        WalletRequest::SetDepositWallet(_) => "set deposit wallet",
        WalletRequest::ClaimPlayMoney => "claim",
        WalletRequest::TransferMargin { .. } => "transfer margin",
        WalletRequest::Borrow(_) => "borrow",
        WalletRequest::Repay(_) => "repay",
        WalletRequest::SubscribeSaving { .. } => "subscribe saving",
        WalletRequest::RedeemSaving { .. } => "redeem saving",
        WalletRequest::SetRenewal { .. } => "set renewal",
        WalletRequest::SetAutomaticSaving { .. } => "set automatic saving",
    }
}

fn operator(command: &OperatorCommand) -> &'static str {
    match command {
        OperatorCommand::OpenAccounts(_) => "open accounts",
        OperatorCommand::OpenNextAccount(_) => "open next account",
        OperatorCommand::SetBalance { .. } => "set balance",
        OperatorCommand::Deposit { .. } => "deposit",
        OperatorCommand::HaltMarket { .. } => "halt market",
        OperatorCommand::RecordCandle { .. } => "record candle",
        OperatorCommand::Operate(Operation::Freeze { .. }) => "freeze",
        OperatorCommand::Operate(Operation::Delist { .. }) => "delist",
        OperatorCommand::Operate(Operation::SetCurrencyOpen { .. }) => "open currency",
        OperatorCommand::Operate(Operation::SaveAddress { .. }) => "save address",
        OperatorCommand::Operate(Operation::SetNetwork { .. }) => "set network",
        OperatorCommand::Operate(Operation::MovePrice { .. }) => "move price",
        OperatorCommand::Operate(Operation::SetBrackets { .. }) => "set brackets",
    }
}

#[test]
fn the_stored_form_of_changes_does_not_change() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journal/changes.jsonl");
    let text = fs::read_to_string(&file).expect("a file");
    let (mut names, mut stored, mut faults) = (BTreeSet::new(), String::new(), Vec::new());
    for line in text.lines() {
        match serde_json::from_str::<Change>(line) {
            Ok(change) => {
                names.insert(name(&change));
                let again = serde_json::to_string(&change).expect("JSON");
                if again != line {
                    faults.push(format!("{line}\nis now stored as\n{again}"));
                }
                stored.push_str(&again);
            }
            Err(error) => {
                faults.push(format!("{line}\n{error}"));
                stored.push_str(line);
            }
        }
        stored.push('\n');
    }
    if env::var_os("BITMART_WRITE_CHANGES").is_some() {
        fs::write(&file, stored).expect("written");
    }
    assert!(faults.is_empty(), "{}", faults.join("\n\n"));
    assert_eq!(names.len(), NAMES, "{names:?}");
}

#[test]
fn changes_of_format_2_are_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/journal");
    let text = |name| fs::read_to_string(folder.join(name)).expect("a file");
    let (former, current) = (text("format-2/changes.jsonl"), text("changes.jsonl"));
    for name in ["client_id", "stp", "GoodTilCancelled", "MakerOnly", "Ioc", "Allow"] {
        let name = format!("\"{name}\"");
        assert!(former.contains(&name) && !current.contains(&name), "{name}");
    }
    for (line, same) in former.lines().zip(current.lines()) {
        let read = |line| serde_json::from_str::<Change>(line).expect(line);
        assert_eq!(read(line), read(same));
    }
    assert!(former.lines().count() > 50);
}
