//! The catalogue of error codes: complete, sorted and categorized.

use std::collections::HashSet;

use super::*;

#[test]
fn codes_ascend_without_doubles() {
    let codes: Vec<_> = all().map(|entry| entry.code).collect();
    assert!(codes.is_sorted_by(|a, b| a < b));
    assert!(codes.iter().all(|code| lookup(*code).is_some_and(|entry| entry.code == *code)));
}

#[test]
fn the_catalogue_holds_every_published_code_with_all_its_messages() {
    let published: Vec<(i64, usize)> = include_str!("../../../api/error-codes.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let (code, messages) = line.split_once(' ').expect("code and count");
            (code.parse().expect("code"), messages.parse().expect("count"))
        })
        .collect();
    let listed: Vec<_> = all()
        .map(|entry| {
            let first = usize::from(!entry.message.is_empty());
            (entry.code, first + entry.other_messages.len())
        })
        .collect();
    assert_eq!(listed, published);
}

#[test]
fn codes_have_their_category() {
    for (code, expected) in [
        (30005, Some(Category::Authentication)),
        (30013, Some(Category::RateLimited)),
        (30017, Some(Category::Banned)),
        (30018, Some(Category::InvalidRequest)),
        (40012, Some(Category::ServerFault)),
        (40015, Some(Category::Instrument)),
        (50020, Some(Category::InsufficientFunds)),
        (50005, Some(Category::OrderNotFound)),
        (40035, Some(Category::OrderNotFound)),
        (40037, Some(Category::OrderNotFound)),
        (40036, Some(Category::OrderNotOpen)),
        (50032, Some(Category::OrderNotOpen)),
        (50042, Some(Category::DuplicateId)),
        (59005, Some(Category::ServerFault)),
        (70003, Some(Category::ServerFault)),
        (71005, Some(Category::InvalidRequest)),
        (1000, None),
        (30009, None),
        (40060, None),
        (71006, None),
        (0, None),
        (i64::MIN, None),
        (i64::MAX, None),
    ] {
        assert_eq!(category(code), expected, "{code}");
    }
}

#[test]
fn what_failed_inside_the_exchange_proves_nothing() {
    for entry in all() {
        let server_side = entry.status.is_some_and(|status| status >= 500);
        // These texts say what was wrong with the request, whatever their status.
        let refusal = matches!(entry.code, 30018 | 60050);
        assert!(!server_side || refusal || !entry.proves_rejection(), "{}", entry.code);
        assert!(entry.category != Category::ServerFault || !entry.proves_rejection());
    }
}

#[test]
fn every_code_has_advice_in_a_sentence() {
    for entry in all() {
        assert!(entry.advice.ends_with('.'), "{}", entry.code);
        assert!(entry.advice.len() < 120, "{}", entry.code);
    }
}

/// Advice on a query does not recommend that query.
#[test]
fn advice_on_an_order_depends_on_the_request() {
    for entry in all() {
        let orders = matches!(entry.category, Category::OrderNotFound | Category::OrderNotOpen);
        let said = |effect| advice_for(effect, entry.code, entry.message).expect("advice");
        if orders {
            assert!(!said(Effect::Read).contains("query the order"), "{}", entry.code);
            assert!(said(Effect::Trade).contains("query the order"), "{}", entry.code);
        } else {
            assert_eq!(said(Effect::Read), said(Effect::Trade), "{}", entry.code);
        }
        for effect in [Effect::Read, Effect::Trade] {
            assert!(said(effect).ends_with('.') && said(effect).len() < 120, "{}", entry.code);
        }
    }
}

/// The form of a symbol is checked before anything is sent, so a symbol that the exchange does not know has
/// the right form.
#[test]
fn advice_on_an_unknown_symbol_does_not_explain_its_form() {
    for code in [50001, 70002, 40034] {
        let advice = lookup(code).expect("known").advice;
        assert!(!advice.contains("underscore"), "{code}: {advice}");
    }
}

#[test]
fn the_four_messages_of_30007_have_different_faults() {
    let entry = lookup(30007).expect("known");
    let messages = [&[entry.message], entry.other_messages].concat();
    let faults: Vec<_> =
        messages.iter().map(|message| clock_fault(30007, message).expect("a fault")).collect();
    assert_eq!(
        faults,
        [
            ClockFault::Timestamp,
            ClockFault::RecvWindow,
            ClockFault::RecvWindowType,
            ClockFault::RecvWindowRange,
        ]
    );
    let advice: HashSet<_> = messages.iter().map(|message| advice(30007, message)).collect();
    assert_eq!(advice.len(), 4);
    assert_eq!(clock_fault(40039, "any text"), Some(ClockFault::Timestamp));
    assert_eq!(clock_fault(30005, "recvWindow"), None);
}
