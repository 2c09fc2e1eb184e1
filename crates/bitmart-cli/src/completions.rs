//! What the program tells of itself: its version, completions for shells, man pages.
//!
//! A shell's script is small: it asks the program, with the name of the shell in `COMPLETE`, and the program
//! answers with what may follow. It then asks nobody else: neither the exchange nor a sandbox.

mod candidates;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::env::{CompleteEnv, Shells};

use crate::failure::Failure;
use crate::output;

/// The variable with which a script asks.
const VARIABLE: &str = "COMPLETE";

/// The version and what it was built from and for.
pub(crate) const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit: ",
    env!("BITMART_COMMIT"),
    "\ntarget: ",
    env!("BITMART_TARGET"),
    "\ncompiler: ",
    env!("BITMART_RUSTC"),
);

pub(crate) fn command() -> Command {
    Command::new("completions")
        .about("Completions for a shell: a small script that asks this program")
        .after_help(
            "For bash, in ~/.bashrc:    source <(bitmart completions bash)\n\
             For zsh, in ~/.zshrc:      source <(bitmart completions zsh)\n\
             For fish, once:            bitmart completions fish > ~/.config/fish/completions/bitmart.fish\n\
             A script that is kept in a file is made anew after an update of the program.",
        )
        .arg(
            Arg::new("shell")
                .required(true)
                .value_name("SHELL")
                .value_parser(["bash", "zsh", "fish", "powershell", "elvish"])
                .help("Of which shell"),
        )
}

pub(crate) fn run(matches: &ArgMatches) -> Result<(), Failure> {
    let name = matches.get_one::<String>("shell").map_or("", String::as_str);
    let shells = Shells::builtins();
    let shell = shells
        .completer(name)
        .ok_or_else(|| Failure::usage(format!("there are no completions for {name}")))?;
    let mut text = Vec::new();
    shell
        .write_registration(VARIABLE, "bitmart", "bitmart", "bitmart", &mut text)
        .map_err(|error| Failure::machine(format!("{name}: {error}")))?;
    output::write(&text)
}

/// Answers a script of a shell and ends the program, if one asks. A variable of that name with another meaning
/// is left alone.
pub(crate) fn answer() {
    let asks = |shell: &Path| {
        let name = shell.file_stem().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| Shells::builtins().completer(&name).is_some())
    };
    if std::env::var_os(VARIABLE).is_some_and(|shell| asks(Path::new(&shell))) {
        CompleteEnv::with_factory(|| candidates::added(crate::command())).var(VARIABLE).complete();
    }
}

pub(crate) fn man() -> Command {
    Command::new("man").about("Write man pages, one for each command").arg(
        Arg::new("folder")
            .required(true)
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .help("Where to, such as ~/.local/share/man/man1"),
    )
}

pub(crate) fn write_man(matches: &ArgMatches) -> Result<(), Failure> {
    let folder = matches.get_one::<PathBuf>("folder").map_or(Path::new("."), PathBuf::as_path);
    let failed = |error: std::io::Error| Failure::machine(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(crate::command(), folder).map_err(failed)
}
