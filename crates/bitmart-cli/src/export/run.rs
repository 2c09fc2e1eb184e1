//! The command `export`: one archive, gone on with from run to run.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bitmart::Timestamp;
use bitmart::rest::{Client, ErrorKind};
use clap::ArgMatches;

use super::archive::{self, Terms, VERSION};
use super::manifest::{Manifest, sha256};
use super::patience::{Next, Patience};
use super::plan::What;
use super::progress::Overall;
use super::{BEGIN, DAY_MS, Export, SETTLED_MS, derive, readme, reread, source, store};
use crate::auth::store::masked;
use crate::context::Context;
use crate::endpoint::parameters::{date, date_in};
use crate::failure::{Exit, Failure};
use crate::interrupts::Interrupts;
use crate::secure_fs;
use crate::target::Target;
use crate::timezone::Zone;

/// A run that goes on after an interruption keeps its end; when that is older than this, another run follows.
const BEHIND_MS: i64 = 3_600_000;

const INTERRUPTED: &str = "interrupted";

/// What the command line says.
struct Wanted {
    what: What,
    formats: BTreeSet<String>,
    from: Option<i64>,
    days: Option<u32>,
    to: Option<i64>,
    /// `--to now`, which rows of the last moment may miss.
    to_now: bool,
    overlap_ms: i64,
    patience: Duration,
    in_thought: bool,
    limited: bool,
    pages_left: Option<u64>,
}

impl Wanted {
    fn read(matches: &ArgMatches, zone: &Zone) -> Result<Self, Failure> {
        let words = matches.get_many::<String>("what").unwrap_or_default();
        let mut what = What::read(words.map(String::as_str)).map_err(Failure::usage)?;
        what.step = matches.get_one::<String>("step").cloned().unwrap_or_default();
        what.all_contracts = matches.get_flag("all-contracts");
        let bound = |name: &str| match matches.get_one::<String>(name).filter(|text| *text != "now")
        {
            None => Ok(None),
            Some(text) => date_in(zone, text).map(|time| Some(time.as_millis())).ok_or_else(|| {
                Failure::usage(format!("--{name} {text}: expected a date like 2024-01-31"))
            }),
        };
        let number = |name: &str| matches.get_one::<u32>(name).copied();
        Ok(Self {
            what,
            formats: matches.get_many::<String>("format").unwrap_or_default().cloned().collect(),
            from: bound("from")?,
            days: number("days"),
            to: bound("to")?,
            to_now: matches.get_one::<String>("to").is_some_and(|text| text == "now"),
            overlap_ms: i64::from(number("overlap").unwrap_or(7)) * DAY_MS,
            patience: Duration::from_secs(u64::from(number("patience").unwrap_or_default()) * 3600),
            in_thought: matches.get_flag("no-pauses"),
            limited: !matches.get_flag("unlimited"),
            pages_left: matches.get_one::<u64>("stop-after").copied(),
        })
    }

    /// Where a run ends that begins now.
    fn end(&self, now: i64) -> i64 {
        let settled = if self.to_now { now } else { now - SETTLED_MS };
        // What is to come cannot be requested yet.
        self.to.map_or(settled, |to| to.min(now))
    }
}

pub(crate) async fn run(context: &Context, matches: &ArgMatches) -> Result<(), Failure> {
    if let Some(folder) = matches.get_one::<String>("reread") {
        let stop_after = matches.get_one::<u64>("stop-after").copied();
        return reread::run(Path::new(folder), stop_after);
    }
    let wanted = Wanted::read(matches, context.output.times.zone())?;
    for (name, known) in source::near_misses() {
        eprintln!("{name} is set but not a variable of this program; did you mean {known}?");
    }
    let folder = PathBuf::from(matches.get_one::<String>("out").map_or("", String::as_str));
    let profiles: Vec<&String> = matches.get_many("profiles").unwrap_or_default().collect();
    if profiles.is_empty() {
        let target = context.target().await?;
        source::refuse_unnamed_play(&target.environment.name, context.environment())?;
        return archive_of(&target, &folder, &wanted).await?.into_result();
    }
    several(context, &profiles, &folder, &wanted).await
}

