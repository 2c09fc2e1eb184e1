//! Rows as a Parquet file.
//!
//! Times are timestamps in UTC, whole numbers and truth values are such, and everything else is text. Ids
//! are text even where they are numbers. Amounts stay the text that the exchange sent: the format's
//! decimals have one scale for a whole column, and floats are not for money. Every column may lack values.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::{Compression, GzipLevel, LogicalType, Repetition, TimeUnit, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::cells;
use super::columns::Kind;
use super::table::{Cells, Table};
use crate::failure::Failure;
use crate::output::json::Json;

/// Rows that are in memory at a time.
const GROUP: usize = 65_536;

/// Writes the file. A table without columns has no rows either, and becomes a file without rows.
pub(super) fn write(table: &Table, out: &mut (impl Write + Send)) -> Result<(), ParquetError> {
    let kinds: Vec<_> = (0..table.names.len()).map(|column| kind(table, column)).collect();
    let fields = table.names.iter().zip(&kinds).map(|(name, kind)| {
        let (physical, logical) = match kind {
            Kind::Flag => (Physical::BOOLEAN, None),
            Kind::Integer => (Physical::INT64, None),
            Kind::Time(_) => {
                (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MILLIS)))
            }
            _ => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field =
            Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        field.with_logical_type(logical).build().map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("rows").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::GZIP(GzipLevel::default()))
        .build();
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    let mut rows: Vec<Cells> = Vec::new();
    let outside = |failure: Failure| ParquetError::General(failure.to_string());
    let failed = |error: ParquetError| Failure::machine(error.to_string());
    table
        .each(|row, _| {
            rows.push(row.clone());
            if rows.len() == GROUP {
                group(file.next_row_group().map_err(failed)?, &kinds, &rows).map_err(failed)?;
                rows.clear();
            }
            Ok(())
        })
        .map_err(outside)?;
    if !rows.is_empty() {
        group(file.next_row_group()?, &kinds, &rows)?;
    }
    file.close().map(drop)
}

/// What a column is written as: text when a value is not of its kind.
fn kind(table: &Table, column: usize) -> Kind {
    let known = table.columns.get(column).zip(table.fits.get(column));
    known.filter(|(_, fits)| **fits).map_or(Kind::Text, |(column, _)| column.kind)
}

fn group<W: Write + Send>(
    mut group: SerializedRowGroupWriter<'_, W>,
    kinds: &[Kind],
    rows: &[Cells],
) -> Result<(), ParquetError> {
    for (column, kind) in kinds.iter().enumerate() {
        let is_blank = |value: &Json| {
            *value == Json::Null
                || (matches!(kind, Kind::Time(_)) && value.cell() == cells::NO_TIME)
        };
        let values_of = column_of(rows, column, is_blank);
        match kind {
            Kind::Flag => values::<BoolType, W>(&mut group, &values_of, truth)?,
            Kind::Integer => values::<Int64Type, W>(&mut group, &values_of, whole)?,
            Kind::Time(unit) => values::<Int64Type, W>(&mut group, &values_of, |value| {
                cells::time(&value.cell(), *unit).map(bitmart::Timestamp::as_millis)
            })?,
            _ => values::<ByteArrayType, W>(&mut group, &values_of, |value| {
                Some(ByteArray::from(value.cell().into_bytes()))
            })?,
        }
    }
    group.close().map(drop)
}

/// The values of a column, with blanks.
fn column_of(
    rows: &[Cells],
    column: usize,
    is_blank: impl Fn(&Json) -> bool,
) -> Vec<Option<&Json>> {
    rows.iter().map(|row| row.get(column).filter(|value| !is_blank(value))).collect()
}

fn truth(value: &Json) -> Option<bool> {
    if let Json::Bool(value) = value { Some(*value) } else { None }
}

fn whole(value: &Json) -> Option<i64> {
    if let Json::Number(digits) = value { digits.parse().ok() } else { None }
}

fn values<T: DataType, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    cells: &[Option<&Json>],
    value: impl Fn(&Json) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let there: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = cells.iter().copied().flatten().filter_map(value).collect();
    let mut writer = group
        .next_column()?
        .ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))?;
    writer.typed::<T>().write_batch(&values, Some(&there), None)?;
    writer.close()
}

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    use super::super::store::{State, rows_path, states};
    use super::{Table, write};

    /// The rows of a Parquet file that is made of rows of `endpoint`, and its columns.
    fn rows(endpoint: &str, lines: &[&str]) -> (Vec<String>, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        std::fs::create_dir(states(folder)).expect("a folder");
        let mut state = State::default();
        endpoint.clone_into(&mut state.endpoint);
        let state = serde_json::to_vec(&state).expect("JSON");
        std::fs::write(states(folder).join("x.json"), state).expect("written");
        let text = lines.join("\n") + "\n";
        std::fs::write(rows_path(folder, "x"), text).expect("written");
        let mut file = Vec::new();
        write(&Table::open(folder, "x").expect("a table"), &mut file).expect("a file");
        let bytes = bitmart::rest::bytes::Bytes::from(file);
        let reader = SerializedFileReader::new(bytes).expect("Parquet");
        let mut schema = Vec::new();
        parquet::schema::printer::print_schema(
            &mut schema,
            reader.metadata().file_metadata().schema(),
        );
        let rows = reader.get_row_iter(None).expect("rows");
        let rows = rows.map(|row| row.expect("a row").to_string()).collect();
        (rows, String::from_utf8(schema).expect("text"))
    }

    #[test]
    fn ids_and_amounts_are_text_and_times_are_times() {
        let (rows, schema) = rows(
            "futures_fills",
            &[
                r#"{"trade_id":"10","order_id":118100034543076010,"symbol":"BTCUSDT","side":1,"price":"27000.50","vol":"3","create_time":1700000000123,"new":[1,2]}"#,
                r#"{"trade_id":"9","order_id":"7","symbol":"BTCUSDT","side":4,"price":"0.10","vol":"1","create_time":1700000000123,"profit":true}"#,
            ],
        );
        assert!(schema.contains("create_time (TIMESTAMP(MILLIS,true))"), "{schema}");
        assert!(schema.contains("BYTE_ARRAY trade_id"), "{schema}");
        let told: Vec<_> = rows.iter().map(|row| row.contains(r#"trade_id: "9""#)).collect();
        assert_eq!(told, [true, false], "{rows:?}");
        for wanted in
            [r#"order_id: "118100034543076010""#, r#"price: "27000.50""#, r#"new: "[1,2]""#]
        {
            assert!(rows[1].contains(wanted), "{}", rows[1]);
        }
        assert!(rows[0].contains("profit: true") && rows[1].contains("profit: null"), "{rows:?}");
    }

    #[test]
    fn a_value_that_is_not_of_its_kind_is_not_lost() {
        let row = r#"{"trade_id":"1","order_id":"1","symbol":"X","side":1,"price":"1","vol":"1","create_time":"soon"}"#;
        let (rows, _) = rows("futures_fills", &[row]);
        assert!(rows[0].contains(r#"create_time: "soon""#), "{}", rows[0]);
    }
}
