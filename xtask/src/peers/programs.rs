//! The programs that are compared.

use std::path::PathBuf;
use std::process::Command;

use super::{PACKAGE, Skipped, binary, node, python, target};
use crate::install::has;
use crate::run::{run, workspace_root};

/// The lower bound.
pub(super) const BARE: &str = "bare hyper";

/// The environment of the programs.
pub(super) struct Setting {
    /// The ready lines of the sandboxes: for orders, for orders over TLS, with a stepped clock.
    pub(super) lines: [String; 3],
    pub(super) roots: PathBuf,
}

/// A program that is compared.
pub(super) struct Program {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    file: PathBuf,
    arguments: Vec<String>,
    variable: Option<(&'static str, PathBuf)>,
    /// Whether it also reads streams.
    pub(super) streams: bool,
    /// Its share of the number of operations in a round, in percent: slow ones do fewer.
    pub(super) share: usize,
}

impl Program {
    pub(super) fn command(&self, setting: &Setting) -> Command {
        let mut command = Command::new(&self.file);
        command
            .args(&self.arguments)
            .envs(self.variable.as_ref().map(|(name, value)| (name, value)));
        for (name, line) in ["PEER_PLAIN", "PEER_TLS", "PEER_MARKET"].iter().zip(&setting.lines) {
            command.env(name, line);
        }
        // Each language has its own variable for trusted certificates.
        for name in ["BITMART_ROOT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            command.env(name, &setting.roots);
        }
        command
    }
}

/// Ours first, then those that this machine can run, and the reasons why others are missing.
pub(super) fn all() -> (Vec<Program>, Vec<Skipped>) {
    let rust = |name, file, arguments: &[&str], about, streams, share| Program {
        name,
        about,
        file: binary(file),
        arguments: arguments.iter().map(|&text| text.to_owned()).collect(),
        variable: None,
        streams,
        share,
    };
    let mut programs = vec![
        rust("ours", "ours", &[], "this SDK, its rate limiter off", true, 100),
        rust(
            BARE,
            "hyper",
            &[],
            "hyper and fastwebsockets without anything around them, requests written by hand",
            true,
            100,
        ),
        rust("reqwest", "reqwest", &[], "reqwest with one client; tokio-tungstenite", true, 100),
        rust(
            "reqwest, quick start",
            "reqwest",
            &["--quick-start"],
            "as the exchange's Rust sample: a new client for each request, JSON trees; on today's reqwest",
            false,
            15,
        ),
    ];
    let mut skipped = Vec::new();
    let script = |name: &str| workspace_root().join(PACKAGE).join(name);
    let text = |path: PathBuf| path.to_string_lossy().into_owned();
    match python() {
        Ok(python) => programs.push(Program {
            name: "Python SDK",
            about: "the exchange's SDK for Python; 64 in flight are 64 threads",
            file: python,
            arguments: vec![text(script("sdk.py"))],
            variable: None,
            streams: true,
            share: 15,
        }),
        Err(why) => skipped.push(Skipped { name: "Python SDK", why }),
    }
    match node() {
        Ok(modules) => programs.push(Program {
            name: "Node SDK",
            about: "the exchange's SDK for Node",
            file: "node".into(),
            arguments: vec![text(script("sdk.js"))],
            variable: Some(("NODE_PATH", modules)),
            streams: true,
            share: 30,
        }),
        Err(why) => skipped.push(Skipped { name: "Node SDK", why }),
    }
    match go(&script("quick_start.go")) {
        Ok(file) => programs.push(Program {
            name: "Go, quick start",
            about: "the exchange's Go sample on Go's own library; it has none for streams",
            file,
            arguments: Vec::new(),
            variable: None,
            streams: false,
            share: 50,
        }),
        Err(why) => skipped.push(Skipped { name: "Go, quick start", why }),
    }
    (programs, skipped)
}

fn go(source: &PathBuf) -> Result<PathBuf, String> {
    if !has("go") {
        return Err("go is not installed".to_owned());
    }
    let program = target().join("quick-start-go");
    let mut command = Command::new("go");
    command.arg("build").arg("-o").arg(&program).arg(source);
    command.env("GOCACHE", target().join("go-cache")).env("GO111MODULE", "off");
    run(&mut command)?;
    Ok(program)
}
