//! Collectors as processes.

use std::process::{Child, Command, Stdio};

use bitmart_fleet::collector::Collector;
use bitmart_fleet::nats::Options;
use bitmart_sandbox::Sandbox;

use super::{Nats, direct_client, with_topics};

/// A collector in a process of its own: this test program, which runs [`collector_process`].
pub(crate) struct CollectorProcess(Child);

const CHILD: &str = "BITMART_FLEET_TEST_COLLECTOR";

impl CollectorProcess {
    pub(crate) fn start(nats: &Nats, sandbox: &Sandbox, id: &str, replicas: usize) -> Self {
        let program = Command::new(std::env::current_exe().expect("this program"));
        Self::run(program, nats, sandbox, id, replicas)
    }

    /// The same in a network namespace.
    #[cfg(target_os = "linux")]
    pub(crate) fn start_in(
        namespace: &str,
        nats: &Nats,
        sandbox: &Sandbox,
        id: &str,
        replicas: usize,
    ) -> Self {
        let mut program = Command::new("ip");
        program.args(["netns", "exec", namespace]);
        program.arg(std::env::current_exe().expect("this program"));
        Self::run(program, nats, sandbox, id, replicas)
    }

    fn run(
        mut program: Command,
        nats: &Nats,
        sandbox: &Sandbox,
        id: &str,
        replicas: usize,
    ) -> Self {
        let (spot, futures) = (&sandbox.spot().ws_public, &sandbox.futures().ws_public);
        let options = [&nats.url, spot, futures, id, &replicas.to_string()].join("\n");
        let child = program
            .args([
                "common::collector_process::collector_process",
                "--exact",
                "--ignored",
                "--nocapture",
            ])
            .env(CHILD, options)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Self(child.expect("started"))
    }

    pub(crate) fn kill(&mut self) {
        self.0.kill().expect("killed");
        self.0.wait().expect("ended");
    }

    /// `STOP` or `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.0.id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(status.expect("kill runs").success());
    }
}

impl Drop for CollectorProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
#[ignore = "the body of a process of other tests"]
async fn collector_process() {
    let Ok(options) = std::env::var(CHILD) else { return };
    let options: Vec<&str> = options.lines().collect();
    let [url, spot, futures, id, replicas] = options[..] else { panic!("five options") };
    let builder = Collector::builder(Options::new(url), direct_client(spot, futures)).id(id);
    let builder = with_topics(builder).replicas(replicas.parse().expect("a number"));
    let _collector = builder.start().await.expect("started");
    std::future::pending::<()>().await;
}
