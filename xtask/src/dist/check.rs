//! Checks the release files.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::package::{BINSTALL, DEB};
use super::{PROGRAMS, Release, empty_folder, machine_paths, read};
use crate::TaskResult;
use crate::run::{output, run};

/// How often the program is started for the median time.
const STARTS: usize = 11;

/// Files that a Debian package must contain, perhaps compressed with gzip.
const INSTALLED: [&str; 9] = [
    "usr/bin/bitmart",
    "usr/bin/bitmart-sandbox",
    "usr/share/bash-completion/completions/bitmart",
    "usr/share/zsh/vendor-completions/_bitmart",
    "usr/share/fish/vendor_completions.d/bitmart.fish",
    "usr/share/man/man1/bitmart.1",
    "usr/share/man/man1/bitmart-export.1",
    "usr/share/doc/bitmart/copyright",
    "usr/share/doc/bitmart/LICENSE-APACHE",
];

/// Checks that the programs start and contain no path of this machine.
pub(super) fn programs(release: &Release) -> TaskResult {
    for (name, _) in PROGRAMS {
        let path = release.program(name);
        let bytes = read(&path)?;
        for (folder, _) in machine_paths() {
            let text = folder.to_string_lossy().into_owned();
            if let Some(found) = find(&bytes, text.as_bytes()) {
                return Err(format!("{name} contains a path of this machine: {found}"));
            }
        }
        starts(&path)?;
        println!("{name}: {} bytes, --help in {:?}", bytes.len(), median(&path)?);
    }
    Ok(())
}

/// The first occurrence of `wanted` and the text behind it.
fn find(bytes: &[u8], wanted: &[u8]) -> Option<String> {
    let at = bytes.windows(wanted.len().max(1)).position(|window| window == wanted)?;
    let end = bytes.len().min(at + wanted.len() + 80);
    Some(String::from_utf8_lossy(&bytes[at..end]).into_owned())
}

fn starts(program: &Path) -> TaskResult {
    let help = output(Command::new(program).arg("--help"))?;
    if help.contains("Usage:") {
        Ok(())
    } else {
        Err(format!("{}: prints no help", program.display()))
    }
}

/// The median time in which the program prints its help.
fn median(program: &Path) -> Result<Duration, String> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        let begin = Instant::now();
        output(Command::new(program).arg("--help"))?;
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    Ok(times[STARTS / 2])
}

/// Checks that `cargo binstall` finds the programs in the archive, and that those of both packages start.
pub(super) fn packages(release: &Release) -> TaskResult {
    let folder = release.build.join("unpacked");
    empty_folder(&folder)?;
    let archive = release.out.join(format!("{}.tar.gz", release.name()));
    run(Command::new("tar").arg("-xzf").arg(&archive).arg("-C").arg(&folder))?;
    for (name, _) in PROGRAMS {
        let path = BINSTALL
            .replace("{ version }", &release.version)
            .replace("{ target }", &release.target)
            .replace("{ bin }", name)
            .replace("{ binary-ext }", std::env::consts::EXE_SUFFIX);
        starts(&folder.join(path))?;
    }
    let Some(package) = debian(release)? else { return Ok(()) };
    let root = release.build.join("root");
    empty_folder(&root)?;
    run(Command::new("dpkg-deb").arg("-x").arg(package).arg(&root))?;
    for path in INSTALLED {
        if !root.join(path).is_file() && !root.join(format!("{path}.gz")).is_file() {
            return Err(format!("the Debian package lacks {path}"));
        }
    }
    starts(&root.join("usr/bin/bitmart"))?;
    starts(&root.join("usr/bin/bitmart-sandbox"))
}

fn debian(release: &Release) -> Result<Option<PathBuf>, String> {
    let files = super::files(&release.out)?;
    let package = files.into_iter().find(|(name, _)| name.ends_with(DEB));
    Ok(package.map(|(name, _)| release.out.join(name)))
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::dist::package::{self, BINSTALL};

    #[test]
    fn finds_a_path_in_a_program() {
        let bytes = b"\x7fELF\0panicked at /some/where/src/main.rs\0";
        assert!(find(bytes, b"/some/where").is_some_and(|text| text.contains("src/main.rs")));
        assert_eq!(find(bytes, b"/else/where"), None);
    }

    #[test]
    fn binstall_metadata_matches_the_archive() {
        let path = package::binstall().expect("the manifest");
        assert_eq!(path, BINSTALL);
    }
}
