//! Files that are there whole or not at all, and never in the place of others.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::format::{Format, Table};
use crate::failure::Failure;

/// The files of a format, or the standard output.
pub(super) struct Files(Vec<One>);

struct One {
    writer: csv::Writer<Box<dyn Write>>,
    /// Where it is written and where it goes; nothing of the standard output.
    place: Option<Place>,
}

struct Place {
    new: PathBuf,
    path: PathBuf,
    done: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.done {
            // What is left of a file that was not finished.
            let _ = fs::remove_file(&self.new);
        }
    }
}

impl Files {
    /// Opens the files beside their places.
    ///
    /// # Errors
    /// When one of them is there already, or a format of several files has no name for them.
    pub(super) fn begin(format: &Format, out: Option<&Path>) -> Result<Self, Failure> {
        let Some(out) = out else {
            let [table] = format.tables else {
                return Err(Failure::usage(format!(
                    "{} takes {} files",
                    format.name,
                    format.tables.len()
                ))
                .with_advice("name them with --out, as in --out taxes.csv"));
            };
            let writer: Box<dyn Write> = Box::new(BufWriter::new(io::stdout()));
            return Ok(Self(vec![One::begin(table, writer, None)?]));
        };
        let paths: Vec<_> =
            format.tables.iter().map(|table| (table, named(out, table.part))).collect();
        for (_, path) in &paths {
            refuse_existing(path)?;
        }
        let open = |(table, path): (&Table, PathBuf)| {
            let new = path.with_extension(format!("{}.new", std::process::id()));
            let mut options = OpenOptions::new();
            options.write(true).create_new(true);
            // Who owns what is nobody else's business.
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let file: File = options.open(&new).map_err(|error| broken(&new, &error))?;
            let writer: Box<dyn Write> = Box::new(BufWriter::new(file));
            One::begin(table, writer, Some(Place { new, path, done: false }))
        };
        Ok(Self(paths.into_iter().map(open).collect::<Result<_, _>>()?))
    }

    pub(super) fn row(&mut self, table: usize, row: &[String]) -> Result<(), Failure> {
        let Some(one) = self.0.get_mut(table) else { return Ok(()) };
        one.writer.write_record(row).map_err(|error| one.broken(&error))
    }

    /// Puts the files in their places, and returns their names.
    ///
    /// # Errors
    /// When they cannot be written, or something came into their places meanwhile.
    pub(super) fn finish(mut self) -> Result<Vec<String>, Failure> {
        for one in &mut self.0 {
            one.writer.flush().map_err(|error| match &one.place {
                Some(place) => broken(&place.new, &error),
                None => gone(&error),
            })?;
        }
        let mut names = Vec::new();
        for place in self.0.iter_mut().filter_map(|one| one.place.as_mut()) {
            refuse_existing(&place.path)?;
            let file = File::open(&place.new).and_then(|file| file.sync_all());
            file.and_then(|()| fs::rename(&place.new, &place.path))
                .map_err(|error| broken(&place.path, &error))?;
            place.done = true;
            names.push(place.path.display().to_string());
        }
        Ok(names)
    }
}

impl One {
    fn begin(table: &Table, writer: Box<dyn Write>, place: Option<Place>) -> Result<Self, Failure> {
        let mut one = Self { writer: csv::Writer::from_writer(writer), place };
        one.writer.write_record(table.columns).map_err(|error| one.broken(&error))?;
        Ok(one)
    }

    fn broken(&self, error: &csv::Error) -> Failure {
        match (&self.place, error.kind()) {
            (Some(place), _) => Failure::machine(format!("{}: {error}", place.new.display())),
            (None, csv::ErrorKind::Io(error)) => gone(error),
            (None, _) => Failure::machine(error.to_string()),
        }
    }
}

/// `taxes-in.csv` for `taxes.csv`.
fn named(out: &Path, part: &str) -> PathBuf {
    if part.is_empty() {
        return out.to_owned();
    }
    let stem = out.file_stem().unwrap_or_default().to_string_lossy();
    let name = match out.extension() {
        Some(end) => format!("{stem}-{part}.{}", end.to_string_lossy()),
        None => format!("{stem}-{part}"),
    };
    out.with_file_name(name)
}

fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Failure::usage(format!("{} is there; it was not overwritten", path.display()))
        .with_advice("name another file, or move it away"))
}

fn broken(path: &Path, error: &io::Error) -> Failure {
    Failure::machine(format!("{}: {error}", path.display()))
}

/// The standard output could not be written.
fn gone(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::pipe_closed();
    }
    Failure::machine(format!("standard output: {error}"))
}
