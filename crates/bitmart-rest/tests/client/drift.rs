//! Drift is counted only if `watch_drift` is set.

use bitmart_rest::Client;
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};

const RESPONSE: &str =
    r#"{"code":1000,"message":"OK","data":{"server_time":"1527777538000","zone":"UTC"}}"#;

#[tokio::test]
async fn clones_share_the_counts() {
    for (on, found) in [(true, vec![("server_time", 2), ("zone", 2)]), (false, vec![])] {
        let client = Client::builder()
            .transport(ScriptedTransport::always(ScriptedResponse::raw(RESPONSE)))
            .watch_drift(on)
            .build()
            .unwrap();
        for client in [client.clone(), client.clone()] {
            let time = client.system().time().await.unwrap();
            assert_eq!(time.server_time.as_millis(), 1_527_777_538_000);
        }
        let report = client.drift();
        let places: Vec<_> =
            report.findings.iter().map(|found| (found.place.as_str(), found.count)).collect();
        assert_eq!(places, found);
    }
}
