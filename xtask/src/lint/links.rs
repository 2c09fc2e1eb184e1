//! Relative links of Markdown files lead to files that exist.

use std::path::Path;

use super::Source;
use crate::run::workspace_root;

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let root = workspace_root();
    let pages = sources.iter().filter(|source| source.has_extension("md"));
    pages.flat_map(|page| broken(&root, page)).collect()
}

fn broken(root: &Path, page: &Source) -> Vec<String> {
    let folder = root.join(&page.name);
    let folder = folder.parent().unwrap_or(root);
    let mut faults = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
            let path = target.split('#').next().unwrap_or_default();
            // Paths of Rust items are links in documentation of code.
            let is_other = path.is_empty() || path.contains(':') || path.starts_with('<');
            if !is_other && !folder.join(path).exists() {
                faults.push(format!("{}:{}: {path} does not exist", page.name, index + 1));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_links_to_missing_files_only() {
        let text =
            "[a](lint.rs) [b](missing.rs#x) [c](https://example.com) [d](#here) [`e`](crate::E)";
        let page = Source { name: "xtask/src/page.md".to_owned(), text: text.to_owned() };
        assert_eq!(check(&[page]), ["xtask/src/page.md:1: missing.rs does not exist"]);
    }
}
