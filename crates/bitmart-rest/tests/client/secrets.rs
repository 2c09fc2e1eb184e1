//! Neither `Debug` nor errors show secrets.

use bitmart_auth::Credentials;
use bitmart_rest::Client;
use bitmart_rest::testing::{ScriptedResponse, ScriptedTransport};
use bitmart_testkit::canary;
use bitmart_types::{Environment, Service};

use crate::endpoints::{ORDER_RESPONSE, PLACE_ORDER};

fn client(response: &'static str) -> (ScriptedTransport, Client) {
    let credentials = Credentials::new(canary::KEY, canary::SECRET, canary::MEMO).unwrap();
    let transport = ScriptedTransport::always(ScriptedResponse::raw(response));
    let builder = Client::builder().credentials(credentials).transport(transport.clone());
    canary::assert_debug_hides(&builder, &[]);
    (transport, builder.build().unwrap())
}

#[tokio::test]
async fn debug_and_errors_show_no_secret() {
    for response in [ORDER_RESPONSE, "<html>CANARY</html>", r#"{"code":50020,"data":"CANARY"}"#] {
        let (transport, client) = client(response);
        let result = client.send_detailed(PLACE_ORDER).await;
        let sent = transport.requests();
        let sign = sent[0].headers["x-bm-sign"].to_str().unwrap();
        canary::assert_debug_hides(&client, &[sign]);
        canary::assert_debug_hides(&result, &[sign]);
        canary::assert_debug_hides(&sent[0].headers, &[sign]);
        canary::assert_debug_hides(&sent[0], &[sign]);
        if let Err(error) = result {
            canary::assert_hidden(&error.to_string(), &[sign]);
        }
    }
}

#[test]
fn rejects_plain_text_to_other_machines_with_credentials() {
    for service in [Service::SpotRest, Service::FuturesRest] {
        let environment = Environment::custom("test").with(service, "http://10.0.0.7:8801");
        let builder = || crate::endpoints::client("").environment(environment.clone());
        let error = builder().build().unwrap_err();
        assert!(error.to_string().contains("unencrypted"), "{error}");
        assert!(error.setting().ends_with("_rest"));
        builder().allow_plain_text(true).build().unwrap();
    }
    crate::endpoints::client("http://localhost:8801").build().unwrap();
}
