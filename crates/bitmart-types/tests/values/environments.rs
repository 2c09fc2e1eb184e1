//! Environments and roots.

use bitmart_types::{Environment, Roots, Service};

const ALL: [Service; 6] = [
    Service::SpotRest,
    Service::FuturesRest,
    Service::SpotWsPublic,
    Service::SpotWsPrivate,
    Service::FuturesWsPublic,
    Service::FuturesWsPrivate,
];

#[test]
fn the_live_environment_has_every_service_over_tls() {
    let live = Environment::live();
    for service in ALL {
        let address = live.address(service).unwrap();
        assert!(address.starts_with("https://") || address.starts_with("wss://"));
        assert!(address.contains(".bitmart.com"), "{address}");
    }
    assert_eq!(live.roots, Roots::bundled());
    assert_eq!(Environment::default(), live);
}

#[test]
fn the_demo_has_no_spot_services() {
    let demo = Environment::futures_demo();
    let error = demo.address(Service::SpotRest).unwrap_err();
    assert_eq!(error.service(), Service::SpotRest);
    assert_eq!(
        error.to_string(),
        "environment \"futures-demo\" has no spot REST service; choose another environment or set \
         its address"
    );
    assert!(demo.address(Service::SpotWsPublic).is_err());
    assert!(demo.address(Service::SpotWsPrivate).is_err());
    assert!(demo.address(Service::FuturesRest).unwrap().contains("demo"));
    assert!(demo.address(Service::FuturesWsPublic).unwrap().contains("demo"));
    assert!(demo.address(Service::FuturesWsPrivate).unwrap().contains("demo"));
}

#[test]
fn each_address_is_stored_for_its_own_service() {
    let environment = ALL.iter().fold(Environment::custom("test"), |environment, &service| {
        environment.with(service, format!("http://{service}/"))
    });
    for service in ALL {
        // Without the slash at the end.
        assert_eq!(environment.address(service), Ok(&*format!("http://{service}")));
    }
}

#[test]
fn plain_text_is_for_loopback_only() {
    let plain = |address: &str| {
        Environment::custom("test")
            .with(Service::SpotRest, address)
            .is_plain_text(Service::SpotRest)
    };
    for address in [
        "",
        "https://10.0.0.7",
        "wss://exchange.example/api",
        "http://127.0.0.1",
        "http://127.8.9.10:80/",
        "HTTP://LocalHost:8801",
        "ws://localhost/api?protocol=1.1",
        "ws://[::1]:9/user",
    ] {
        assert!(!plain(address), "{address}");
    }
    for address in [
        "http://10.0.0.7",
        "HTTP://exchange.example:80",
        "ws://exchange.example/api",
        "ws://[2001:db8::1]:9",
        "http://0.0.0.0:8801",
        "http://localhost.exchange.example",
        "http://127.0.0.1.exchange.example",
        "http://127.0.0.1@exchange.example",
        "http://exchange.example/127.0.0.1",
        "http://exchange.example?@localhost",
    ] {
        assert!(plain(address), "{address}");
    }
}

#[test]
fn debug_of_roots_is_short() {
    let roots = Roots::none().with_der(vec![7; 100_000]);
    assert_eq!(
        format!("{roots:?}"),
        "Roots { bundled: false, system: false, extra: 1 certificates }"
    );
}

#[cfg(feature = "pem")]
mod pem {
    use bitmart_types::Roots;

    /// A throw-away authority.
    fn authority() -> (String, Vec<u8>) {
        let names = vec!["localhost".to_owned()];
        let certificate = rcgen::generate_simple_self_signed(names).expect("a certificate");
        (certificate.cert.pem(), certificate.cert.der().to_vec())
    }

    #[test]
    fn pem_and_der_are_the_same_authority() {
        let (pem, der) = authority();
        let from_pem = Roots::none().with_pem(&pem).unwrap();
        assert_eq!(from_pem, Roots::none().with_der(der));

        let two = Roots::none().with_pem(&format!("{pem}{}", authority().0));
        assert_eq!(two.unwrap().extra.len(), 2);
    }

    #[test]
    fn junk_is_not_an_authority() {
        for pem in ["", "junk", "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"] {
            let error = Roots::none().with_pem(pem).unwrap_err();
            assert!(error.to_string().contains("not PEM"), "{pem}");
        }
    }
}
