//! Links of Markdown files to files of this repository lead to files that exist.

use std::path::Path;

use super::Source;
use crate::run::workspace_root;

/// How addresses of files and folders in this repository begin.
const ADDRESSES: [&str; 2] = [
    "https://github.com/bitmart-rs/bitmart/blob/main/",
    "https://github.com/bitmart-rs/bitmart/tree/main/",
];

pub(super) fn check(sources: &[Source]) -> Vec<String> {
    let root = workspace_root();
    let pages = sources.iter().filter(|source| source.has_extension("md"));
    pages.flat_map(|page| broken(&root, page)).collect()
}

fn broken(root: &Path, page: &Source) -> Vec<String> {
    let mut faults = Vec::new();
    for (index, line) in page.text.lines().enumerate() {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
            let target = target.split('#').next().unwrap_or_default();
            if let Some(fault) = fault(root, &root.join(&page.name), target) {
                faults.push(format!("{}:{}: {target} {fault}", page.name, index + 1));
            }
        }
    }
    faults
}

fn fault(root: &Path, page: &Path, target: &str) -> Option<String> {
    const MISSING: &str = "does not exist";
    if let Some(path) = ADDRESSES.iter().find_map(|address| target.strip_prefix(address)) {
        return (!root.join(path).exists()).then(|| MISSING.to_owned());
    }
    // Paths of Rust items are links in documentation of code.
    if target.is_empty() || target.contains(':') || target.starts_with('<') {
        return None;
    }
    // rustdoc shows the page of a symbolic link too. There, only an address leads to a file.
    if page.is_symlink() {
        return Some(format!(
            "is relative, but a symbolic link shows it elsewhere: write {}…",
            ADDRESSES[0]
        ));
    }
    let folder = page.parent().unwrap_or(root);
    (!folder.join(target).exists()).then(|| MISSING.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: &str, text: &str) -> Source {
        Source { name: name.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn reports_links_to_missing_files_only() {
        let text =
            "[a](lint.rs) [b](missing.rs#x) [c](https://example.com) [d](#here) [`e`](crate::E)";
        let page = page("xtask/src/page.md", text);
        assert_eq!(check(&[page]), ["xtask/src/page.md:1: missing.rs does not exist"]);
    }

    #[test]
    fn reports_addresses_of_missing_files_of_the_repository() {
        let [file, folder] = ADDRESSES;
        let text = format!("[a]({file}docs/channels.md#x) [b]({folder}docs) [c]({file}missing.md)");
        let page = page("docs/page.md", &text);
        assert_eq!(check(&[page]), [format!("docs/page.md:1: {file}missing.md does not exist")]);
    }

    /// A checkout on Windows may lack symbolic links.
    #[cfg(unix)]
    #[test]
    fn a_page_of_a_symbolic_link_links_to_files_by_address() {
        let text = format!("[a](channels.md) [b]({}docs/channels.md)", ADDRESSES[0]);
        let pages = ["docs/streams.md", "crates/bitmart/docs/streams.md"];
        let faults = check(&pages.map(|name| page(name, &text)));
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].starts_with("crates/bitmart/docs/streams.md:1: channels.md is relative"));
    }
}
