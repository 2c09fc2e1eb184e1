//! Checks the files of `examples/fleet`, which nothing here runs as they are: whether the programs accept their
//! commands, and whether their paths and names fit together.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::install;
use crate::TaskResult;
use crate::install::has;
use crate::run::{output, workspace_root};
use crate::script::{build_programs, program};
use crate::step::{Outcome, Part};

const UNIT: &str = "bitmart-collect.service";

/// Prints the YAML of its standard input as JSON.
const YAML_TO_JSON: &str =
    "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";

pub(super) fn parts() -> Vec<Part> {
    let built = build_programs(&["bitmart"]);
    let check = |name: &str, check: fn(&Path) -> Result<(), Outcome>| {
        Part::run(name, || match built.clone() {
            Ok(()) => check(&program("bitmart")).err().unwrap_or(Outcome::Pass),
            Err(error) => Outcome::Fail(error),
        })
    };
    vec![
        check("systemd unit", |program| unit(program).map_err(Outcome::Fail)),
        check("compose file", compose),
        check("nats.conf", |_| nats()),
    ]
}

fn read(name: &str) -> Result<String, String> {
    let path = workspace_root().join("examples/fleet").join(name);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Whether `bitmart` knows these arguments. Those before `--help` are checked, and nothing is done.
fn accepts<'a>(program: &Path, arguments: impl IntoIterator<Item = &'a str>) -> TaskResult {
    output(Command::new(program).args(arguments).arg("--help")).map(drop)
}

fn unit(program: &Path) -> TaskResult {
    let text = read(UNIT)?;
    let value = |key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        value.ok_or_else(|| format!("{UNIT} has no {key}"))
    };
    let mut command = value("ExecStart")?.split_whitespace();
    let executable = command.next().unwrap_or_default();
    accepts(program, command)?;
    // The configuration reads the password where systemd puts it.
    let credential = value("LoadCredential")?.split(':').next().unwrap_or_default();
    let config: toml::Value =
        toml::from_str(&read("collect.toml")?).map_err(|error| error.to_string())?;
    let password = config.get("nats").and_then(|nats| nats.get("password_file")?.as_str());
    if password != Some(&format!("/run/credentials/{UNIT}/{credential}")) {
        return Err(format!("collect.toml reads the password from {password:?}"));
    }
    if has("systemd-analyze") {
        // It requires that the executable exists.
        let text = text.replace(executable, &program.display().to_string());
        let folder = crate::script::scratch()?;
        let copy = folder.join(UNIT);
        fs::write(&copy, text).map_err(|error| format!("{}: {error}", copy.display()))?;
        let verified = Command::new("systemd-analyze").arg("verify").arg(&copy).output();
        let verified = verified.map_err(|error| format!("systemd-analyze: {error}"))?;
        let complaints = String::from_utf8_lossy(&verified.stderr);
        // It also complains of other units of the machine.
        if let Some(complaint) = complaints.lines().find(|line| line.contains(UNIT)) {
            return Err(complaint.to_owned());
        }
    }
    Ok(())
}

fn compose(program: &Path) -> Result<(), Outcome> {
    let file = workspace_root().join("examples/fleet/compose.yaml");
    let text = fs::File::open(&file).map_err(|error| Outcome::Fail(error.to_string()))?;
    let mut reader = Command::new("python3");
    reader.args(["-c", "import yaml"]).stderr(Stdio::null());
    if !reader.status().is_ok_and(|status| status.success()) {
        return Err(Outcome::Skip("python3 has no module `yaml`".to_owned()));
    }
    let json = output(Command::new("python3").args(["-c", YAML_TO_JSON]).stdin(text));
    let file: Value = json
        .and_then(|json| serde_json::from_str(&json).map_err(|error| error.to_string()))
        .map_err(Outcome::Fail)?;
    check_services(&file, |arguments| accepts(program, arguments.iter().copied()))
        .map_err(Outcome::Fail)
}

/// Checks that each collector has arguments that the program accepts, that each configuration is mounted where its
/// command reads it, and that each secret exists.
fn check_services(compose: &Value, accepts: impl Fn(&[&str]) -> TaskResult) -> TaskResult {
    let texts = |value: &'_ Value| -> Vec<String> {
        let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let services = compose["services"].as_object().ok_or("there are no services")?;
    let mut collectors = 0;
    for (name, service) in services {
        let command = texts(&service["command"]);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        if let ["bitmart", arguments @ ..] = &command[..] {
            accepts(arguments).map_err(|error| format!("{name}: {error}"))?;
            collectors += 1;
        }
        let config = command.iter().skip_while(|word| **word != "--config").nth(1);
        let config = config.ok_or_else(|| format!("{name} has no configuration"))?;
        let mounts = texts(&service["volumes"]);
        if !mounts.iter().any(|mount| mount.split(':').nth(1) == Some(config)) {
            return Err(format!("{name}: nothing is mounted at {config}"));
        }
        for secret in texts(&service["secrets"]) {
            if compose["secrets"][&secret].is_null() {
                return Err(format!("{name}: no secret {secret}"));
            }
        }
    }
    if collectors > 0 { Ok(()) } else { Err("no service runs `bitmart`".to_owned()) }
}

fn nats() -> Result<(), Outcome> {
    install(&["nats-server"])?;
    let config = workspace_root().join("examples/fleet/nats.conf");
    let mut server = Command::new("nats-server");
    server.arg("-t").arg("--config").arg(config).stderr(Stdio::null());
    server.env("COLLECTOR_PASSWORD", "c").env("READER_PASSWORD", "r");
    output(&mut server).map(drop).map_err(Outcome::Fail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_compose_file_with_an_unknown_flag_a_missing_mount_or_secret_is_wrong() {
        let accepts = |arguments: &[&str]| {
            let known = ["collect", "--config", "/a.toml"];
            if arguments == known { Ok(()) } else { Err("unknown flag".to_owned()) }
        };
        let good = json!({
            "services": {"c": {
                "command": ["bitmart", "collect", "--config", "/a.toml"],
                "volumes": ["./a.toml:/a.toml:ro"],
                "secrets": ["nats"],
            }},
            "secrets": {"nats": {"file": "./password"}},
        });
        assert_eq!(check_services(&good, accepts), Ok(()));
        for (pointer, wrong, complaint) in [
            ("/services/c/command/1", "colect", "unknown flag"),
            ("/services/c/volumes/0", "./a.toml:/b.toml:ro", "nothing is mounted"),
            ("/services/c/secrets/0", "other", "no secret"),
            ("/services/c/command/0", "nats-server", "no service runs"),
        ] {
            let mut file = good.clone();
            *file.pointer_mut(pointer).expect("a place") = wrong.into();
            let error = check_services(&file, accepts).expect_err(pointer);
            assert!(error.contains(complaint), "{error}");
        }
    }
}
