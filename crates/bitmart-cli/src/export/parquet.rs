//! Rows as a Parquet file.
//!
//! Amounts are decimals; a column has one scale, that of its value with the most decimal places. Times are UTC
//! timestamps; integers, numeric codes and booleans keep their type; everything else is text, ids included. If a
//! value is not of the type of its column, or needs more digits than a decimal has, the whole column is text, and a
//! note says so. Every column is optional; in a column that is not text a blank text is null.

use std::io::Write;
use std::sync::Arc;

use bitmart::Timestamp;
use bitmart::rest::catalog::TimeUnit;
use parquet::basic::{self, Compression, GzipLevel, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::data_type::{FixedLenByteArray, FixedLenByteArrayType};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use super::cells;
use super::column_stats::{ColumnStats, is_blank};
use super::columns::Kind;
use super::table::{Cells, Table};
use super::wide_decimal::{MAX_DIGITS, WideDecimal};
use crate::failure::Failure;
use crate::output::json::Json;

/// Maximum number of rows of a row group, which are in memory at once, and of bytes of their lines.
const GROUP_ROWS: usize = 65_536;
const GROUP_BYTES: usize = 8 << 20;

/// Digits of a decimal of 16 bytes, which every program reads.
const COMMON_DIGITS: usize = 38;

/// The type that a column is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ColumnType {
    Flag,
    Integer,
    Time(TimeUnit),
    /// A time in a text such as `2024-01-31T12:00:00.000Z`.
    TimeText,
    /// Decimal places, and whether it needs 32 bytes.
    Decimal {
        scale: usize,
        is_long: bool,
    },
    Text,
}

/// Writes the file, and returns remarks for its readers. A table without columns becomes a file without rows.
pub(super) fn write(
    table: &Table,
    out: &mut (impl Write + Send),
) -> Result<Vec<String>, ParquetError> {
    let mut notes = Vec::new();
    let columns: Vec<_> =
        (0..table.names.len()).map(|column| column_type(table, column, &mut notes)).collect();
    let fields = table.names.iter().zip(&columns).map(|(name, column)| field(name, *column));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("rows").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::GZIP(GzipLevel::default()))
        .build();
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    let mut rows: Vec<Cells> = Vec::new();
    let mut bytes = 0;
    let outside = |failure: Failure| ParquetError::General(failure.to_string());
    let failed = |error: ParquetError| Failure::io(error.to_string());
    table
        .each(|row, line| {
            rows.push(row.clone());
            bytes += line.len();
            if rows.len() == GROUP_ROWS || bytes >= GROUP_BYTES {
                group(file.next_row_group().map_err(failed)?, &columns, &rows).map_err(failed)?;
                rows.clear();
                bytes = 0;
            }
            Ok(())
        })
        .map_err(outside)?;
    if !rows.is_empty() {
        group(file.next_row_group()?, &columns, &rows)?;
    }
    file.close()?;
    Ok(notes)
}

