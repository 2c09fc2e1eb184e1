//! Two local addresses in a network namespace. Skipped without permission to create one (`unshare -n`,
//! `ip`).
#![cfg(target_os = "linux")]

use std::net::IpAddr;
use std::process::Command;

use bitmart_net::{Connect as _, Connector, Target};
use tokio::net::TcpListener;

/// Set in the process inside the network namespace.
const INSIDE: &str = "BITMART_NET_TEST_INSIDE";

/// Printed inside the network namespace when it is set up: from then on nothing may be skipped.
const SET_UP: &str = "the namespace is set up";

/// Creates an interface and address per account, and the host's address.
const SETUP: &str = "ip link set lo up && \
    ip link add first type veth peer name first-host && \
    ip link add second type veth peer name second-host && \
    ip addr add 10.77.1.2/24 dev first && ip addr add 10.77.2.2/24 dev second && \
    ip addr add 10.77.9.1/32 dev lo && \
    for name in first first-host second second-host; do ip link set $name up || exit 1; done";

/// For kernels without `veth` interfaces.
const SETUP_WITHOUT_VETH: &str = "ip link set lo up && ip addr add 10.77.1.2/32 dev lo && \
    ip addr add 10.77.2.2/32 dev lo && ip addr add 10.77.9.1/32 dev lo";

#[test]
fn each_account_connects_from_its_own_address() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let program = std::env::current_exe().expect("a program");
    let run = format!(
        "{{ ({SETUP}) 2>/dev/null || ({SETUP_WITHOUT_VETH}); }} || exit 77; \
         echo {SET_UP}; exec \"$0\" --exact each_account_connects_from_its_own_address --nocapture"
    );
    let output = Command::new("unshare")
        .args(["-n", "sh", "-c", &run])
        .arg(program)
        .env(INSIDE, "1")
        .output();
    match output {
        Err(error) => println!("skipped: no `unshare` on this machine: {error}"),
        Ok(output) => {
            let output_text = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            if output_text.contains(SET_UP) {
                let connected = output_text.contains("connected from two addresses");
                assert!(connected && output.status.success(), "{output_text}");
            } else {
                println!("skipped: cannot create a network namespace: {output_text}");
            }
        }
    }
}

fn inside() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let listener = TcpListener::bind("10.77.9.1:0").await.expect("the host's address");
        let target = Target::plain_text("10.77.9.1", listener.local_addr().expect("one").port());
        for local in [IpAddr::from([10, 77, 1, 2]), IpAddr::from([10, 77, 2, 2])] {
            let connector = Connector::builder().without_proxy().bind(local).build().expect("one");
            let (stream, accepted) = tokio::join!(connector.connect(&target), listener.accept());
            stream.expect("a stream");
            assert_eq!(accepted.expect("a client").1.ip(), local);
        }
    });
    println!("connected from two addresses");
}
