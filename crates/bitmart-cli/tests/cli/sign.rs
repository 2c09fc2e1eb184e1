//! `sign`: no secret is an argument of any process.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{at_home, bitmart, sandbox};

/// A key that does not occur in the arguments of other processes.
struct Canary {
    key: &'static str,
    secret: &'static str,
    memo: &'static str,
}

impl Canary {
    fn lines(&self) -> String {
        format!("{}\n{}\n{}\n", self.key, self.secret, self.memo)
    }
}

/// The arguments of all processes while a shell command ran, and the input of curl.
struct Observed {
    arguments: String,
    sent: String,
}

/// Runs a shell command. Wrappers of its programs record the arguments of all processes while they run.
fn run_observed(line: &str, home: &Path, key: Option<&Canary>) -> Observed {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display();
    let look = format!("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >> '{place}/seen'");
    let program = |name: &str, script: String| {
        let text = format!("#!/bin/sh\n{script}\necho seen by {name} >> '{place}/seen'\n");
        // Written by another process: a file that this one has open for writing may be inherited by a program
        // that another test starts, and could then not be executed.
        let written = Command::new("sh")
            .args(["-c", "printf %s \"$2\" > \"$1\" && chmod 755 \"$1\"", "sh"])
            .arg(folder.path().join(name))
            .arg(text)
            .status();
        assert!(written.expect("a shell").success(), "{name}");
    };
    // Replaces curl, so that nothing is sent.
    program("curl", format!("cat > '{place}/sent'\n{look}"));
    let real = env!("CARGO_BIN_EXE_bitmart");
    program(
        "bitmart",
        format!("{{ '{real}' \"$@\" <&3 & }} 3<&0\nwhile kill -0 $! 2>/dev/null; do {look}; done"),
    );
    // For the control test below.
    program("openssl", format!("cat > /dev/null\n{look}\necho '= 00'"));
    let mut shell = Command::new("sh");
    shell
        .args(["-c", line])
        .env_clear()
        .env("HOME", home)
        .env("PATH", format!("{place}:/usr/bin:/bin"))
        .stdin(Stdio::null());
    if let Some(Canary { key, secret, memo }) = key {
        shell.env("BITMART_API_KEY", key);
        shell.env("BITMART_API_SECRET", secret).env("BITMART_API_MEMO", memo);
    }
    let output = shell.output().expect("a shell");
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| {
        String::from_utf8_lossy(&fs::read(folder.path().join(name)).unwrap_or_default())
            .into_owned()
    };
    Observed { arguments: read("seen"), sent: read("sent") }
}

/// The shell command in the output of `--dry-run`.
fn line_of(out: &str) -> &str {
    let (_, line) = out.split_once("send it with curl:\n\n").expect("a line");
    line
}

const DRY_RUN_ORDER: [&str; 10] = [
    "spot",
    "submit-order",
    "BTC_USDT",
    "sell",
    "limit",
    "--size",
    "0.01",
    "--price",
    "90000",
    "--dry-run",
];

#[test]
fn no_process_list_shows_the_key_while_the_pipe_runs() {
    const CANARY: Canary = Canary {
        key: "kq7Zt0canarykey5Vw1",
        secret: "sb8Rm2canarysecret9Xc",
        memo: "mj4Lp6canarymemo3Ny",
    };
    let (place, home) = (sandbox(), tempfile::tempdir().expect("a folder"));
    let added = at_home(home.path(), &["auth", "add", "bot", "--stdin"], &CANARY.lines());
    assert_eq!(added.code, 0, "{}", added.err);
    let options = ["--env", &place.spot, "--profile", "bot"];
    for request in [
        &DRY_RUN_ORDER[..],
        &["spot", "open-orders", "--dry-run"],
        &["account", "wallet", "--dry-run"],
    ] {
        let shown = at_home(home.path(), &[request, &options].concat(), "");
        assert_eq!(shown.code, 0, "{}", shown.err);
        let line = line_of(&shown.out);
        // The key of a profile, and the key of the environment.
        let of_environment = line.replace(" --profile bot", "");
        for (line, key) in [(line, None), (of_environment.as_str(), Some(&CANARY))] {
            let Observed { arguments, sent } = run_observed(line, home.path(), key);
            for text in [CANARY.key, CANARY.secret, CANARY.memo] {
                assert!(!arguments.contains(text), "{line}\nshows {text}");
            }
            // Every program was observed, and the right request went through the pipe.
            for part in ["curl --config -", "sign ", "seen by bitmart", "seen by curl"] {
                assert!(arguments.contains(part), "{part}: {arguments}");
            }
            assert!(sent.contains(&format!("header = \"x-bm-key: {}\"", CANARY.key)), "{sent}");
            assert!(!sent.contains(CANARY.secret) && !sent.contains(CANARY.memo), "{sent}");
        }
    }
}

