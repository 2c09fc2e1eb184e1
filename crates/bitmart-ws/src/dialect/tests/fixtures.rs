//! Published and observed control frames. The name of a fixture says what it contains.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

/// Every fixture with a control frame.
fn fixtures() -> Vec<(PathBuf, Value)> {
    let list = |folder: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).expect("the folder exists");
        entries.map(|entry| entry.expect("readable").path()).collect()
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let files = list(&root).into_iter().flat_map(|folder| list(&folder));
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("readable");
        (path, serde_json::from_str::<Value>(&text).expect("JSON"))
    };
    files.map(read).filter(|(_, fixture)| fixture.get("control").is_some()).collect()
}

/// Returns the expected classification of a fixture with this name.
fn expected(name: &str, frame: &Value) -> Option<Control> {
    let text = |key: &str| frame[key].as_str().map(str::to_owned);
    let topic = || text("topic").or(text("group"));
    let code = text("errorCode").map(|code| code.parse().expect("a number"));
    let reason = text("error").or(text("errorMessage")).unwrap_or_default();
    let rejection = Rejection::new(code, &reason);
    let acknowledged = |operation| topic().map(|topic| Control::Acknowledged { operation, topic });
    match name.strip_prefix("observed-").unwrap_or(name) {
        "pong" => Some(Control::Pong),
        "login-ack" => Some(Control::LoggedIn),
        name if name.starts_with("login-error") => Some(Control::LoginRejected(rejection)),
        name if name.starts_with("subscribe-ack") => acknowledged(Operation::Subscribe),
        name if name.starts_with("unsubscribe-ack") => acknowledged(Operation::Unsubscribe),
        name if name.starts_with("error-") || name.ends_with("-refused") => {
            let name = text("event").or(text("action"));
            let operation = name.and_then(|name| Operation::parse(&name));
            Some(Control::Rejected { operation, topic: topic(), rejection })
        }
        _ => None,
    }
}

#[test]
fn classifies_every_control_fixture_as_its_name_says() {
    let fixtures = fixtures();
    assert!(fixtures.len() >= 16, "{}", fixtures.len());
    for (path, fixture) in fixtures {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name");
        let frame = &fixture["control"];
        let market = match fixture["ws"].as_str() {
            Some("spot") => Market::Spot,
            Some("futures") => Market::Futures,
            other => panic!("{}: ws is {other:?}", path.display()),
        };
        let control = expected(name, frame).unwrap_or_else(|| {
            panic!("{}: name it after its content, as the others are", path.display())
        });
        assert_eq!(
            classify(market, &frame.to_string()),
            Incoming::Control(control),
            "{}",
            path.display()
        );
    }
}
