//! What the program tells of itself: its version, completions for shells, man pages.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::failure::Failure;
use crate::output;

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
        .about("Completions for a shell")
        .after_help(
            "For example: bitmart completions bash > ~/.local/share/bash-completion/completions/bitmart",
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
    let shell: Shell = name.parse().map_err(Failure::usage)?;
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut crate::command(), "bitmart", &mut text);
    output::write(&text)
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
