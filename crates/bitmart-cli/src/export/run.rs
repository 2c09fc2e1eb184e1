//! The command `export`: creates an archive, or continues it with another run.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitmart::Timestamp;
use bitmart::rest::{Client, ErrorKind};
use clap::ArgMatches;

use super::archive::{self, ArchiveInfo, VERSION};
use super::manifest::{Manifest, sha256};
use super::outage::{AfterFailure, RetryBudget};
use super::plan::Selection;
use super::progress::Overall;
use super::{
    BEGIN, DAY_MS, Export, SETTLED_MS, derived_files, lock, readme, renewed_key, reread, source,
    store,
};
use crate::auth::store::masked;
use crate::context::Context;
use crate::endpoint::parameters::{date, date_in};
use crate::failure::{Exit, Failure};
use crate::interrupts::Interrupts;
use crate::secure_fs;
use crate::target::{RateLimits, Target};
use crate::timezone::Zone;

/// A resumed run keeps its end. If that is older than this, another run follows.
const BEHIND_MS: i64 = 3_600_000;

const INTERRUPTED: &str = "interrupted";

/// Options of the command line.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
struct Options {
    selection: Selection,
    formats: BTreeSet<String>,
    from: Option<i64>,
    days: Option<u32>,
    to: Option<i64>,
    /// `--to now`, which rows of the last moment may miss.
    to_now: bool,
    overlap_ms: i64,
    patience: Duration,
    no_pauses: bool,
    limited: bool,
    /// The archive continues with another API key, though it does not have the account's id.
    new_key: bool,
    pages_left: Option<u64>,
}

impl Options {
    fn parse(matches: &ArgMatches, zone: &Zone) -> Result<Self, Failure> {
        let parts = matches.get_many::<String>("what").unwrap_or_default();
        let mut selection = Selection::parse(parts.map(String::as_str)).map_err(Failure::usage)?;
        selection.step = matches.get_one::<String>("step").cloned().unwrap_or_default();
        selection.all_contracts = matches.get_flag("all-contracts");
        let bound = |name: &str| match matches.get_one::<String>(name).filter(|text| *text != "now")
        {
            None => Ok(None),
            Some(text) => date_in(zone, text).map(|time| Some(time.as_millis())).ok_or_else(|| {
                Failure::usage(format!("--{name} {text}: expected a date like 2024-01-31"))
            }),
        };
        let number = |name: &str| matches.get_one::<u32>(name).copied();
        Ok(Self {
            selection,
            formats: matches.get_many::<String>("format").unwrap_or_default().cloned().collect(),
            from: bound("from")?,
            days: number("days"),
            to: bound("to")?,
            to_now: matches.get_one::<String>("to").is_some_and(|text| text == "now"),
            overlap_ms: i64::from(number("overlap").unwrap_or(7)) * DAY_MS,
            patience: Duration::from_secs(u64::from(number("patience").unwrap_or_default()) * 3600),
            no_pauses: matches.get_flag("no-pauses"),
            limited: !matches.get_flag("unlimited"),
            new_key: matches.get_flag("new-key"),
            pages_left: matches.get_one::<u64>("stop-after").copied(),
        })
    }

    /// The end of a run that begins now.
    fn end(&self, now: i64) -> i64 {
        let settled = if self.to_now { now } else { now - SETTLED_MS };
        // The future cannot be requested.
        self.to.map_or(settled, |to| to.min(now))
    }
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if let Some(folder) = matches.get_one::<String>("reread") {
        let stop_after = matches.get_one::<u64>("stop-after").copied();
        return reread::run(Path::new(folder), stop_after);
    }
    let options = Options::parse(matches, context.output.times.zone())?;
    for (name, known) in source::misspelled_variables() {
        eprintln!("{name} is set but not a variable of this program; did you mean {known}?");
    }
    let folder = PathBuf::from(matches.get_one::<String>("out").map_or("", String::as_str));
    let profiles: Vec<&String> = matches.get_many("profiles").unwrap_or_default().collect();
    if profiles.is_empty() {
        let target = context.target().await?;
        source::reject_implicit_play_money(&target.environment.name, context.environment())?;
        return export_account(&target, &folder, &options).await?.into_result();
    }
    export_profiles(context, &profiles, &folder, &options).await
}

