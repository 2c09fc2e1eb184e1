//! Rows as a Parquet file.
//!
//! A column is of whole numbers or of truth values where all of its values are, and of text otherwise.
//! Amounts stay the text that the exchange sent: the format's decimals have one scale for a whole column,
//! and floats are not for money. Every column may lack values.

use std::sync::Arc;

use parquet::basic::{Compression, GzipLevel, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;

use crate::output::{json::Json, rows::Rows};

/// The file. A table without columns has no rows either, and becomes a file without rows.
pub(super) fn encode(table: &Rows) -> Result<Vec<u8>, ParquetError> {
    let kinds: Vec<_> = (0..table.columns.len()).map(|column| kind(table, column)).collect();
    let fields = table.columns.iter().zip(&kinds).map(|(name, kind)| {
        let field = Type::primitive_type_builder(name, *kind).with_repetition(Repetition::OPTIONAL);
        let text = (*kind == Physical::BYTE_ARRAY).then_some(LogicalType::String);
        field.with_logical_type(text).build().map(Arc::new)
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let schema = Arc::new(Type::group_type_builder("rows").with_fields(fields).build()?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::GZIP(GzipLevel::default()))
        .build();
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for (column, kind) in kinds.into_iter().enumerate() {
        match kind {
            Physical::BOOLEAN => write::<BoolType>(&mut group, table, column, truth)?,
            Physical::INT64 => write::<Int64Type>(&mut group, table, column, whole)?,
            _ => write::<ByteArrayType>(&mut group, table, column, |value| {
                Some(ByteArray::from(value.cell().into_bytes()))
            })?,
        }
    }
    group.close()?;
    file.into_inner()
}

fn truth(value: &Json) -> Option<bool> {
    if let Json::Bool(value) = value { Some(*value) } else { None }
}

fn whole(value: &Json) -> Option<i64> {
    if let Json::Number(digits) = value { digits.parse().ok() } else { None }
}

/// The values of a column, with blanks.
fn values(table: &Rows, column: usize) -> impl Iterator<Item = Option<&Json>> {
    table.rows.iter().map(move |row| {
        let cell = row.iter().find(|(index, _)| *index == column);
        cell.map(|(_, value)| value).filter(|value| **value != Json::Null)
    })
}

fn kind(table: &Rows, column: usize) -> Physical {
    let all = |is: fn(&Json) -> bool| values(table, column).flatten().all(is);
    if values(table, column).flatten().next().is_none() {
        Physical::BYTE_ARRAY
    } else if all(|value| truth(value).is_some()) {
        Physical::BOOLEAN
    } else if all(|value| whole(value).is_some()) {
        Physical::INT64
    } else {
        Physical::BYTE_ARRAY
    }
}

fn write<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    table: &Rows,
    column: usize,
    value: impl Fn(&Json) -> Option<T::T>,
) -> Result<(), ParquetError> {
    let there: Vec<i16> = values(table, column).map(|cell| i16::from(cell.is_some())).collect();
    let values: Vec<T::T> = values(table, column).flatten().filter_map(value).collect();
    let mut writer = group
        .next_column()?
        .ok_or_else(|| ParquetError::General("the schema has fewer columns".to_owned()))?;
    writer.typed::<T>().write_batch(&values, Some(&there), None)?;
    writer.close()
}

#[cfg(test)]
mod tests {
    use super::{Json, Rows, encode};
    use parquet::file::reader::{FileReader as _, SerializedFileReader};

    #[test]
    fn what_is_written_is_read_again_without_a_float() {
        let mut table = Rows::with_columns(vec!["id".into(), "price".into(), "never".into()]);
        for text in [
            r#"{"id":1,"price":"0.10","open":true}"#,
            r#"{"id":9007199254740993,"price":null,"open":false}"#,
            r#"{"id":3,"price":27000.50,"more":[1,2]}"#,
        ] {
            table.push(&Json::read(text).expect("JSON"), &|_, _| None);
        }
        let file = encode(&table).expect("a file");
        let reader = SerializedFileReader::new(bytes(file)).expect("Parquet");
        let rows = reader.get_row_iter(None).expect("rows");
        let rows: Vec<_> = rows.map(|row| row.expect("a row").to_string()).collect();
        assert_eq!(
            rows,
            [
                r#"{id: 1, price: "0.10", never: null, open: true, more: null}"#,
                "{id: 9007199254740993, price: null, never: null, open: false, more: null}",
                r#"{id: 3, price: "27000.50", never: null, open: null, more: "[1,2]"}"#,
            ]
        );
    }

    fn bytes(file: Vec<u8>) -> bitmart::rest::bytes::Bytes {
        file.into()
    }
}
