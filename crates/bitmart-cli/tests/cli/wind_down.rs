//! `wind-down`: an account with every kind of asset is emptied while the program is killed at every step, and no
//! step is executed twice.

mod setup;

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::Duration;

use bitmart::Decimal;
use bitmart::dec;
use bitmart::sandbox::{Fault, WalletKind, WithdrawAddress};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use self::setup::{TRON, change, fill, place, run};
use crate::common::process::Running;
use crate::common::terminal::Session;
use crate::common::{Outcome, Place, SIGNALLED, at_sandbox, bitmart};

/// Longer than the exchange accepts a signature.
const SETTLED: Duration = Duration::from_secs(120);

/// The paths of all requests with an effect.
const PATHS: [&str; 14] = [
    "/newearn/cloud/v1/saving/subscribe/batch/operate",
    "/spot/v4/cancel_all",
    "/spot/v4/algo/cancel_all",
    "/contract/private/cancel-orders",
    "/contract/private/cancel-plan-order",
    "/contract/private/submit-order",
    "/spot/v1/margin/isolated/transfer",
    "/spot/v1/margin/isolated/repay",
    "/newearn/cloud/v1/saving/redeem",
    "/newearn/cloud/v1/saving/fixed/redeem",
    "/account/sub-account/main/v1/sub-to-main",
    "/account/contract/sub-account/main/v1/sub-to-main",
    "/account/v1/transfer-contract",
    "/account/v1/transfer",
];
const APPLY: &str = "/account/v1/withdraw/apply";

/// The total of each currency in all wallets.
fn held(place: &Place) -> BTreeMap<String, Decimal> {
    let mut held = BTreeMap::new();
    for balance in place.sandbox.balances() {
        *held.entry(balance.currency).or_default() += balance.available + balance.frozen;
    }
    held
}

const WIND_DOWN: [&str; 4] = ["wind-down", "--run", "--yes", "--unlimited"];

enum End {
    Killed(String),
    Ended(Outcome),
}