/// Exports several profiles, one after the other. A failure of one does not stop the next.
async fn export_profiles(
    context: &Context,
    profiles: &[&String],
    folder: &Path,
    options: &Options,
) -> Result<(), Failure> {
    if ArchiveInfo::read(folder)?.is_some() {
        return Err(Failure::usage(format!(
            "{} is the archive of one account: several profiles need a folder above theirs",
            folder.display()
        )));
    }
    let mut failed = None;
    let mut summary = String::new();
    for profile in profiles {
        eprintln!("profile {profile}");
        let of_profile = async {
            let target = context.target_with_profile(Some(profile)).await?;
            source::reject_implicit_play_money(&target.environment.name, context.environment())?;
            let folder = folder.join(store::file_name_part(profile));
            export_account(&target, &folder, options).await
        };
        let (line, failure) = match of_profile.await {
            Ok(outcome) => (outcome.text.clone(), outcome.into_result().err()),
            Err(failure) => (format!("error: {failure}"), Some(failure)),
        };
        summary += &format!("{profile}: {}\n", line.replace('\n', "\n  "));
        failed = failed.or(failure);
        if failed.as_ref().is_some_and(|failure| failure.to_string() == INTERRUPTED) {
            break;
        }
    }
    eprint!("{summary}");
    failed.map_or(Ok(()), Err)
}

/// The outcome of a run.
struct RunOutcome {
    source: String,
    text: String,
    complete: bool,
}

impl RunOutcome {
    fn into_result(self) -> Result<(), Failure> {
        if self.complete {
            return Ok(());
        }
        let text = "the exchange did not give everything; see manifest.json";
        let failure = Failure::new(Exit::Incomplete, text)
            .with_advice("the same command requests again what was rejected");
        Err(with_play_money(failure, &self.source))
    }
}

/// Adds a last line to a failure that concerns play money.
fn with_play_money(failure: Failure, source: &str) -> Failure {
    if !source.starts_with(source::PLAY) {
        return failure;
    }
    Failure::new(failure.exit, format!("{failure}\n{source}"))
}

/// Writes the derived files and the manifest.
pub(super) fn write_results(
    folder: &Path,
    info: &ArchiveInfo,
    formats: &BTreeSet<String>,
) -> Result<Manifest, Failure> {
    let derived = derived_files::write(folder, formats)?;
    for note in &derived.notes {
        eprintln!("{note}");
    }
    let mut manifest = Manifest::collect(folder, info.clone(), &derived.files)?;
    manifest.notes = derived.notes;
    readme::write(folder, &mut manifest)?;
    manifest.write(folder)?;
    Ok(manifest)
}

/// Exports one account.
async fn export_account(
    target: &Target,
    folder: &Path,
    options: &Options,
) -> Result<RunOutcome, Failure> {
    let own = new_archive(target);
    let has_new_key = renewed_key::is_renewed(target, folder, &own, options.new_key).await?;
    // Before anything is written, and again under the lock.
    check_archive(target, folder, options, has_new_key)?;
    let to_failure = |error: std::io::Error| Failure::io(format!("{}: {error}", folder.display()));
    secure_fs::create_dir(folder).map_err(to_failure)?;
    secure_fs::create_dir(&store::state_folder(folder)).map_err(to_failure)?;
    let _lock = lock::exclusive(folder)?;
    let known = check_archive(target, folder, options, has_new_key)?;
    reread::finish(folder, &mut reread::Steps(None))?;
    if let Some(known) = &known {
        reread::upgrade(folder, known)?;
    }
    let mut interrupts = Interrupts::listen()?;
    let outcome = tokio::select! {
        outcome = export_locked(target, folder, options, known) => outcome,
        () = interrupts.recv() => Err(Failure::new(Exit::Incomplete, INTERRUPTED)),
    };
    outcome.map_err(|failure| {
        eprintln!("the received rows are kept; the same command continues where this one stopped");
        with_play_money(failure, &source::describe(&new_archive(target)))
    })
}

