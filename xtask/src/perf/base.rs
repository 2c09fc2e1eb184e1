//! Another revision, built and counted on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::count::{self, Counts};
use crate::run::{cargo, output, run, workspace_root};

/// Below `target`: the work tree, and what is built from it.
const FOLDER: &str = "target/perf";

fn git() -> Command {
    let mut command = Command::new("git");
    command.current_dir(workspace_root());
    command
}

fn parsed(revision: &str) -> Result<String, String> {
    let mut command = git();
    command.args(["rev-parse", "--verify", "--quiet"]).arg(format!("{revision}^{{commit}}"));
    Ok(output(&mut command)?.trim().to_owned())
}

/// Where this branch left `main`; on `main` itself the commit before, or the last one if there are changes.
pub(super) fn default_revision() -> Result<String, String> {
    let head = parsed("HEAD")?;
    let branch = ["origin/main", "main"].iter().find_map(|name| parsed(name).ok());
    let base = match branch {
        Some(branch) => output(git().args(["merge-base", &head, &branch]))?.trim().to_owned(),
        None => head.clone(),
    };
    if base != head {
        return Ok(base);
    }
    let changes = output(git().args(["status", "--porcelain", "--untracked-files=no"]))?;
    if changes.trim().is_empty() { parsed("HEAD~1") } else { Ok(head) }
}

/// Counts the hot paths of a revision; none if it has none.
pub(super) fn count(revision: &str) -> Result<Option<Counts>, String> {
    let folder = workspace_root().join(FOLDER);
    let tree = WorkTree::checkout(&folder.join("base"), &parsed(revision)?)?;
    if !tree.0.join("xtask/measure/Cargo.toml").exists() {
        return Ok(None);
    }
    let target = folder.join("target");
    let mut build = cargo();
    build.current_dir(&tree.0).env("CARGO_TARGET_DIR", &target);
    run(build.args(["build", "--quiet", "--release", "--package", "measure"]))?;
    count::all(&target.join("release/measure")).map(Some)
}

/// A work tree that is removed when it is dropped.
struct WorkTree(PathBuf);

impl WorkTree {
    fn checkout(path: &Path, commit: &str) -> Result<Self, String> {
        // What an interrupted run left.
        remove(path);
        run(git().args(["worktree", "add", "--quiet", "--detach"]).arg(path).arg(commit))?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for WorkTree {
    fn drop(&mut self) {
        remove(&self.0);
    }
}

fn remove(path: &Path) {
    // Fails if there is none; that is ignored.
    let _ = git().args(["worktree", "remove", "--force"]).arg(path).output();
}
