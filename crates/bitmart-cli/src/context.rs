//! The options of all commands.

use std::time::Duration;

use bitmart::net::Connector;
use clap::{Arg, ArgAction, ArgMatches};

use crate::failure::{Failure, chain};
use crate::output::{Format, OutputOptions};
use crate::sandbox::InProcess;
use crate::target::Target;

/// The argument id of `--timeout`. `cancel-all-after` has a parameter named `timeout`.
const TIMEOUT: &str = "time-limit";
const HEADING: &str = "Options of all commands";

/// The parsed global options.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: OutputOptions,
    pub(crate) yes: bool,
    pub(crate) dry_run: bool,
    environment: Option<String>,
    profile: Option<String>,
    proxy: Option<String>,
    pub(crate) timeout: Duration,
    /// The sandbox in this process, once a command needs it.
    sandbox: InProcess,
}

impl Context {
    /// The options of the top command.
    pub(crate) fn arguments() -> impl Iterator<Item = Arg> {
        let option = |name: &'static str| Arg::new(name).long(name);
        let arguments = [
            option("env").value_name("sandbox|live|demo|URL|FILE").help(
                "Environment: the exchange (live), its futures demo, the sandbox, the URLs of the spot \
                 and futures hosts separated by a comma, or a file with the ready line of a sandbox \
                 [default: BITMART_ENVIRONMENT, else live if there is a key, else the sandbox]",
            ),
            option("profile").value_name("NAME").help(
                "Use the key of this profile in ~/.bitmart/config.toml [default: BITMART_API_KEY, _SECRET \
                 and _MEMO from the environment, else the profile `default`]",
            ),
            option("timeout")
                .id(TIMEOUT)
                .value_name("SECONDS")
                .value_parser(clap::value_parser!(u64).range(1..=600))
                .default_value("10")
                .help("Timeout of a request"),
            option("proxy").value_name("URL").help(
                "Connect through this proxy: http, https, socks5 or socks5h, without user name and \
                 password [default: HTTPS_PROXY or ALL_PROXY, except for hosts in NO_PROXY]",
            ),
            option("yes").short('y').action(ArgAction::SetTrue).help("Send without asking"),
            option("dry-run").action(ArgAction::SetTrue).help(
                "Print the signed request and a pipe that sends it with curl, and do not send it",
            ),
        ];
        let all = OutputOptions::arguments().into_iter().chain(arguments);
        all.map(|argument| argument.global(true).help_heading(HEADING))
    }

    pub(crate) fn new(matches: &ArgMatches) -> Result<Self, Failure> {
        let text = |name: &str| matches.get_one::<String>(name).cloned();
        Ok(Self {
            output: OutputOptions::from_matches(matches)?,
            yes: matches.get_flag("yes"),
            dry_run: matches.get_flag("dry-run"),
            environment: text("env"),
            profile: text("profile"),
            proxy: text("proxy"),
            timeout: Duration::from_secs(*matches.get_one::<u64>(TIMEOUT).unwrap_or(&10)),
            sandbox: InProcess::default(),
        })
    }

    pub(crate) fn format(&self) -> Format {
        self.output.format
    }

    /// The value of `--env`.
    pub(crate) fn environment(&self) -> Option<&str> {
        self.environment.as_deref()
    }

    /// The value of `--profile`.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// The given options that select environment, key and proxy, for the command line of another command.
    pub(crate) fn target_options(&self) -> Vec<&str> {
        let proxy = ("--proxy", self.proxy.as_deref());
        let options = [("--env", self.environment()), ("--profile", self.profile()), proxy];
        let given = options.into_iter().filter_map(|(name, value)| Some([name, value?]));
        given.flatten().collect()
    }

    /// The environment and key that the options select.
    pub(crate) async fn target(&self) -> Result<Target, Failure> {
        self.target_with_profile(self.profile()).await
    }

    /// The selected environment with the key of this profile.
    pub(crate) async fn target_with_profile(
        &self,
        profile: Option<&str>,
    ) -> Result<Target, Failure> {
        let connector = self.connector()?;
        let mut target =
            Target::find(self.environment(), profile, self.timeout, &self.sandbox).await?;
        target.connector = connector;
        Ok(target)
    }

    fn connector(&self) -> Result<Connector, Failure> {
        let connector = match &self.proxy {
            // Other users of the machine can read the arguments of a process.
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

    /// Whether this command runs a sandbox of its own.
    pub(crate) fn is_in_process(&self) -> bool {
        self.sandbox.is_running()
    }

    /// Stops the sandbox of this process, which saves its state.
    pub(crate) async fn close(self) {
        self.sandbox.shutdown().await;
    }
}
