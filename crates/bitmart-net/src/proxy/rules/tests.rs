//! Which proxy a host is reached through, and which addresses of proxies are valid.

use super::*;
use crate::proxy::Protocol;

/// Rules from environment variables.
fn rules(variables: &[(&str, &str)]) -> Rules {
    Rules::from_variables(|name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
    .expect("usable variables")
}

/// Returns the variable whose proxy a host is reached through.
fn origin(rules: &Rules, host: &str, tls: bool) -> Option<&'static str> {
    rules.proxy_for(&Target::new(host, 443, tls)).map(|proxy| proxy.origin)
}

const PROXY: &str = "http://proxy:3128";

#[test]
fn variables_have_the_precedence_of_curl() {
    let cases: &[(&[&str], Option<&str>, Option<&str>)] = &[
        (&["HTTPS_PROXY"], Some("HTTPS_PROXY"), None),
        (&["https_proxy", "HTTPS_PROXY"], Some("https_proxy"), None),
        (&["http_proxy"], None, Some("http_proxy")),
        (&["HTTP_PROXY"], None, None),
        (&["ALL_PROXY"], Some("ALL_PROXY"), Some("ALL_PROXY")),
        (&["all_proxy", "ALL_PROXY"], Some("all_proxy"), Some("all_proxy")),
        (&["ALL_PROXY", "HTTPS_PROXY"], Some("HTTPS_PROXY"), Some("ALL_PROXY")),
        (&[], None, None),
    ];
    for (names, with_tls, without_tls) in cases {
        let variables: Vec<_> = names.iter().map(|&name| (name, PROXY)).collect();
        let rules = rules(&variables);
        assert_eq!(origin(&rules, "api.example", true), *with_tls, "{names:?}");
        assert_eq!(origin(&rules, "api.example", false), *without_tls, "{names:?}");
    }
    let empty = rules(&[("https_proxy", ""), ("HTTPS_PROXY", PROXY)]);
    assert_eq!(origin(&empty, "api.example", true), Some("HTTPS_PROXY"));
}

#[test]
fn no_proxy_patterns_match_as_in_curl() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        (
            "example.com",
            &["example.com", "a.example.com", "EXAMPLE.com", "example.com."],
            &["notexample.com", "example.org", "com"],
        ),
        (".example.com", &["example.com", "a.b.example.com"], &["notexample.com"]),
        ("example.com.", &["example.com"], &["example.org"]),
        ("*", &["example.com", "192.0.2.1", "2001:db8::1"], &[]),
        ("a.example, b.example", &["a.example", "b.example"], &["c.example"]),
        ("a.example b.example", &["a.example", "b.example"], &["c.example"]),
        ("192.0.2.7", &["192.0.2.7"], &["192.0.2.8", "192.0.2.7.example"]),
        ("192.0.2.0/24", &["192.0.2.1", "192.0.2.255"], &["192.0.3.1"]),
        ("2001:db8::/32", &["2001:db8::1", "[2001:db8::2]"], &["2001:db9::1"]),
        ("*.example.com", &[], &["a.example.com"]),
        (",, ,", &[], &["example.com"]),
        ("", &[], &["example.com"]),
    ];
    for (patterns, direct, through_proxy) in cases {
        let rules = rules(&[("ALL_PROXY", PROXY), ("NO_PROXY", patterns)]);
        for host in *direct {
            assert_eq!(origin(&rules, host, true), None, "{host} by {patterns:?}");
        }
        for host in *through_proxy {
            assert!(origin(&rules, host, true).is_some(), "{host} by {patterns:?}");
        }
    }
    let lower = rules(&[("ALL_PROXY", PROXY), ("no_proxy", "a.example"), ("NO_PROXY", "*")]);
    assert!(origin(&lower, "b.example", true).is_some(), "the lower-case name has precedence");
}

#[test]
fn loopback_hosts_bypass_the_proxy_by_default() {
    let loopback = [
        "localhost",
        "LOCALHOST",
        "a.localhost",
        "localhost.",
        "127.0.0.1",
        "127.9.9.9",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
    ];
    let remote = ["localhost.example", "notlocalhost", "128.0.0.1", "::2", "10.0.0.1"];
    let mut rules = rules(&[("ALL_PROXY", PROXY)]);
    for host in loopback {
        assert_eq!(origin(&rules, host, true), None, "{host}");
        assert_eq!(origin(&rules, host, false), None, "{host}");
    }
    for host in remote {
        assert!(origin(&rules, host, true).is_some(), "{host}");
    }
    rules.proxy_loopback = true;
    for host in loopback {
        assert!(origin(&rules, host, true).is_some(), "{host}");
    }
}

#[test]
fn parsed_proxies_do_not_show_their_passwords() {
    let cases = [
        ("proxy", Protocol::Http, "http://proxy:1080"),
        ("proxy:8080/", Protocol::Http, "http://proxy:8080"),
        ("HTTP://proxy:8080", Protocol::Http, "http://proxy:8080"),
        ("https://proxy", Protocol::Https, "https://proxy:443"),
        ("socks5://u:CANARY@proxy:1", Protocol::Socks5, "socks5://proxy:1"),
        ("socks5h://u:CANARY@[::1]:1", Protocol::Socks5h, "socks5h://[::1]:1"),
        ("http://u:CANARY@proxy:1", Protocol::Http, "http://proxy:1"),
    ];
    for (text, protocol, shown) in cases {
        let proxy = Proxy::parse(text, "test").expect(text);
        assert_eq!((proxy.protocol, proxy.to_string().as_str()), (protocol, shown), "{text}");
        let debug = format!("{proxy:?}");
        assert!(!debug.contains("CANARY") && !debug.contains("Q0FOQVJZ"), "{debug}");
    }
    let long = format!("socks5://u:{}@proxy", "x".repeat(256));
    for (text, error) in [
        ("", ProxyParseError::InvalidAddress),
        ("http://", ProxyParseError::InvalidAddress),
        ("http://a b", ProxyParseError::InvalidAddress),
        ("http://u:p#w@proxy", ProxyParseError::InvalidAddress),
        ("http://u:p/w@proxy", ProxyParseError::InvalidAddress),
        ("http://proxy:port", ProxyParseError::InvalidAddress),
        ("http://proxy:1/path", ProxyParseError::InvalidAddress),
        ("socks4://proxy", ProxyParseError::UnsupportedScheme),
        ("ftp://proxy", ProxyParseError::UnsupportedScheme),
        (&long, ProxyParseError::CredentialsTooLong),
    ] {
        assert_eq!(Proxy::parse(text, "test").err(), Some(error), "{text:?}");
    }
}
