//! The top of the page, the completeness of the archive, and its files.

use super::page::{Banner, Column, Kind, Page, Section, Table};
use super::totals::second;
use super::{ReportData, plain};
use crate::export::DatasetInspection;

/// The page without its sections.
pub(super) fn page(data: &ReportData<'_>) -> Page {
    let ReportData { archive, inspection, zone, now, .. } = data;
    let account = if inspection.account.is_empty() { "unknown" } else { &inspection.account };
    let play = if archive.is_play_money() { "PLAY MONEY: " } else { "" };
    let facts = vec![
        ("Account (its key, mostly hidden)", account.to_owned()),
        ("Source", inspection.source.clone()),
        ("Span and age", inspection.span_and_age.clone()),
        ("Movements of money", format!("{} entries{}", data.totals.entries, entries(data))),
        ("Days and months", format!("of the time zone {}", zone.name())),
        ("Page made", format!("{} by bitmart {}", second(zone, *now), env!("CARGO_PKG_VERSION"))),
        ("Archive written", format!("by {}, run {}", inspection.program, inspection.run)),
        ("SHA-256 of manifest.json", inspection.manifest_sha256.clone()),
    ];
    Page {
        title: format!("{play}BitMart account {account}: report"),
        banners: banners(data),
        facts,
        sections: Vec::new(),
        footer: "Made from the archive alone: no price was looked up and none was invented. \
                 Amounts are those of the exchange, to the last digit; every plot has a table with \
                 its numbers."
            .to_owned(),
    }
}

fn entries(data: &ReportData<'_>) -> String {
    let zone = &data.zone;
    let span = data
        .totals
        .span
        .map(|(first, last)| format!(", from {} to {}", second(zone, first), second(zone, last)));
    span.unwrap_or_default()
}

fn lacking<'a>(data: &'a ReportData<'_>) -> impl Iterator<Item = (&'a DatasetInspection, &'a str)> {
    data.inspection.datasets.iter().filter_map(|list| Some((list, list.lacks.as_deref()?)))
}

fn banners(data: &ReportData<'_>) -> Vec<Banner> {
    let ReportData { archive, inspection, .. } = data;
    let mut banners = Vec::new();
    let mut add = |kind, text: String| banners.push(Banner { kind, text });
    if archive.is_play_money() {
        let text =
            "PLAY MONEY: this archive is of a sandbox. Nothing in it was ever worth anything.";
        add(Kind::Play, text.to_owned());
    }
    let lists = inspection.datasets.len();
    let lacking = lacking(data).count();
    if lacking > 0 {
        add(
            Kind::Bad,
            format!("Not complete: {lacking} of {lists} lists lack something, see below."),
        );
    }
    if !inspection.behind.is_empty() {
        let behind = inspection.behind.len();
        add(
            Kind::Bad,
            format!("Not complete: {behind} of {lists} lists end before the others, see below."),
        );
    }
    let later = inspection.datasets.iter().filter(|list| list.rejected_later.is_some()).count();
    if later > 0 {
        let text = format!(
            "Not current: the exchange rejected {later} of {lists} lists in the newest run. What \
             earlier runs read of them is here."
        );
        add(Kind::Bad, text);
    }
    if archive.is_stale(data.now) {
        let (_, end) = archive.span();
        add(
            Kind::Bad,
            format!(
                "Stale: the archive ends at {}, more than a day before this page was made.",
                second(&data.zone, end)
            ),
        );
    }
    if !inspection.faults.is_empty() {
        let text = "Not verified: files of the archive are not as they were written, see below. Do \
                    not rely on the amounts of this page.";
        add(Kind::Bad, text.to_owned());
    }
    if !data.problems.is_empty() {
        let text = "Some rows are in no sum or lack a part, each with its reason: see Balances against \
                    movements.";
        add(Kind::Note, text.to_owned());
    }
    if lacking + later == 0 && inspection.behind.is_empty() && inspection.faults.is_empty() {
        add(
            Kind::Good,
            format!(
                "Complete and verified: all {lists} lists were read to their end, every file has \
                 the hash of the manifest, and the rows are those of the responses of the \
                 exchange. Data that is in no list is named below."
            ),
        );
    }
    banners
}

/// The banners that are also printed on the terminal.
pub(super) fn warnings(data: &ReportData<'_>) -> Vec<String> {
    banners(data)
        .into_iter()
        .filter(|one| one.kind != Kind::Good && one.kind != Kind::Note)
        .map(|one| one.text)
        .collect()
}

/// Lists what the manifest reports as missing.
pub(super) fn completeness(data: &ReportData<'_>) -> Section {
    let ReportData { archive, inspection, .. } = data;
    let mut section = Section::new("completeness", "Completeness");
    let columns = vec![Column::text("List"), Column::sentence("What it lacks")];
    let mut table = Table::new("lacking", "Lists that are not complete", columns);
    for (list, why) in lacking(data) {
        table.row(vec![list.file.clone(), why.to_owned()]);
    }
    for (name, end) in &inspection.behind {
        let end = second(&data.zone, *end);
        table.row(vec![format!("{name}.jsonl"), format!("covers only up to {end}")]);
    }
    if table.rows.is_empty() {
        section.text("No list of the archive lacks anything that the exchange would have given.");
    }
    section.table(table);
    if !inspection.faults.is_empty() {
        section.heading("Files that are not as they were written");
        section.list(inspection.faults.clone());
    }
    if !inspection.foreign.is_empty() {
        section.heading("Files in the folder that are no part of the archive");
        section.list(inspection.foreign.clone());
    }
    let columns = vec![Column::text("List"), Column::sentence("What the exchange said")];
    let mut table = Table::new("not-for-account", "Lists that are not for this account", columns);
    for list in &inspection.datasets {
        if let Some(said) = &list.not_for_account {
            table.row(vec![list.file.clone(), said.clone()]);
        }
    }
    section.table(table.folded());
    section.heading("Data that no list of the exchange contains");
    section.list(archive.left_out().to_vec());
    if !inspection.notes.is_empty() {
        section.heading("Notes of the export");
        section.list(inspection.notes.clone());
    }
    section
}

/// The table of files with their hashes.
pub(super) fn files(data: &ReportData<'_>) -> Section {
    let mut section = Section::new("files", "Files and hashes");
    section.text(
        "As in manifest.json; the command bitmart verify DIR checks them again. Times are UTC. Late \
         rows were only returned by a later run, although their time had been requested before; \
         replaced rows are kept in versions/.",
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
    for list in &data.inspection.datasets {
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