/// Brings the archives of several profiles up to now, one after the other. What stops one does not stop the next.
async fn several(
    context: &Context,
    profiles: &[&String],
    folder: &Path,
    wanted: &Wanted,
) -> Result<(), Failure> {
    if Terms::read(folder)?.is_some() {
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
            source::refuse_unnamed_play(&target.environment.name, context.environment())?;
            archive_of(&target, &folder.join(store::part(profile)), wanted).await
        };
        let (line, failure) = match of_profile.await {
            Ok(done) => (done.text.clone(), done.into_result().err()),
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

/// How a run ended.
struct Done {
    source: String,
    text: String,
    complete: bool,
}

impl Done {
    fn into_result(self) -> Result<(), Failure> {
        if self.complete {
            return Ok(());
        }
        let text = "the exchange did not give everything; see manifest.json";
        let failure = Failure::new(Exit::Incomplete, text)
            .with_advice("the same command requests again what was refused");
        Err(under(failure, &self.source))
    }
}

/// A failure whose last line says that it is about play money, where it is.
fn under(failure: Failure, source: &str) -> Failure {
    if !source.starts_with(source::PLAY) {
        return failure;
    }
    Failure::new(failure.exit, format!("{failure}\n{source}"))
}

/// Keeps others away from the folder as long as the file is open.
pub(super) fn lock(folder: &Path) -> Result<File, Failure> {
    let broken = |error: &dyn std::fmt::Display| {
        Failure::machine(format!("{}: another export is at work: {error}", folder.display()))
    };
    let lock = File::create(folder.join("lock")).map_err(|error| broken(&error))?;
    lock.try_lock().map_err(|error| broken(&error))?;
    Ok(lock)
}

/// Makes the files that are made of the rows, and the manifest of all.
pub(super) fn conclude(
    folder: &Path,
    terms: &Terms,
    formats: &BTreeSet<String>,
) -> Result<Manifest, Failure> {
    let derived = derive::run(folder, formats)?;
    for note in &derived.notes {
        eprintln!("{note}");
    }
    let mut manifest = Manifest::of(folder, terms.clone(), &derived.files)?;
    manifest.notes = derived.notes;
    readme::write(folder, &mut manifest)?;
    manifest.write(folder)?;
    Ok(manifest)
}

/// Brings one archive up to now.
async fn archive_of(target: &Target, folder: &Path, wanted: &Wanted) -> Result<Done, Failure> {
    // Before anything is written, and once more when nobody else writes.
    of_this_account(target, folder, wanted)?;
    let broken = |error: std::io::Error| Failure::machine(format!("{}: {error}", folder.display()));
    secure_fs::create_dir(folder).map_err(broken)?;
    secure_fs::create_dir(&store::states(folder)).map_err(broken)?;
    let _lock = lock(folder)?;
    let known = of_this_account(target, folder, wanted)?;
    reread::finish(folder, &mut reread::Steps(None))?;
    let mut interrupts = Interrupts::listen()?;
    let done = tokio::select! {
        done = locked(target, folder, wanted, known) => done,
        () = interrupts.recv() => Err(Failure::new(Exit::Incomplete, INTERRUPTED)),
    };
    done.map_err(|failure| {
        eprintln!("what came is kept; the same command goes on where this one stopped");
        under(failure, &source::of(&fresh(target)))
    })
}

async fn locked(
    target: &Target,
    folder: &Path,
    wanted: &Wanted,
    known: Option<Terms>,
) -> Result<Done, Failure> {
    let attempts = if wanted.in_thought { 1 } else { 3 };
    let client = target.bulk_client(wanted.limited, attempts)?;
    let mut terms = fresh(target);
    if let Some(known) = &known {
        (terms.from_ms, terms.to_ms) = (known.from_ms, known.to_ms);
        (terms.run, terms.finished) = (known.run, known.finished);
    }
    eprintln!("{}", source::of(&terms));
    let mut patience = Patience::new(wanted.patience, wanted.in_thought);
    let now = exchange_time(&client, &mut patience).await?;
    // Version 1 could be told a time to come: what counts is what can have been requested.
    let known = known.map(|known| Terms { to_ms: known.to_ms.min(now), ..known });
    if let Some(known) = &known {
        terms.to_ms = known.to_ms;
    }
    match &known {
        None => {
            let begin = || date(BEGIN).map(Timestamp::as_millis);
            let days = wanted.days.map(|days| now - i64::from(days) * DAY_MS);
            terms.from_ms = wanted.from.or(days).or_else(begin).unwrap_or_default();
            terms.to_ms = wanted.end(now);
            eprintln!("a new archive{}", source::left(now));
        }
        Some(known) => {
            let (reach, _) = archive::reach(folder, known)?;
            eprintln!("the archive: {}", source::age(known.from_ms, reach, now));
            for name in archive::foreign(folder)? {
                eprintln!("{name} is no part of the archive and is left alone");
            }
        }
    }
    let resumes = known.as_ref().is_some_and(|known| !known.finished);
    let mut runs = vec![terms.to_ms];
    if let Some(known) = &known {
        let end = wanted.end(now).max(known.to_ms);
        if !resumes {
            runs = vec![end];
            terms.run += 1;
        } else if end - known.to_ms > BEHIND_MS || (end > known.to_ms && wanted.to == Some(end)) {
            runs.push(end);
        }
    }
    let mut export = Export {
        client,
        folder: folder.to_owned(),
        from: Timestamp::from_millis(terms.from_ms),
        to: Timestamp::from_millis(terms.to_ms),
        run: terms.run,
        overlap_ms: wanted.overlap_ms,
        forecast: None,
        patience,
        overall: Overall::new([]),
        pages_left: wanted.pages_left,
    };
    let mut manifest = None;
    for (at, to) in runs.into_iter().enumerate() {
        if at > 0 {
            terms.run += 1;
        }
        (terms.to_ms, terms.finished) = (to, false);
        terms.write(folder)?;
        (export.to, export.run) = (Timestamp::from_millis(to), terms.run);
        export.fetch(&wanted.what, wanted.limited).await?;
        terms.finished = true;
        let made = conclude(folder, &terms, &wanted.formats)?;
        terms.write(folder)?;
        manifest = Some(made);
    }
    let now = export.now().as_millis();
    let (mut text, complete) = manifest
        .map_or((String::new(), true), |manifest| (manifest.summary(), manifest.is_complete()));
    let (reach, _) = archive::reach(folder, &terms)?;
    text += &format!("\n{}; {}", source::of(&terms), source::age(terms.from_ms, reach, now));
    eprintln!("{text}");
    Ok(Done { source: source::of(&terms), text, complete })
}

/// The time at the exchange, for which an export waits as for everything else. Where no host tells it, the
/// machine's.
async fn exchange_time(client: &Client, patience: &mut Patience) -> Result<i64, Failure> {
    loop {
        match client.sync_clock().await {
            Ok(estimate) => {
                let now = Timestamp::now().as_millis();
                return Ok(now.saturating_add(estimate.offset_millis));
            }
            Err(error) if matches!(error.kind(), ErrorKind::MissingHost(_)) => {
                return Ok(Timestamp::now().as_millis());
            }
            Err(error) => match patience.after(client, "the time", &error).await {
                Next::Again => {}
                Next::Later | Next::Refused => return Ok(Timestamp::now().as_millis()),
                Next::Stop => return Err(Failure::from(error)),
            },
        }
    }
}

/// What an archive of this account would be.
fn fresh(target: &Target) -> Terms {
    let key = target.credentials.as_ref().map_or("", |credentials| credentials.key());
    Terms {
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

/// The archive in `folder`, which must be of this account and span; `None` when there is none and it may begin.
fn of_this_account(
    target: &Target,
    folder: &Path,
    wanted: &Wanted,
) -> Result<Option<Terms>, Failure> {
    let Some(known) = Terms::read(folder)? else {
        archive::refuse_foreign(folder)?;
        return Ok(None);
    };
    let here = fresh(target);
    if (&known.source, &known.key) != (&here.source, &here.key) {
        return Err(Failure::usage(format!(
            "{} holds an archive of another account ({}), not of this one ({}); nothing was overwritten",
            folder.display(),
            source::of(&known),
            source::of(&here)
        ))
        .with_advice("name another folder"));
    }
    let date = |millis: i64| Timestamp::from_millis(millis).to_string();
    if wanted.from.is_some_and(|from| from != known.from_ms) {
        return Err(Failure::usage(format!(
            "the archive begins at {}; another span needs another folder",
            date(known.from_ms)
        ))
        .with_advice("leave out --from to go on"));
    }
    if known.finished && wanted.to.is_some_and(|to| to < known.to_ms) {
        return Err(Failure::usage(format!(
            "the archive already reaches to {}: --to may grow only",
            date(known.to_ms)
        ))
        .with_advice("leave out --to to go on to now"));
    }
    Ok(Some(known))
}
