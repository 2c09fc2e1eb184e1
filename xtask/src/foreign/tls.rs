//! Clients in other languages over TLS: each trusts the sandbox's root as docs/coming-from.md describes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{PHP_CURL, SCRIPTS, TIMEOUT, missing};
use crate::run::workspace_root;
use crate::script::run_script;
use crate::step::{Outcome, Part};

/// A language, the programs that it needs, and the command that starts it. `$BITMART_ROOT` is the root certificate.
const LANGUAGES: [(&str, &[&str], &str); 4] = [
    // The script passes the file as --cacert.
    ("curl", &["curl", "openssl"], "bash order.sh"),
    ("ruby", &["ruby"], r#"SSL_CERT_FILE="$BITMART_ROOT" ruby order.rb"#),
    ("php", &["php", PHP_CURL], r#"php -d curl.cainfo="$BITMART_ROOT" order.php"#),
    (
        "java",
        &["javac", "keytool"],
        r#"store="$BITMART_ROOT.p12"; rm -f "$store"
        keytool -importcert -noprompt -alias sandbox -file "$BITMART_ROOT" -keystore "$store" -storepass sandbox &&
        java -Djavax.net.ssl.trustStore="$store" -Djavax.net.ssl.trustStorePassword=sandbox Order.java"#,
    ),
];

/// Runs them one after the other. `programs` are the built `order.go` and `order.cpp`.
pub(super) fn parts(
    python: Result<&PathBuf, &String>,
    modules: Result<&PathBuf, &String>,
    programs: &[(&str, Result<PathBuf, Outcome>)],
) -> Vec<Part> {
    let languages = LANGUAGES.map(|(language, needs, start)| {
        Part::run(&format!("tls-{language}"), || match missing(needs) {
            Some(why) => Outcome::Skip(why),
            None => over_tls(language, start, None),
        })
    });
    let built = programs.iter().map(|(language, program)| {
        Part::run(&format!("tls-{language}"), || match program {
            // The C++ program passes $BITMART_ROOT as CURLOPT_CAINFO.
            Ok(program) => over_tls(
                language,
                r#"SSL_CERT_FILE="$BITMART_ROOT" "$PROGRAM""#,
                Some(("PROGRAM", program)),
            ),
            Err(outcome) => outcome.clone(),
        })
    });
    let python = Part::run("tls-python", || match python {
        Ok(python) => over_tls(
            "python",
            r#"REQUESTS_CA_BUNDLE="$BITMART_ROOT" SSL_CERT_FILE="$BITMART_ROOT" "$PYTHON" tls.py"#,
            Some(("PYTHON", python)),
        ),
        Err(why) => Outcome::Skip(why.clone()),
    });
    let node = Part::run("tls-node", || match modules {
        Ok(modules) => over_tls(
            "node",
            r#"NODE_EXTRA_CA_CERTS="$BITMART_ROOT" node tls.js"#,
            Some(("NODE_PATH", modules)),
        ),
        Err(why) => Outcome::Skip(why.clone()),
    });
    languages.into_iter().chain(built).chain([python, node]).collect()
}

fn over_tls(language: &str, start: &str, variable: Option<(&str, &Path)>) -> Outcome {
    if let Some(why) = missing(&["bash"]) {
        return Outcome::Skip(why);
    }
    let mut command = Command::new("bash");
    command.arg("-c").arg(start).current_dir(workspace_root().join(SCRIPTS)).envs(variable);
    run_script(&format!("tls-{language}"), &["--tls"], TIMEOUT, &mut command)
}