/// A control: the observation finds a key in arguments.
#[test]
fn a_key_in_arguments_would_be_observed() {
    const CANARY: Canary = Canary {
        key: "kx1Gd9controlkey2Hf7",
        secret: "sv3Jn5controlsecret8Qe",
        memo: "mw6Ub4controlmemo0Rt",
    };
    let line = "T=1\nB='{}'\ncurl -H \"X-BM-KEY: $BITMART_API_KEY\" -H \"X-BM-SIGN: $(printf %s \
                \"$T#$BITMART_API_MEMO#$B\" | openssl dgst -sha256 -hmac \"$BITMART_API_SECRET\" | sed 's/.* //')\" \
                -d \"$B\" http://127.0.0.1:1 < /dev/null";
    let home = tempfile::tempdir().expect("a folder");
    let Observed { arguments, .. } = run_observed(line, home.path(), Some(&CANARY));
    assert!(arguments.contains(CANARY.key) && arguments.contains(CANARY.secret), "{arguments}");
}

#[test]
fn the_pipe_of_a_dry_run_sends_the_request() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: curl is not installed");
        return;
    }
    let place = sandbox();
    let binary = Path::new(env!("CARGO_BIN_EXE_bitmart")).parent().expect("a folder");
    let run = |line: &str| {
        let output = Command::new("sh")
            .args(["-c", line])
            .env_clear()
            .env("PATH", format!("{}:/usr/bin:/bin", binary.display()))
            .env("HOME", place.ready_file().parent().expect("a folder"))
            .output()
            .expect("a shell");
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{line}: {err}");
        let body = String::from_utf8_lossy(&output.stdout).into_owned();
        serde_json::from_str::<serde_json::Value>(&body)
            .unwrap_or_else(|_| panic!("{line}: {body} {err}"))
    };
    let shown = bitmart(&place, &DRY_RUN_ORDER);
    let placed = run(line_of(&shown.out));
    assert_eq!(placed["code"], 1000, "{placed}");
    let open = bitmart(&place, &["spot", "open-orders"]);
    let id = placed["data"]["order_id"].as_str().expect("a text");
    assert!(open.out.contains(id), "{}", open.out);
    for words in [
        &["spot", "ticker", "BTC_USDT", "--dry-run"][..],
        &["account", "wallet", "--currency", "BTC", "--dry-run"],
        &["futures", "positions", "--dry-run"],
        &["spot", "open-orders", "--dry-run"],
    ] {
        let shown = bitmart(&place, words);
        assert_eq!(run(line_of(&shown.out))["code"], 1000, "{}", shown.out);
    }
}

#[test]
fn rejects_what_cannot_be_signed() {
    let home = tempfile::tempdir().expect("a folder");
    let keyless = at_home(home.path(), &["sign", "GET", "/account/v1/wallet"], "");
    assert_eq!((keyless.code, keyless.out.as_str()), (3, ""), "{}", keyless.err);
    let place = sandbox();
    let ready = place.ready_file();
    let sign = |words: &[&str], input: &str| {
        let options = ["--env", ready.to_str().expect("text")];
        at_home(home.path(), &[&["sign"], words, &options].concat(), input)
    };
    for (words, input, part) in [
        (&["PUT", "/spot/v2/submit_order"][..], "", "GET or POST"),
        (&["POST", "spot/v2/submit_order"], "{}", "begins with /"),
        (&["POST", "/spot/v2/submit_order"], "{\"hush\":", "not JSON"),
        (&["GET", "/spot/v1/x?y"], "", "not a query"),
    ] {
        let wrong = sign(words, input);
        assert!(wrong.code == 2 && wrong.err.contains(part), "{words:?}: {}", wrong.err);
        assert!(!wrong.err.contains("hush"), "{}", wrong.err);
    }
    // The body is signed and sent unchanged.
    let body = "{ \"b\": 1.10,\"a\":\"ü \\\" \\n\" }";
    let signed = sign(&["post", "/spot/v9/anything"], body);
    let escaped = body.replace('\\', "\\\\").replace('"', "\\\"");
    assert!(signed.out.contains(&format!("data-raw = \"{escaped}\"\n")), "{}", signed.out);
    let signed = sign(&["POST", "/spot/v2/submit_order", "--raw"], "{\"symbol\":");
    assert!(signed.out.contains("data-raw = \"{\\\"symbol\\\":\"\n"), "{}", signed.out);
    assert!(signed.out.contains("header = \"x-bm-sign: "), "{}", signed.out);
}

/// curl has a syntax for several requests in one address, and shortens paths.
#[test]
fn curl_sends_the_address_unchanged() {
    let (place, home) = (sandbox(), tempfile::tempdir().expect("a folder"));
    let ready = place.ready_file();
    let path = "/spot/{a,b}/../[1-3]";
    let words = ["sign", "GET", path, "--env", ready.to_str().expect("text")];
    let signed = at_home(home.path(), &words, "");
    assert_eq!(signed.code, 0, "{}", signed.err);
    assert!(signed.out.contains("\ngloboff\npath-as-is\n"), "{}", signed.out);
    assert!(signed.out.contains(path), "{}", signed.out);
}