/// Runs a wind-down until a request is held back, and kills the program there.
fn wind_down(place: &Place, fault: Option<Fault>) -> End {
    if let Some(fault) = fault {
        for path in PATHS.iter().chain([&APPLY]) {
            place.sandbox.inject(fault.on(*path));
        }
    }
    let child = at_sandbox(place, &[&WIND_DOWN[..], &["-o", "json"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
    let held = place.block_on(async {
        let mut ended = tokio::task::spawn_blocking(move || child.wait_with_output());
        tokio::select! {
            output = &mut ended => (None, output),
            path = place.sandbox.until_any_held() => {
                kill_process(pid, Signal::KILL).expect("killed");
                (Some(path), ended.await)
            }
        }
    });
    let output = held.1.expect("no panic").expect("it ends");
    if let Some(path) = held.0 {
        place.wait_until_free(&path);
        place.sandbox.clear_faults();
        return End::Killed(path);
    }
    place.sandbox.clear_faults();
    End::Ended(Outcome {
        code: output.status.code().unwrap_or(SIGNALLED),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    })
}

#[test]
fn an_account_is_emptied_although_the_program_is_killed_at_every_step() {
    let place = place();
    fill(&place);
    let mut killed: BTreeMap<String, usize> = BTreeMap::new();
    let mut fault = Fault::HoldBefore;
    let done = loop {
        match wind_down(&place, Some(fault)) {
            End::Killed(path) => *killed.entry(path).or_default() += 1,
            End::Ended(outcome) => break outcome,
        }
        place.sandbox.advance(SETTLED);
        fault = if fault == Fault::HoldBefore { Fault::HoldAfter } else { Fault::HoldBefore };
        assert!(killed.values().sum::<usize>() < 100, "it does not end: {killed:?}");
    };
    assert_eq!(done.code, 0, "{}", done.err);
    // Withdrawals are completed.
    place.sandbox.advance(SETTLED);

    // The program was killed before and after each request took effect.
    for path in PATHS.iter().chain([&APPLY]) {
        assert!(killed.get(*path).is_some_and(|times| *times >= 2), "{path}: {killed:?}");
    }
    for (currency, amount) in held(&place) {
        assert!(
            amount < dec!(0.0001),
            "{amount} {currency} are left: {:?}",
            place.sandbox.balances()
        );
    }
    let history = run(&place, &["account", "funding-history", "withdraw", "100"]);
    let rows: Vec<Value> =
        history.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |code: &str| rows.iter().filter(|row| row["currency"] == code).count();
    assert_eq!((rows.len(), of("USDT-TRC20"), of("BTC")), (2, 1, 1), "{}", history.out);
    assert_eq!(rows.iter().filter(|row| row["address"] == TRON).count(), 1, "{}", history.out);
    // 0.00001 ETH are stuck, with a reason.
    let report: Value = serde_json::from_str(&done.out).expect("JSON");
    let stuck = report["plan"]["stuck"].as_array().expect("a list");
    let eth = stuck.iter().find(|stuck| stuck["currency"] == "ETH").expect("the rest is listed");
    assert!(eth["reason"].as_str().is_some_and(|reason| reason.contains("address")), "{eth}");
    // Another run has nothing to do.
    let End::Ended(again) = wind_down(&place, None) else { panic!("nothing is held") };
    assert_eq!(again.code, 0, "{}", again.err);
    assert!(!again.err.contains("done"), "{}", again.err);
}

#[test]
fn without_run_it_prints_the_plan_and_sends_nothing() {
    let place = place();
    fill(&place);
    let before = place.sandbox.balances();
    let text = run(&place, &["wind-down", "--unlimited", "-o", "table"]);
    for part in [
        "OWED on BTC_USDT",
        "held by orders",
        "held by positions",
        "flexible savings",
        "USDT-TRC20",
        "cancel 2 open orders of BTC_USDT",
        "close 5 contracts BTCUSDT long",
        "repay 20 USDT",
        "withdraw 0.5 BTC on BTC",
    ] {
        assert!(text.out.contains(part), "{part:?} is missing: {}", text.out);
    }
    assert!(!text.out.contains("Failed queries"), "{}", text.out);
    let json = run(&place, &["wind-down", "--unlimited", "-o", "json"]);
    let json: Value = serde_json::from_str(&json.out).expect("JSON");
    let last = json["plan"]["steps"].as_array().and_then(|steps| steps.last()).expect("steps");
    assert_eq!(last["endpoint"], "account_withdraw");
    assert_eq!(place.sandbox.balances(), before);
}

#[test]
fn without_a_terminal_and_yes_no_step_is_executed() {
    let place = place();
    let before = place.sandbox.balances();
    let declined = bitmart(&place, &["wind-down", "--run", "--unlimited"]);
    assert_eq!(declined.code, 9, "{}", declined.err);
    assert_eq!(place.sandbox.balances(), before);
}

#[test]
fn a_rejected_step_is_reported_and_the_others_are_executed() {
    let place = place();
    place.sandbox.freeze_account(2, true).expect("an account");
    place.sandbox.set_balance(1, WalletKind::Funding, "USDT", dec!(10)).expect("an account");
    place.sandbox.inject(Fault::Maintenance.on("/account/v1/transfer"));
    let done = bitmart(&place, &WIND_DOWN);
    assert_eq!(done.code, 10, "{}", done.err);
    assert!(done.err.contains("30016"), "{}", done.err);
    place.sandbox.advance(SETTLED);
    let left = held(&place);
    assert_eq!(left.get("USDT"), Some(&dec!(10)), "{left:?}");
    assert_eq!(left.get("BTC"), Some(&dec!(0)), "{left:?}");
}

#[test]
fn a_signal_during_a_step_stops_after_it_and_the_next_run_continues() {
    let place = place();
    let path = APPLY;
    place.sandbox.inject(Fault::HoldAfter.on(path));
    let running = Running::start(&place, &WIND_DOWN);
    place.wait_until_held(path);
    running.signal(Signal::INT);
    // It waits for the response and stops before the next step.
    place.sandbox.clear_faults();
    let stopped = running.end();
    assert_eq!(stopped.code, 10, "{}", stopped.err);
    assert!(stopped.err.contains("done") && stopped.err.contains("stopped"), "{}", stopped.err);
    let again = bitmart(&place, &WIND_DOWN);
    assert_eq!(again.code, 0, "{}", again.err);
    let history = run(&place, &["account", "funding-history", "withdraw", "100"]);
    assert_eq!(history.out.lines().count(), 2, "{}", history.out);
}

#[test]
fn an_undetermined_outcome_stops_the_run_until_it_is_given() {
    let place = place();
    place.sandbox.set_balance(1, WalletKind::Funding, "USDT", dec!(10)).expect("an account");
    let path = "/account/v1/transfer";
    place.sandbox.inject(Fault::HoldAfter.on(path));
    assert!(matches!(wind_down(&place, None), End::Killed(held) if held == path));
    // Another change of the same balances.
    place.sandbox.set_balance(1, WalletKind::Funding, "USDT", dec!(3)).expect("an account");
    place.sandbox.advance(SETTLED);
    let unclear = bitmart(&place, &WIND_DOWN);
    assert_eq!(unclear.code, 8, "{}", unclear.err);
    assert!(unclear.err.contains("--outcome done|not-done"), "{}", unclear.err);
    let history = run(&place, &["account", "funding-history", "withdraw", "100"]);
    assert_eq!(history.out, "", "nothing else was sent");
    let resolved = bitmart(&place, &[&WIND_DOWN[..], &["--outcome", "done"]].concat());
    assert_eq!(resolved.code, 0, "{}", resolved.err);
}

#[test]
fn each_step_is_confirmed_and_ctrl_c_at_a_question_stops_the_run() {
    let place = place();
    let mut session = Session::start(&place, &["wind-down", "--run", "--unlimited"]);
    session.wait_for("move 500 USDT from futures to spot");
    session.wait_for("execute it? [y/N]");
    session.answer("y");
    session.wait_for("done");
    session.wait_for("withdraw 0.5 BTC");
    session.wait_for("execute it? [y/N]");
    session.answer("n");
    session.wait_for("withdraw 1500 USDT on TRC20");
    session.wait_for("1499 USDT arrive");
    session.wait_for("execute it? [y/N]");
    session.signal(Signal::INT);
    session.wait_for("stopped between two steps");
    assert_eq!(session.end(), 10);
    let history = run(&place, &["account", "funding-history", "withdraw", "100"]);
    assert_eq!(history.out, "");
}

/// The same amount is withdrawn again on the next day, for example because of a daily quota. The request of the day
/// before, whose outcome is given only now, is no reason to skip it.
#[test]
fn only_a_request_that_was_signed_minutes_ago_prevents_an_equal_step() {
    let place = place();
    let journal = place.home().join("journal.jsonl");
    let name = journal.to_str().expect("a name in UTF-8").to_owned();
    let words = [&WIND_DOWN[..], &["--journal", &name]].concat();
    run(&place, &words);
    let text = std::fs::read_to_string(&journal).expect("a file");
    let is_withdrawal = |line: &&str| line.contains("account_withdraw") && line.contains("BTC");
    let request = text.lines().find(is_withdrawal).expect("a withdrawal of BTC");
    let (before, _) = text.split_once(request).expect("it is there");
    let mut request: Value = serde_json::from_str(request).expect("JSON");
    let signed_ms = request["signed_by_ms"].as_i64().expect("a time");
    let mut again = |signed_ms: i64| {
        // The run before was killed after this line.
        request["signed_by_ms"] = signed_ms.into();
        std::fs::write(&journal, format!("{before}{request}\n")).expect("written");
        place.sandbox.set_balance(1, WalletKind::Spot, "BTC", dec!(0.5)).expect("an account");
        bitmart(&place, &[&words[..], &["--outcome", "done"]].concat())
    };
    let withdrawals = || {
        let history = run(&place, &["account", "funding-history", "withdraw", "100"]);
        history.out.lines().filter(|line| line.contains("BTC")).count()
    };
    assert_eq!(withdrawals(), 1);
    let yesterday = again(signed_ms - 86_400_000);
    assert_eq!(yesterday.code, 0, "{}", yesterday.err);
    assert_eq!(withdrawals(), 2);
    let now = again(signed_ms);
    assert_eq!(now.code, 10, "{}", now.err);
    assert_eq!(withdrawals(), 2, "the balance may be that of before the request");
}

#[test]
fn an_incomplete_line_of_the_journal_is_ignored() {
    use std::io::Write as _;

    let place = place();
    let journal = place.home().join("journal.jsonl");
    let name = journal.to_str().expect("a name in UTF-8").to_owned();
    let words = [&WIND_DOWN[..], &["--journal", &name]].concat();
    run(&place, &words);
    let append = |text: &str| {
        let mut file = std::fs::OpenOptions::new().append(true).open(&journal).expect("a file");
        file.write_all(text.as_bytes()).expect("written");
    };
    let complete = std::fs::read_to_string(&journal).expect("a file");
    append("{\"entry\":\"begin\",\"number\":99,\"text\":\"withdr");
    let again = run(&place, &words);
    assert!(!again.err.contains("is unknown"), "{}", again.err);
    assert_eq!(std::fs::read_to_string(&journal).expect("a file"), complete, "it was removed");
    // A complete but malformed line is an error.
    append("nonsense\n");
    let malformed = bitmart(&place, &words);
    assert!(malformed.code == 2 && malformed.err.contains("not a journal"), "{}", malformed.err);
    // The journal of another account is an error, too.
    std::fs::write(&journal, complete.replacen("\"key\":\"", "\"key\":\"00", 1)).expect("written");
    let other = bitmart(&place, &words);
    assert!(other.code == 2 && other.err.contains("another account"), "{}", other.err);
}

#[test]
fn a_wrong_address_option_ends_the_run_before_anything_is_sent() {
    let place = place();
    place.sandbox.set_balance(1, WalletKind::Spot, "ETH", dec!(0)).expect("an account");
    let before = place.sandbox.balances();
    let usdt = |code: &str| format!("{code}={TRON}");
    for (to, part) in [
        (usdt("USDT"), "USDT-TRC20, USDT-ERC20"),
        (usdt("USDT-TRC2O"), "USDT-TRC20, USDT-ERC20"),
        (usdt("USTD-TRC20"), "no network of USTD"),
        // A coin of which the account has nothing.
        ("ETH=0x52908400098527886E0F7030069857D2E4169EE7".to_owned(), "the account has no ETH"),
    ] {
        let wrong = bitmart(&place, &[&WIND_DOWN[..], &["--to", &to]].concat());
        assert_eq!(wrong.code, 2, "{to}: {}", wrong.err);
        assert!(wrong.err.contains(part), "{to}: {}", wrong.err);
    }
    let twice = ["--to", &usdt("USDT-TRC20"), "--to", &usdt("usdt-trc20")];
    let twice = bitmart(&place, &[&WIND_DOWN[..], &twice].concat());
    assert!(twice.code == 2 && twice.err.contains("given twice"), "{}", twice.err);
    assert_eq!(place.sandbox.balances(), before);
}

#[test]
fn an_address_option_in_any_spelling_wins_over_a_saved_address() {
    let place = place();
    let address = "0x52908400098527886E0F7030069857D2E4169EE7";
    // Both are saved and verified, and the fee of the other network is lower.
    let saved = WithdrawAddress::new(address).currency("USDT").network("ERC20");
    place.sandbox.save_address(1, saved).expect("an account");
    let to = format!("usdt-erc20={address}");
    let words = [&WIND_DOWN[..], &["--to", &to]].concat();
    run(&place, &words);
    let history = run(&place, &["account", "funding-history", "withdraw", "100"]);
    assert!(
        history.out.contains("USDT-ERC20") && !history.out.contains("TRC20"),
        "{}",
        history.out
    );
    // The same words again have nothing to do.
    place.sandbox.advance(SETTLED);
    let again = run(&place, &words);
    assert!(!again.err.contains("done"), "{}", again.err);
}

#[test]
fn an_order_older_than_a_week_is_canceled() {
    let place = place();
    let order = ["spot", "submit-order", "ETH_USDT", "buy", "limit", "--size", "0.1"];
    change(&place, &[&order[..], &["--price", "1000"]].concat());
    place.sandbox.advance(Duration::from_secs(10 * 86_400));
    let done = run(&place, &WIND_DOWN);
    assert!(done.err.contains("cancel all spot orders"), "{}", done.err);
    place.sandbox.advance(SETTLED);
    let left = held(&place);
    assert_eq!(left.get("USDT"), Some(&dec!(0)), "{left:?}");
}

#[test]
fn a_file_that_is_no_journal_is_not_changed() {
    let place = place();
    let file = place.home().join("notes.txt");
    let name = file.to_str().expect("a name in UTF-8").to_owned();
    for text in
        ["notes without an end of line", "{\"entry\":\"account\",\"place\":\"else\"", "{}\n"]
    {
        std::fs::write(&file, text).expect("written");
        let refused = bitmart(&place, &[&WIND_DOWN[..], &["--journal", &name]].concat());
        assert!(refused.code == 2 && refused.err.contains("not a journal"), "{}", refused.err);
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), text);
    }
    // The beginning of the first line of a journal is what a killed run leaves.
    std::fs::write(&file, "{\"entry\":\"acc").expect("written");
    run(&place, &[&WIND_DOWN[..], &["--journal", &name]].concat());
}
