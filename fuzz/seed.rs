//! Writes the corpus of `rest_answers`: each published answer behind the byte of its endpoint.

use std::error::Error;
use std::fs;
use std::path::Path;

use bitmart_rest::catalog::ENDPOINTS;
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let corpus = here.join("corpus/rest_answers");
    fs::create_dir_all(&corpus)?;
    let mut count = 0;
    for (index, entry) in ENDPOINTS.iter().enumerate() {
        let id = entry.metadata.id;
        let folder = here.join("../crates/bitmart-rest/fixtures").join(id);
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
    println!("{count} seeds");
    Ok(())
}
