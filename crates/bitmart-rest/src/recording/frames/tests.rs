//! Recordings of frames: cut off, damaged and unknown files.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::{Entry, Header, MAX_LINE, Reader, Writer};

fn entry(number: u64) -> Entry {
    let text = format!(r#"{{"table":"spot/trade","data":[{{"n":{number},"price":"60000.10"}}]}}"#);
    Entry::frame(1_700_000_000_000_000 + number, "spot/trade:BTC_USDT", text)
}

/// A recording with members of ten lines, and the end of each member.
fn recording() -> (Vec<u8>, Vec<usize>) {
    let mut writer =
        Writer::new(Vec::new(), &Header::new("live", ["spot/trade:BTC_USDT"])).expect("begun");
    let mut ends = vec![writer.get_ref().len()];
    for member in 0..3 {
        for line in 0..10 {
            writer.write(&entry(member * 10 + line)).expect("written");
        }
        writer.flush().expect("written");
        ends.push(writer.get_ref().len());
    }
    (writer.finish().expect("finished"), ends)
}

#[test]
fn a_recording_cut_anywhere_gives_what_was_flushed_and_says_that_it_is_truncated() {
    let (file, ends) = recording();
    for cut in ends[0]..=file.len() {
        let mut reader = Reader::new(&file[..cut]).expect("a recording");
        let read: Vec<_> = reader.by_ref().map(|entry| entry.expect("an entry")).collect();
        let flushed = ends.iter().filter(|end| **end <= cut).count() - 1;
        assert!(read.len() >= flushed * 10, "{cut}: {} entries", read.len());
        let expected: Vec<_> = (0..read.len()).map(|number| entry(number as u64)).collect();
        assert_eq!(read, expected, "{cut}");
        assert_eq!(reader.is_truncated(), !ends.contains(&cut), "{cut}");
        assert!(reader.next().is_none());
    }
}

#[test]
fn garbage_after_the_last_member_counts_as_truncation() {
    let (mut file, _) = recording();
    file.extend(b"garbage");
    let mut reader = Reader::new(file.as_slice()).expect("a recording");
    assert_eq!(reader.by_ref().flatten().count(), 30);
    assert!(reader.is_truncated());
}

#[test]
fn rejects_files_that_are_not_recordings() {
    let compressed = |text: &str| {
        let mut member = GzEncoder::new(Vec::new(), Compression::fast());
        member.write_all(text.as_bytes()).expect("packed");
        member.finish().expect("packed")
    };
    let reason = |bytes: &[u8]| Reader::new(bytes).expect_err("rejected").to_string();
    assert!(reason(b"hello, this is text").contains("not a recording"));
    assert!(reason(b"").contains("not a recording"));
    assert!(reason(&compressed("{\"a\":1}\n")).contains("not a recording"));
    let newer = "{\"format\":\"bitmart-recording\",\"version\":2,\"source\":\"\",\"topics\":[]}\n";
    assert!(reason(&compressed(newer)).contains("version 2"));
    // The memory for a line is bounded.
    let header = newer.replace(":2", ":1");
    let long = compressed(&(header.clone() + &"x".repeat(MAX_LINE + 10)));
    let mut reader = Reader::new(long.as_slice()).expect("a recording");
    let error = reader.next().expect("a result").expect_err("too long");
    assert!(error.to_string().contains("line 2 of the recording is too long"));
    let malformed = compressed(&(header + "{\"at\":1}\n"));
    let mut reader = Reader::new(malformed.as_slice()).expect("a recording");
    assert!(reader.next().expect("a result").is_err() && reader.next().is_none());
}
