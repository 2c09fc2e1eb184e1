//! What every command gets: the options that hold for all of them.

use std::time::Duration;

use bitmart::net::Connector;
use bitmart::sandbox::Sandbox;
use clap::{Arg, ArgAction, ArgMatches};
use tokio::sync::OnceCell;

use crate::failure::{Failure, chain};
use crate::output::{Format, View};
use crate::target::Target;

/// How the option `--timeout` is called inside of the program.
const TIME_LIMIT: &str = "time-limit";

/// The global options, read.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) format: Format,
    pub(crate) view: View,
    pub(crate) yes: bool,
    pub(crate) dry_run: bool,
    environment: Option<String>,
    profile: Option<String>,
    proxy: Option<String>,
    pub(crate) timeout: Duration,
    /// The sandbox that runs in this process, if one has to.
    sandbox: OnceCell<Sandbox>,
}

impl Context {
    /// The options, for the top command.
    pub(crate) fn arguments() -> impl Iterator<Item = Arg> {
        let global = |name: &'static str| {
            Arg::new(name).long(name).global(true).help_heading("Options of all commands")
        };
        let arguments = [
            global("output")
                .short('o')
                .value_parser(Format::NAMES)
                .ignore_case(true)
                .hide_possible_values(true)
                .value_name("table|json|ndjson|csv|raw")
                .help("Form of the output [default: table on a terminal, ndjson elsewhere]"),
            global("env").value_name("sandbox|live|demo|URL|FILE").help(
                "Where to: the exchange, its futures demo, the sandbox, URLs of spot and futures host \
                 with a comma between, or the file with a sandbox's ready line [default: what \
                 BITMART_ENVIRONMENT names, else live if there are keys, else the sandbox]",
            ),
            global("profile").value_name("NAME").help(
                "Keys of this profile of ~/.bitmart/config.toml [default: BITMART_API_KEY, _SECRET and \
                 _MEMO of the environment, else the profile `default`]",
            ),
            // Not the name of its own: `cancel-all-after` has a parameter that is called so.
            global("timeout")
                .id(TIME_LIMIT)
                .value_name("SECONDS")
                .value_parser(clap::value_parser!(u64).range(1..=600))
                .default_value("10")
                .help("How long one answer may take"),
            global("proxy").value_name("URL").help(
                "Reach hosts through this proxy: http, https, socks5 or socks5h, without user name and \
                 password [default: HTTPS_PROXY or ALL_PROXY, except for hosts of NO_PROXY]",
            ),
            global("yes").short('y').action(ArgAction::SetTrue).help("Do not ask before sending"),
            global("dry-run")
                .action(ArgAction::SetTrue)
                .help("Show the signed request and a pipe that sends it with curl; send nothing"),
        ];
        let of_view = View::arguments().into_iter();
        let heading = "Options of all commands";
        arguments.into_iter().chain(of_view.map(move |one| one.global(true).help_heading(heading)))
    }

    pub(crate) fn new(matches: &ArgMatches) -> Result<Self, Failure> {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        let format = text("output")
            .and_then(|name| Format::named(&name.to_ascii_lowercase()))
            .unwrap_or_else(Format::automatic);
        Ok(Self {
            format,
            view: View::new(format, matches)?,
            yes: matches.get_flag("yes"),
            dry_run: matches.get_flag("dry-run"),
            environment: text("env"),
            profile: text("profile"),
            proxy: text("proxy"),
            timeout: Duration::from_secs(*matches.get_one::<u64>(TIME_LIMIT).unwrap_or(&10)),
            sandbox: OnceCell::new(),
        })
    }

    /// What `--env` says.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// What `--profile` says.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The words that name the same environment and key to another command.
    pub(crate) fn words(&self) -> Vec<&str> {
        let proxy = ("--proxy", self.proxy.as_deref());
        let options = [("--env", self.environment()), ("--profile", self.profile()), proxy];
        let given = options.into_iter().filter_map(|(name, value)| Some([name, value?]));
        given.flatten().collect()
    }

    /// Where requests go, and with which key.
    pub(crate) async fn target(&self) -> Result<Target, Failure> {
        self.target_of(self.profile()).await
    }

    /// The same with the key of this profile.
    pub(crate) async fn target_of(&self, profile: Option<&str>) -> Result<Target, Failure> {
        let connector = self.connector()?;
        let mut target =
            Target::find(self.environment(), profile, self.timeout, &self.sandbox).await?;
        target.connector = connector;
        Ok(target)
    }

    /// How hosts are reached: as `--proxy` or the environment says.
    fn connector(&self) -> Result<Connector, Failure> {
        let connector = match &self.proxy {
            // The arguments of a program are there to read for everyone on the machine.
            Some(address) if address.contains('@') => {
                return Err(Failure::usage(
                    "--proxy takes no user name and password: name the proxy in ALL_PROXY",
                ));
            }
            Some(address) => Connector::builder().proxy(address).build(),
            None => Connector::from_env(),
        };
        connector.map_err(|error| Failure::usage(chain(&error)))
    }

    /// Whether the sandbox of this command ends with it.
    pub(crate) fn is_in_process(&self) -> bool {
        self.sandbox.initialized()
    }

    /// Ends the sandbox of this process, which writes its state down.
    pub(crate) async fn close(self) {
        if let Some(sandbox) = self.sandbox.into_inner() {
            sandbox.shutdown().await;
        }
    }
}
