//! What the archive is of, what it lacks, and its files.

use super::page::{Banner, Column, Kind, Page, Section, Table};
use super::totals::second;
use super::{Read, plain};
use crate::export::Listed;

/// What is on the page before its sections.
pub(super) fn page(read: &Read<'_>) -> Page {
    let Read { archive, examined, zone, now, .. } = read;
    let account = if examined.account.is_empty() { "unknown" } else { &examined.account };
    let play = if archive.is_play_money() { "PLAY MONEY: " } else { "" };
    let facts = vec![
        ("Account (its key, mostly hidden)", account.to_owned()),
        ("Source", examined.source.clone()),
        ("Span and age", examined.age.clone()),
        ("Movements of money", format!("{} entries{}", read.totals.entries, entries(read))),
        ("Days and months", format!("of the time zone {}", zone.name())),
        ("Page made", format!("{} by bitmart {}", second(zone, *now), env!("CARGO_PKG_VERSION"))),
        ("Archive written", format!("by {}, run {}", examined.program, examined.run)),
        ("SHA-256 of manifest.json", examined.manifest_sha256.clone()),
    ];
    Page {
        title: format!("{play}BitMart account {account}: report"),
        banners: banners(read),
        facts,
        sections: Vec::new(),
        footer: "Made from the archive alone: no price was looked up and none was invented. \
                 Amounts are those of the exchange, to the last digit; what a plot shows stands in \
                 a table beside it."
            .to_owned(),
    }
}

fn entries(read: &Read<'_>) -> String {
    let zone = &read.zone;
    let span = read
        .totals
        .span
        .map(|(first, last)| format!(", from {} to {}", second(zone, first), second(zone, last)));
    span.unwrap_or_default()
}

fn lacking<'a>(read: &'a Read<'_>) -> impl Iterator<Item = (&'a Listed, &'a str)> {
    read.examined.lists.iter().filter_map(|list| Some((list, list.lacks.as_deref()?)))
}

fn banners(read: &Read<'_>) -> Vec<Banner> {
    let Read { archive, examined, .. } = read;
    let mut banners = Vec::new();
    let mut say = |kind, text: String| banners.push(Banner { kind, text });
    if archive.is_play_money() {
        let text =
            "PLAY MONEY: this archive is of a sandbox. Nothing in it was ever worth anything.";
        say(Kind::Play, text.to_owned());
    }
    let lists = examined.lists.len();
    let lacking = lacking(read).count();
    if lacking > 0 {
        say(
            Kind::Bad,
            format!("Not complete: {lacking} of {lists} lists lack something, see below."),
        );
    }
    if !examined.behind.is_empty() {
        let behind = examined.behind.len();
        say(
            Kind::Bad,
            format!("Not complete: {behind} of {lists} lists end before the others, see below."),
        );
    }
    if archive.is_stale(read.now) {
        let (_, end) = archive.span();
        say(
            Kind::Bad,
            format!(
                "Stale: the archive ends at {}, more than a day before this page was made.",
                second(&read.zone, end)
            ),
        );
    }
    if !examined.faults.is_empty() {
        let text = "Not verified: files of the archive are not as they were written, see below. Do \
                    not rely on the amounts of this page.";
        say(Kind::Bad, text.to_owned());
    }
    if !read.problems.is_empty() {
        let text = "Some rows are in no sum, each with its reason: see Balances against movements.";
        say(Kind::Note, text.to_owned());
    }
    if lacking == 0 && examined.behind.is_empty() && examined.faults.is_empty() {
        say(
            Kind::Good,
            format!(
                "Complete and verified: all {lists} lists were read to their end, every file has \
                 the hash of the manifest, and the rows are those of the responses of the \
                 exchange. What no list tells is named below."
            ),
        );
    }
    banners
}

/// What a person at a terminal is told as well.
pub(super) fn warnings(read: &Read<'_>) -> Vec<String> {
    banners(read)
        .into_iter()
        .filter(|one| one.kind != Kind::Good && one.kind != Kind::Note)
        .map(|one| one.text)
        .collect()
}

/// What is missing, in the words of the manifest.
pub(super) fn completeness(read: &Read<'_>) -> Section {
    let Read { archive, examined, .. } = read;
    let mut section = Section::new("completeness", "Completeness");
    let columns = vec![Column::text("List"), Column::sentence("What it lacks")];
    let mut table = Table::new("lacking", "Lists that are not complete", columns);
    for (list, why) in lacking(read) {
        table.row(vec![list.file.clone(), why.to_owned()]);
    }
    for (name, end) in &examined.behind {
        let end = second(&read.zone, *end);
        table.row(vec![format!("{name}.jsonl"), format!("covers only up to {end}")]);
    }
    if table.rows.is_empty() {
        section.text("No list of the archive lacks anything that the exchange would have given.");
    }
    section.table(table);
    if !examined.faults.is_empty() {
        section.heading("Files that are not as they were written");
        section.list(examined.faults.clone());
    }
    if !examined.foreign.is_empty() {
        section.heading("Files in the folder that are no part of the archive");
        section.list(examined.foreign.clone());
    }
    let columns = vec![Column::text("List"), Column::sentence("What the exchange said")];
    let mut table = Table::new("not-for-account", "Lists that are not for this account", columns);
    for list in &examined.lists {
        if let Some(said) = &list.not_for_account {
            table.row(vec![list.file.clone(), said.clone()]);
        }
    }
    section.table(table.folded());
    section.heading("What no list of the exchange tells");
    section.list(archive.left_out().to_vec());
    if !examined.notes.is_empty() {
        section.heading("Notes of the export");
        section.list(examined.notes.clone());
    }
    section
}

/// Every file with its hash.
pub(super) fn files(read: &Read<'_>) -> Section {
    let mut section = Section::new("files", "Files and hashes");
    section.text(
        "As manifest.json tells them; the command bitmart verify DIR checks them again. Times are \
         UTC. Rows that came late were asked for again and found; rows that were replaced are kept \
         below versions/.",
    );
    let columns = vec![
        Column::text("File"),
        Column::sentence("What it holds"),
        Column::number("Rows"),
        Column::text("First"),
        Column::text("Last"),
        Column::text("Complete"),
        Column::number("Late"),
        Column::number("Replaced"),
        Column::code("SHA-256"),
    ];
    let mut table = Table::new("lists", "Lists of the archive", columns);
    for list in &read.examined.lists {
        table.row(vec![
            list.file.clone(),
            list.title.clone(),
            list.rows.to_string(),
            list.first.clone(),
            list.last.clone(),
            if list.lacks.is_none() { "yes" } else { "no" }.to_owned(),
            plain(list.late.into()),
            plain(list.replaced.into()),
            list.sha256.clone(),
        ]);
    }
    section.table(table.folded());
    section
}
