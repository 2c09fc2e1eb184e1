use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::{Entry, Header, LONGEST_LINE, Reader, Writer};

fn entry(number: u64) -> Entry {
    let text = format!(r#"{{"table":"spot/trade","data":[{{"n":{number},"price":"60000.10"}}]}}"#);
    Entry::frame(1_700_000_000_000_000 + number, "spot/trade:BTC_USDT", text)
}

/// Members of ten lines each, and where each ends.
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
fn a_recording_cut_anywhere_gives_what_was_flushed_and_says_that_it_is_torn() {
    let (file, ends) = recording();
    for cut in ends[0]..=file.len() {
        let mut reader = Reader::new(&file[..cut]).expect("a recording");
        let read: Vec<_> = reader.by_ref().map(|entry| entry.expect("an entry")).collect();
        let flushed = ends.iter().filter(|end| **end <= cut).count() - 1;
        assert!(read.len() >= flushed * 10, "{cut}: {} entries", read.len());
        let whole: Vec<_> = (0..read.len()).map(|number| entry(number as u64)).collect();
        assert_eq!(read, whole, "{cut}");
        assert_eq!(reader.is_torn(), !ends.contains(&cut), "{cut}");
        assert!(reader.next().is_none());
    }
}

#[test]
fn garbage_behind_the_last_member_is_a_tear() {
    let (mut file, _) = recording();
    file.extend(b"no member");
    let mut reader = Reader::new(file.as_slice()).expect("a recording");
    assert_eq!(reader.by_ref().flatten().count(), 30);
    assert!(reader.is_torn());
}

#[test]
fn what_is_no_recording_is_refused() {
    let packed = |text: &str| {
        let mut member = GzEncoder::new(Vec::new(), Compression::fast());
        member.write_all(text.as_bytes()).expect("packed");
        member.finish().expect("packed")
    };
    let why = |bytes: &[u8]| Reader::new(bytes).expect_err("refused").to_string();
    assert!(why(b"hello, this is text").contains("no recording"));
    assert!(why(b"").contains("no recording"));
    assert!(why(&packed("{\"a\":1}\n")).contains("no recording"));
    let newer = "{\"format\":\"bitmart-recording\",\"version\":2,\"source\":\"\",\"topics\":[]}\n";
    assert!(why(&packed(newer)).contains("version 2"));
    // A line without an end takes no more memory than the longest one.
    let header = newer.replace(":2", ":1");
    let long = packed(&(header.clone() + &"x".repeat(LONGEST_LINE + 10)));
    let mut reader = Reader::new(long.as_slice()).expect("a recording");
    let error = reader.next().expect("an answer").expect_err("too long");
    assert!(error.to_string().contains("line 2 of the recording is too long"));
    let broken = packed(&(header + "{\"at\":1}\n"));
    let mut reader = Reader::new(broken.as_slice()).expect("a recording");
    assert!(reader.next().expect("an answer").is_err() && reader.next().is_none());
}
