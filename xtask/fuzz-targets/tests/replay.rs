//! Replays the committed corpora, so that faults found by fuzzing stay fixed.

use std::fs;
use std::path::Path;

use bitmart_fuzz_targets::TARGETS;

/// The most bytes of all corpora together.
const MAX_BYTES: u64 = 2_000_000;

#[test]
fn every_target_passes_its_corpus() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut size = 0;
    for (name, run) in TARGETS {
        let mut inputs = 0;
        for entry in fs::read_dir(corpora.join(name)).expect("a corpus") {
            let path = entry.expect("an entry").path();
            let input = fs::read(&path).expect("an input");
            size += input.len() as u64;
            inputs += 1;
            // The last printed name is that of a failing input.
            println!("{}", path.display());
            run(&input);
        }
        assert!(inputs >= 20, "{name} has {inputs} inputs");
    }
    assert!(size <= MAX_BYTES, "the corpora have {size} bytes");
}

#[test]
fn every_target_has_a_libfuzzer_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/fuzz_targets");
    let mut programs: Vec<_> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    programs.sort();
    assert_eq!(programs, TARGETS.map(|(name, _)| name));
}