fn field(name: &str, column: ColumnType) -> Result<Arc<Type>, ParquetError> {
    let time = || Some(LogicalType::timestamp(true, basic::TimeUnit::MILLIS));
    let (physical, logical) = match column {
        ColumnType::Flag => (Physical::BOOLEAN, None),
        ColumnType::Integer => (Physical::INT64, None),
        ColumnType::Time(_) | ColumnType::TimeText => (Physical::INT64, time()),
        ColumnType::Decimal { .. } => (Physical::FIXED_LEN_BYTE_ARRAY, None),
        ColumnType::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let mut field =
        Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
    if let ColumnType::Decimal { scale, is_long } = column {
        let (bytes, digits) = if is_long { (32, MAX_DIGITS) } else { (16, COMMON_DIGITS) };
        let failed = |_| ParquetError::General(format!("{name}: {digits} digits"));
        let (scale, digits) =
            (i32::try_from(scale).map_err(failed)?, i32::try_from(digits).map_err(failed)?);
        field = field
            .with_length(bytes)
            .with_precision(digits)
            .with_scale(scale)
            .with_logical_type(Some(LogicalType::decimal(scale, digits)));
    } else {
        field = field.with_logical_type(logical);
    }
    field.build().map(Arc::new)
}

/// Chooses the type of a column from its documentation and its values.
fn column_type(table: &Table, column: usize, notes: &mut Vec<String>) -> ColumnType {
    let ColumnStats { is_mixed, integer_digits, scale } =
        table.stats.get(column).copied().unwrap_or_default();
    let kind = match table.columns.get(column) {
        Some(column) => column.kind,
        None if table.is_snapshot_time(column) && !is_mixed => return ColumnType::TimeText,
        None => return ColumnType::Text,
    };
    let name = &table.names[column];
    let mut text = |why: &str| {
        notes.push(format!("{}.parquet: {name} is text, since {why}", table.name));
        ColumnType::Text
    };
    match kind {
        Kind::Id | Kind::Text | Kind::List => ColumnType::Text,
        // Some lists write the same codes as texts.
        Kind::Code if is_mixed => ColumnType::Text,
        Kind::Flag if is_mixed => text("a value is not true or false"),
        Kind::Integer if is_mixed => text("a value is no whole number"),
        Kind::Time(_) if is_mixed => text("a value is no time"),
        Kind::Decimal if is_mixed => text("a value is no decimal"),
        Kind::Decimal if integer_digits + scale > MAX_DIGITS => text(&format!(
            "its values need {} digits, and a decimal has {MAX_DIGITS}",
            integer_digits + scale
        )),
        Kind::Flag => ColumnType::Flag,
        Kind::Code | Kind::Integer => ColumnType::Integer,
        Kind::Time(unit) => ColumnType::Time(unit),
        Kind::Decimal => {
            let is_long = integer_digits + scale > COMMON_DIGITS;
            if is_long {
                notes.push(format!(
                    "{}.parquet: {name} needs {} digits and is a decimal of 32 bytes, which some programs \
                     read as a floating point number",
                    table.name,
                    integer_digits + scale
                ));
            }
            ColumnType::Decimal { scale, is_long }
        }
    }
}

fn group<W: Write + Send>(
    mut group: SerializedRowGroupWriter<'_, W>,
    columns: &[ColumnType],
    rows: &[Cells],
) -> Result<(), ParquetError> {
    for (index, column) in columns.iter().copied().enumerate() {
        let is_there = |value: &&Json| match column {
            ColumnType::Text => **value != Json::Null,
            ColumnType::Time(_) => !is_blank(value) && value.cell() != cells::NO_TIME,
            _ => !is_blank(value),
        };
        let values_of: Vec<_> = rows.iter().map(|row| row.get(index).filter(is_there)).collect();
        match column {
            ColumnType::Flag => values::<BoolType, W>(&mut group, &values_of, truth)?,
            ColumnType::Integer => values::<Int64Type, W>(&mut group, &values_of, whole)?,
            ColumnType::Time(unit) => values::<Int64Type, W>(&mut group, &values_of, |value| {
                cells::time(&value.cell(), unit).map(Timestamp::as_millis)
            })?,
            ColumnType::TimeText => values::<Int64Type, W>(&mut group, &values_of, |value| {
                value.cell().parse().ok().map(Timestamp::as_millis)
            })?,
            ColumnType::Decimal { scale, is_long } => {
                let from = if is_long { 0 } else { 16 };
                values::<FixedLenByteArrayType, W>(&mut group, &values_of, |value| {
                    let bytes = WideDecimal::parse(&value.cell())?.to_be_bytes(scale)?;
                    Some(FixedLenByteArray::from(bytes[from..].to_vec()))
                })?;
            }
            ColumnType::Text => values::<ByteArrayType, W>(&mut group, &values_of, |value| {
                Some(ByteArray::from(value.cell().into_bytes()))
            })?,
        }
    }
    group.close().map(drop)
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
    let general = |text: &str| ParquetError::General(text.to_owned());
    // The file changed since the types were chosen.
    if values.len() != cells.iter().flatten().count() {
        return Err(general("a value is not of the kind of its column"));
    }
    let mut writer = group.next_column()?.ok_or_else(|| general("the schema has fewer columns"))?;
    writer.typed::<T>().write_batch(&values, Some(&there), None)?;
    writer.close()
}

#[cfg(test)]
mod tests {
    use bitmart::Decimal;
    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use proptest::prelude::{Just, ProptestConfig, Strategy, prop_assert_eq, prop_oneof, proptest};

    use super::super::store::{State, rows_path, state_folder};
    use super::{Table, write};

    /// Writes rows of `endpoint` to a Parquet file, and returns its rows, its schema and the notes.
    fn rows(endpoint: &str, lines: &[&str]) -> (Vec<String>, String, Vec<String>) {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        std::fs::create_dir(state_folder(folder)).expect("a folder");
        let mut state = State::default();
        endpoint.clone_into(&mut state.endpoint);
        let text = lines.join("\n") + "\n";
        state.bytes = text.len() as u64;
        let state = serde_json::to_vec(&state).expect("JSON");
        std::fs::write(state_folder(folder).join("x.json"), state).expect("written");
        std::fs::write(rows_path(folder, "x"), text).expect("written");
        let mut file = Vec::new();
        let table = Table::open(folder, "x").expect("a table");
        let notes = write(&table, &mut file).expect("a file");
        let bytes = bitmart::rest::bytes::Bytes::from(file);
        let reader = SerializedFileReader::new(bytes).expect("Parquet");
        let mut schema = Vec::new();
        parquet::schema::printer::print_schema(
            &mut schema,
            reader.metadata().file_metadata().schema(),
        );
        let rows = reader.get_row_iter(None).expect("rows");
        let rows = rows.map(|row| row.expect("a row").to_string()).collect();
        (rows, String::from_utf8(schema).expect("text"), notes)
    }

    #[test]
    fn writes_amounts_as_decimals_times_as_timestamps_and_ids_as_text() {
        let (rows, schema, notes) = rows(
            "futures_fills",
            &[
                r#"{"trade_id":"10","order_id":118100034543076010,"symbol":"BTCUSDT","side":1,"price":"27000.50","vol":"3","create_time":1700000000123,"new":[1,2]}"#,
                r#"{"trade_id":"9","order_id":"7","symbol":"BTCUSDT","side":4,"price":"-0.125","vol":"","create_time":0,"profit":true}"#,
            ],
        );
        assert!(schema.contains("create_time (TIMESTAMP(MILLIS,true))"), "{schema}");
        assert!(schema.contains("FIXED_LEN_BYTE_ARRAY (16) price (DECIMAL(38,3))"), "{schema}");
        assert!(schema.contains("BYTE_ARRAY trade_id"), "{schema}");
        assert!(schema.contains("INT64 side"), "{schema}");
        let order: Vec<_> = rows.iter().map(|row| row.contains(r#"trade_id: "9""#)).collect();
        assert_eq!(order, [true, false], "{rows:?}");
        for wanted in [r#"order_id: "118100034543076010""#, "price: 27000.500", r#"new: "[1,2]""#] {
            assert!(rows[1].contains(wanted), "{}", rows[1]);
        }
        for wanted in ["price: -0.125", "vol: null", "create_time: null", "side: 4"] {
            assert!(rows[0].contains(wanted), "{}", rows[0]);
        }
        assert!(rows[0].contains("profit: true") && rows[1].contains("profit: null"), "{rows:?}");
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn writes_a_column_as_text_if_a_value_is_not_of_its_type() {
        let row = r#"{"trade_id":"1","order_id":"1","symbol":"X","side":"buy","price":"free","vol":"1","create_time":"soon"}"#;
        let (rows, _, notes) = rows("futures_fills", &[row]);
        for wanted in [r#"create_time: "soon""#, r#"price: "free""#, r#"side: "buy""#] {
            assert!(rows[0].contains(wanted), "{}", rows[0]);
        }
        let wanted = ["x.parquet: price is text", "x.parquet: create_time is text"];
        for wanted in wanted {
            assert!(notes.iter().any(|note| note.starts_with(wanted)), "{wanted}: {notes:?}");
        }
    }

    fn fill(price: &str) -> String {
        format!(
            r#"{{"trade_id":"1","order_id":"1","symbol":"X","side":1,"price":"{price}","vol":"1","create_time":1}}"#
        )
    }

    #[test]
    fn widens_a_decimal_column_and_then_writes_text() {
        let small = "0.000000000000000001";
        for (large, wanted, note) in [
            ("12345678901234567890", "(16) price (DECIMAL(38,18))", ""),
            ("123456789012345678901", "(32) price (DECIMAL(76,18))", "needs 39 digits"),
            (&"9".repeat(59), "price (STRING)", "its values need 77 digits"),
        ] {
            let (rows, schema, notes) = rows("futures_fills", &[&fill(large), &fill(small)]);
            assert!(schema.contains(wanted), "{schema}");
            assert_eq!(notes.is_empty(), note.is_empty(), "{notes:?}");
            assert!(notes.iter().all(|text| text.contains(note)), "{notes:?}");
            for price in [large, small] {
                assert!(rows.iter().any(|row| row.contains(price)), "{price}: {rows:?}");
            }
        }
    }

    /// Up to 28 digits, with the decimal point anywhere.
    fn amount() -> impl Strategy<Value = Decimal> {
        let digits = prop_oneof![Just(0_i128), Just(1), -BOUND..BOUND];
        (digits, 0_u32..=28)
            .prop_map(|(digits, scale)| Decimal::from_i128_with_scale(digits, scale))
    }

    /// The first number of 29 digits.
    const BOUND: i128 = 10_i128.pow(28);

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn decimals_are_read_back_unchanged(amounts in proptest::collection::vec(amount(), 1..20)) {
            let lines: Vec<_> = amounts.iter().map(|amount| fill(&amount.to_string())).collect();
            let lines: Vec<_> = lines.iter().map(String::as_str).collect();
            let (rows, ..) = rows("futures_fills", &lines);
            let price = |row: &String| {
                let (_, rest) = row.split_once("price: ").expect("a price");
                let text = rest.split([',', '}']).next().expect("a number").trim().to_owned();
                // The scale of the column adds zeros.
                let text = text.trim_matches('"').to_owned();
                if text.contains('.') {
                    text.trim_end_matches('0').trim_end_matches('.').to_owned()
                } else {
                    text
                }
            };
            let mut read: Vec<Decimal> =
                rows.iter().map(|row| price(row).parse().expect("a decimal")).collect();
            let mut wanted = amounts;
            read.sort_unstable();
            wanted.sort_unstable();
            prop_assert_eq!(read, wanted);
        }
    }
}
