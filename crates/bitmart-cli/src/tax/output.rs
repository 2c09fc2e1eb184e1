//! Output files that are written completely or not at all, and that never overwrite others.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::format::{Format, Table};
use crate::export::without_formula;
use crate::failure::Failure;
use crate::secure_fs;

/// The files of a format, or the standard output.
pub(super) struct OutputFiles(Vec<OutputFile>);

struct OutputFile {
    writer: csv::Writer<Box<dyn Write>>,
    /// `None` for the standard output.
    target: Option<Target>,
}

/// A file that is written under a temporary name, which is removed unless the file is finished.
struct Target {
    temporary: PathBuf,
    path: PathBuf,
    is_finished: bool,
}

impl Drop for Target {
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

impl OutputFiles {
    /// Creates the temporary files.
    ///
    /// # Errors
    /// If one of the files exists, or a format of several files has no name for them.
    pub(super) fn create(format: &Format, out: Option<&Path>) -> Result<Self, Failure> {
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
            return Ok(Self(vec![OutputFile::begin(table, writer, None)?]));
        };
        let paths: Vec<_> =
            format.tables.iter().map(|table| (table, with_suffix(out, table.part))).collect();
        for (_, path) in &paths {
            reject_existing(path)?;
        }
        let open = |(table, path): (&Table, PathBuf)| {
            let temporary = secure_fs::temporary(&path);
            let file = secure_fs::create_new(&temporary)
                .map_err(|error| to_failure(&temporary, &error))?;
            let writer: Box<dyn Write> = Box::new(BufWriter::new(file));
            let target = Target { temporary, path, is_finished: false };
            OutputFile::begin(table, writer, Some(target))
        };
        Ok(Self(paths.into_iter().map(open).collect::<Result<_, _>>()?))
    }

    pub(super) fn row(&mut self, table: usize, row: &[String]) -> Result<(), Failure> {
        let Some(file) = self.0.get_mut(table) else { return Ok(()) };
        let cells = row.iter().map(|cell| without_formula(cell.clone()));
        file.writer.write_record(cells).map_err(|error| file.failure(&error))
    }

    /// Renames the files to their final names, and returns these.
    ///
    /// # Errors
    /// If they cannot be written, or a file of that name was created meanwhile.
    pub(super) fn finish(mut self) -> Result<Vec<String>, Failure> {
        for file in &mut self.0 {
            file.writer.flush().map_err(|error| match &file.target {
                Some(target) => to_failure(&target.temporary, &error),
                None => stdout_failure(&error),
            })?;
        }
        let mut names = Vec::new();
        for target in self.0.iter_mut().filter_map(|file| file.target.as_mut()) {
            reject_existing(&target.path)?;
            let file = File::open(&target.temporary).and_then(|file| file.sync_all());
            file.and_then(|()| fs::rename(&target.temporary, &target.path))
                .map_err(|error| to_failure(&target.path, &error))?;
            target.is_finished = true;
            names.push(target.path.display().to_string());
        }
        Ok(names)
    }
}

impl OutputFile {
    fn begin(
        table: &Table,
        writer: Box<dyn Write>,
        target: Option<Target>,
    ) -> Result<Self, Failure> {
        let mut file = Self { writer: csv::Writer::from_writer(writer), target };
        file.writer.write_record(table.columns).map_err(|error| file.failure(&error))?;
        Ok(file)
    }

    fn failure(&self, error: &csv::Error) -> Failure {
        match (&self.target, error.kind()) {
            (Some(target), _) => Failure::io(format!("{}: {error}", target.temporary.display())),
            (None, csv::ErrorKind::Io(error)) => stdout_failure(error),
            (None, _) => Failure::io(error.to_string()),
        }
    }
}

/// Adds a suffix to a file name: `taxes-in.csv` for `taxes.csv`.
fn with_suffix(out: &Path, part: &str) -> PathBuf {
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

fn reject_existing(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(Failure::usage(format!("{} is there; it was not overwritten", path.display()))
        .with_advice("name another file, or move it away"))
}

fn to_failure(path: &Path, error: &io::Error) -> Failure {
    Failure::io(format!("{}: {error}", path.display()))
}

fn stdout_failure(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::pipe_closed();
    }
    Failure::io(format!("standard output: {error}"))
}
