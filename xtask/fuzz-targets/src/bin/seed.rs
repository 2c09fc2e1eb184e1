//! Writes the published responses and frames into `fuzz/work`, as seeds of a corpus.

use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bitmart_rest::catalog::ENDPOINTS;
use bitmart_ws::catalog;
use flate2::{Compression, write::DeflateEncoder};
use serde_json::Value;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    println!("rest_responses: {} seeds", rest_responses()?);
    println!("ws_frames, ws_session: {} seeds", frames()?);
    println!("ws_book: {} seeds", books()?);
    println!("sim_commands: {} seeds", commands()?);
    Ok(())
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn corpus(target: &str) -> Result<PathBuf> {
    let corpus = here().join("../../fuzz/work").join(target);
    fs::create_dir_all(&corpus)?;
    Ok(corpus)
}

/// Each published response behind the byte of its endpoint.
fn rest_responses() -> Result<usize> {
    let corpus = corpus("rest_responses")?;
    let mut count = 0;
    for (index, entry) in ENDPOINTS.iter().enumerate() {
        let id = entry.metadata.id;
        let folder = here().join("../../crates/bitmart-rest/fixtures").join(id);
        for file in fs::read_dir(folder).into_iter().flatten() {
            let file = file?;
            let fixture: Value = serde_json::from_str(&fs::read_to_string(file.path())?)?;
            if fixture["response"].is_null() {
                continue;
            }
            let mut seed = vec![u8::try_from(index)?];
            seed.extend_from_slice(fixture["response"].to_string().as_bytes());
            fs::write(corpus.join(format!("{id}-{}", file.file_name().display())), seed)?;
            count += 1;
        }
    }
    Ok(count)
}

/// Each published frame: compressed, as text and as the entries of its channel for `ws_frames`, and
/// on a connection for `ws_session`.
fn frames() -> Result<usize> {
    let (frames, sessions) = (corpus("ws_frames")?, corpus("ws_session")?);
    let mut count = 0;
    for folder in fs::read_dir(here().join("../../crates/bitmart-ws/fixtures"))? {
        let folder = folder?;
        for file in fs::read_dir(folder.path())? {
            let file = file?;
            if file.path().extension().is_none_or(|kind| kind != "json") {
                continue;
            }
            let fixture: Value = serde_json::from_str(&fs::read_to_string(file.path())?)?;
            let frame = [&fixture["frame"], &fixture["control"]].into_iter().find(|v| !v.is_null());
            let Some(frame) = frame else { continue };
            let name = format!("{}-{}", folder.file_name().display(), file.file_name().display());
            let text = match frame {
                Value::String(text) => text.clone(),
                frame => frame.to_string(),
            };
            let mut compressed = DeflateEncoder::new(vec![0, 0], Compression::default());
            compressed.write_all(text.as_bytes())?;
            fs::write(frames.join(format!("deflate-{name}")), compressed.finish()?)?;
            fs::write(frames.join(format!("text-{name}")), [&[1, 0], text.as_bytes()].concat())?;
            let channel = frame["table"].as_str().or(frame["group"].as_str());
            let index = channel.and_then(|channel| {
                catalog::channels().iter().position(|known| {
                    catalog::channel(known.market, channel)
                        .is_some_and(|found| std::ptr::eq(found, known))
                })
            });
            if let Some(index) = index {
                let entries = frame["data"].to_string();
                let seed = [&[1, u8::try_from(index)?], entries.as_bytes()].concat();
                fs::write(frames.join(format!("entries-{name}")), seed)?;
            }
            // Every topic subscribed, connected, time for all commands, the frame, time.
            // Bits of the first byte: 1 is futures, 2 is private.
            let market = u8::from(fixture["ws"] == "futures");
            for access in [0, 2] {
                let before: &[u8] = &[market + access, 0x89, 0x04, 0x77, 0x0a, 0];
                let seed = [before, text.as_bytes()].concat();
                fs::write(sessions.join(format!("{access}-{name}")), seed)?;
            }
            count += 1;
        }
    }
    Ok(count)
}

/// A snapshot and updates, of books with and without a limit of levels.
fn books() -> Result<usize> {
    let corpus = corpus("ws_book")?;
    let levels =
        |prices: std::ops::Range<u8>, choice: u8| prices.flat_map(move |price| [choice, price]);
    let mut count = 0;
    for limit in [0, 3, 7] {
        let mut seed = vec![limit, 0, 20];
        // Both sides around 128, the middle.
        seed.extend(levels(118..138, 0xc3));
        for (event, choice) in [(7, 0x43), (7, 0x03), (5, 0x43), (7, 0x83), (6, 0xc3), (0, 0xc3)] {
            seed.extend([event, 6]);
            seed.extend(levels(125..131, choice));
        }
        fs::write(corpus.join(format!("around-{limit}")), seed)?;
        count += 1;
    }
    Ok(count)
}

/// Random bytes. Each input is many commands.
fn commands() -> Result<usize> {
    let corpus = corpus("sim_commands")?;
    for number in 0..24_u8 {
        let mut state = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(u64::from(number) + 1);
        let bytes = (0..1_200).map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_be_bytes()[0]
        });
        let seed: Vec<u8> = std::iter::once(number % 4).chain(bytes).collect();
        fs::write(corpus.join(format!("random-{number}")), seed)?;
    }
    Ok(24)
}
