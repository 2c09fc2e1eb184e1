use super::{Request, Step, is_same_request};

#[test]
fn a_step_is_recognized_by_the_parameters_of_its_request() {
    let step = |amount: &str| Step {
        key: "redeem 7".to_owned(),
        text: String::new(),
        endpoint: "earn_redeem_flexible",
        parameters: vec![("earnId", "7".to_owned()), ("amount", amount.to_owned())],
        currency: None,
        amount: None,
        notes: Vec::new(),
    };
    let sent = [("earnId", "7"), ("amount", "5"), ("requestNo", "42")];
    let sent = sent.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = Request {
        number: 1,
        text: String::new(),
        endpoint: "earn_redeem_flexible".to_owned(),
        parameters: sent.into(),
        baseline: None,
        signed_by_ms: None,
    };
    assert!(is_same_request(&request, &step("5")));
    assert!(!is_same_request(&request, &step("6")), "another amount");
    let other = Request { endpoint: "earn_redeem_fixed".to_owned(), ..request };
    assert!(!is_same_request(&other, &step("5")), "another endpoint");
}