/// Exports one account to a folder that is locked.
async fn export_locked(
    target: &Target,
    folder: &Path,
    options: &Options,
    known: Option<ArchiveInfo>,
) -> Result<RunOutcome, Failure> {
    let attempts = if options.no_pauses { 1 } else { 3 };
    let client = target.bulk_client(RateLimits::from_flag(!options.limited), attempts)?;
    let mut info = new_archive(target);
    if let Some(known) = &known {
        (info.from_ms, info.to_ms) = (known.from_ms, known.to_ms);
        (info.run, info.finished) = (known.run, known.finished);
    }
    eprintln!("{}", source::describe(&info));
    let mut retries = RetryBudget::new(options.patience, options.no_pauses);
    let now = exchange_time(&client, &mut retries).await?;
    // Version 1 accepted an end in the future.
    let known = known.map(|known| ArchiveInfo { to_ms: known.to_ms.min(now), ..known });
    if let Some(known) = &known {
        info.to_ms = known.to_ms;
    }
    match &known {
        None => {
            let begin = || date(BEGIN).map(Timestamp::as_millis);
            let days = options.days.map(|days| now - i64::from(days) * DAY_MS);
            info.from_ms = options.from.or(days).or_else(begin).unwrap_or_default();
            info.to_ms = options.end(now);
            eprintln!("a new archive{}", source::time_left(now));
        }
        Some(known) => {
            let (until, _) = archive::complete_until(folder, known)?;
            eprintln!("the archive: {}", source::describe_span(known.from_ms, until, now));
            for name in archive::foreign_files(folder)? {
                eprintln!("{name} is no part of the archive and is left alone");
            }
        }
    }
    let resumes = known.as_ref().is_some_and(|known| !known.finished);
    let mut runs = vec![info.to_ms];
    if let Some(known) = &known {
        let end = options.end(now).max(known.to_ms);
        if !resumes {
            runs = vec![end];
            info.run += 1;
        } else if end - known.to_ms > BEHIND_MS || (end > known.to_ms && options.to == Some(end)) {
            runs.push(end);
        }
    }
    let mut export = Export {
        client,
        folder: folder.to_owned(),
        from: Timestamp::from_millis(info.from_ms),
        to: Timestamp::from_millis(info.to_ms),
        run: info.run,
        overlap_ms: options.overlap_ms,
        forecast: None,
        retries,
        overall: Overall::new([]),
        pages_left: options.pages_left,
    };
    let mut manifest = None;
    for (at, to) in runs.into_iter().enumerate() {
        if at > 0 {
            info.run += 1;
        }
        (info.to_ms, info.finished) = (to, false);
        info.write(folder)?;
        (export.to, export.run) = (Timestamp::from_millis(to), info.run);
        export.fetch(&options.selection, options.limited).await?;
        info.finished = true;
        manifest = Some(write_results(folder, &info, &options.formats)?);
        info.write(folder)?;
    }
    let now = export.now().as_millis();
    let (mut text, complete) = manifest
        .map_or((String::new(), true), |manifest| (manifest.summary(), manifest.is_current()));
    let (until, _) = archive::complete_until(folder, &info)?;
    let span = source::describe_span(info.from_ms, until, now);
    text += &format!("\n{}; {span}", source::describe(&info));
    eprintln!("{text}");
    Ok(RunOutcome { source: source::describe(&info), text, complete })
}

/// Requests the exchange's time, with the usual retries. Returns the machine's time if no host serves it.
async fn exchange_time(client: &Client, retries: &mut RetryBudget) -> Result<i64, Failure> {
    loop {
        match client.sync_clock().await {
            Ok(estimate) => {
                let now = Timestamp::now().as_millis();
                return Ok(now.saturating_add(estimate.offset_millis));
            }
            Err(error) if matches!(error.kind(), ErrorKind::MissingHost(_)) => {
                return Ok(Timestamp::now().as_millis());
            }
            Err(error) => match retries.after_failure(client, "the time", &error).await {
                AfterFailure::Retry => {}
                AfterFailure::Postpone | AfterFailure::Skip => {
                    return Ok(Timestamp::now().as_millis());
                }
                AfterFailure::Abort => return Err(Failure::from(error)),
            },
        }
    }
}

/// Describes a new archive of this account.
fn new_archive(target: &Target) -> ArchiveInfo {
    let key = target.credentials.as_ref().map_or("", |credentials| credentials.key());
    ArchiveInfo {
        version: VERSION,
        source: target.environment.name.clone(),
        host: source::hosts(&target.environment),
        key: sha256(key.as_bytes()),
        account: masked(key),
        from_ms: 0,
        to_ms: 0,
        run: 1,
        finished: false,
    }
}

/// Reads the archive in `folder`, and checks that it is of this account and span. `None` if the folder is empty.
fn check_archive(
    target: &Target,
    folder: &Path,
    options: &Options,
    has_new_key: bool,
) -> Result<Option<ArchiveInfo>, Failure> {
    let Some(known) = ArchiveInfo::read(folder)? else {
        archive::reject_foreign_folder(folder)?;
        return Ok(None);
    };
    let requested = new_archive(target);
    let is_same_key = known.key == requested.key;
    if !is_same_key && has_new_key {
        eprintln!("the archive continues with another API key of the same account");
    }
    if known.source != requested.source || !(is_same_key || has_new_key) {
        return Err(Failure::usage(format!(
            "{} holds an archive of another account ({}), not of this one ({}); nothing was overwritten",
            folder.display(),
            source::describe(&known),
            source::describe(&requested)
        ))
        .with_advice("name another folder; --new-key if it is another key of the same account"));
    }
    let date = |millis: i64| Timestamp::from_millis(millis).to_string();
    if options.from.is_some_and(|from| from != known.from_ms) {
        return Err(Failure::usage(format!(
            "the archive begins at {}; another span needs another folder",
            date(known.from_ms)
        ))
        .with_advice("leave out --from to continue"));
    }
    if known.finished && options.to.is_some_and(|to| to < known.to_ms) {
        return Err(Failure::usage(format!(
            "the archive already reaches to {}: --to may grow only",
            date(known.to_ms)
        ))
        .with_advice("leave out --to to continue until now"));
    }
    Ok(Some(known))
}
