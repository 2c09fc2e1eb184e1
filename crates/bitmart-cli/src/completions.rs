//! Version, shell completions and man pages.
//!
//! The script of a shell runs the program with the name of the shell in `COMPLETE`, and the program prints the
//! candidates. It sends no request for them.

mod candidates;

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::env::{CompleteEnv, Shells};

use crate::failure::Failure;
use crate::output;

/// The variable that completion scripts set.
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
        .about("Print a completion script for a shell")
        .after_help(
            "For bash, in ~/.bashrc:    source <(bitmart completions bash)\n\
             For zsh, in ~/.zshrc:      source <(bitmart completions zsh)\n\
             For fish, once:            bitmart completions fish > ~/.config/fish/completions/bitmart.fish\n\
             Renew a script that is stored in a file after an update of the program.",
        )
        .arg(
            Arg::new("shell")
                .required(true)
                .value_name("SHELL")
                .value_parser(["bash", "zsh", "fish", "powershell", "elvish"])
                .help("The shell"),
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
        .map_err(|error| Failure::io(format!("{name}: {error}")))?;
    output::write(&text)
}

/// Prints candidates and exits if a completion script runs the program. A variable of that name with another
/// meaning is ignored.
pub(crate) fn complete_if_requested() {
    let is_shell = |shell: &Path| {
        let name = shell.file_stem().map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| Shells::builtins().completer(&name).is_some())
    };
    if std::env::var_os(VARIABLE).is_some_and(|shell| is_shell(Path::new(&shell))) {
        CompleteEnv::with_factory(|| candidates::add_to(crate::command())).var(VARIABLE).complete();
    }
}

pub(crate) fn man() -> Command {
    Command::new("man").about("Write a man page for each command").arg(
        Arg::new("folder")
            .required(true)
            .value_name("DIR")
            .value_parser(value_parser!(PathBuf))
            .help("The folder, such as ~/.local/share/man/man1"),
    )
}

pub(crate) fn write_man(matches: &ArgMatches) -> Result<(), Failure> {
    let folder = matches.get_one::<PathBuf>("folder").map_or(Path::new("."), PathBuf::as_path);
    let failed = |error: std::io::Error| Failure::io(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(crate::command(), folder).map_err(failed)
}
