use super::{
    NewRows, Rewrite, Store, StoredResponse, file_name_part, raw_path, rows_path, versions_path,
};

#[test]
fn encodes_any_symbol_as_a_file_name() {
    let folder = tempfile::tempdir().expect("a folder");
    for (symbol, wanted) in
        [("BTC_USDT", "BTC_USDT"), ("../x", "%2E%2E%2Fx"), ("币_USDT", "%E5%B8%81_USDT")]
    {
        assert_eq!(file_name_part(symbol), wanted);
        let name = format!("margin-loans-{wanted}");
        assert!(Store::open(folder.path(), &name, "margin_borrow_records").is_ok());
    }
    assert!(Store::open(folder.path(), "../x", "margin_borrow_records").is_err());
}

#[test]
fn truncates_files_to_the_valid_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let mut store = Store::open(folder, "orders", "spot_order_history").expect("it opens");
    let response = StoredResponse::new(serde_json::Value::Null, b"{\n}");
    let lines = b"{\"id\":1}\n";
    let added = NewRows {
        response: &response,
        lines,
        rows: 1,
        span: Some((3, 4)),
        cursor: None,
        replaced: &[],
    };
    store.append(&added).expect("it is stored");
    drop(store);
    // As if the program had been killed between the rows of a page and its state.
    let paths = [rows_path(folder, "orders"), raw_path(folder, "orders")];
    let kept: Vec<_> = paths.iter().map(|path| std::fs::read(path).expect("a file")).collect();
    for (path, kept) in paths.iter().zip(&kept) {
        std::fs::write(path, [kept, &b"{\"id\":2}\n{\"id"[..]].concat()).expect("written");
    }
    let store = Store::open(folder, "orders", "spot_order_history").expect("it opens again");
    for (path, kept) in paths.iter().zip(&kept) {
        assert_eq!(&std::fs::read(path).expect("a file"), kept);
    }
    assert_eq!((store.state.rows, store.state.bytes, store.state.span), (1, 9, Some((3, 4))));
    // A file shorter than the valid bytes is an error.
    std::fs::write(&paths[1], b"{").expect("written");
    assert!(Store::open(folder, "orders", "spot_order_history").is_err());
}

#[test]
fn a_missing_file_of_a_dataset_is_an_error_and_is_not_created() {
    let response = StoredResponse::new(serde_json::Value::Null, b"{}");
    for path in [rows_path, raw_path] {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let mut store = Store::open(folder, "orders", "spot_order_history").expect("it opens");
        let (response, lines) = (&response, &b"{\"id\":1}\n"[..]);
        let added = NewRows { response, lines, rows: 1, span: None, cursor: None, replaced: &[] };
        store.append(&added).expect("it is stored");
        drop(store);
        let path = path(folder, "orders");
        std::fs::remove_file(&path).expect("removed");
        let error = Store::open(folder, "orders", "spot_order_history").expect_err("it is missing");
        assert!(format!("{error:?}").contains("missing"), "{error:?}");
        assert!(!path.exists(), "{}", path.display());
    }
}

#[test]
fn moving_replaced_rows_survives_an_interruption() {
    let response = StoredResponse::new(serde_json::Value::Null, b"{}");
    // Before and after the new file of rows replaces the old one.
    for renamed in [false, true] {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path();
        let mut store = Store::open(folder, "orders", "spot_order_history").expect("it opens");
        for (lines, replaced) in
            [(&b"{\"id\":1}\n{\"id\":2}\n"[..], &[][..]), (&b"{\"id\":\"one\"}\n"[..], &[(0, 9)])]
        {
            let rows = lines.split(|letter| *letter == b'\n').count() - 1;
            let added =
                NewRows { response: &response, lines, rows, span: None, cursor: None, replaced };
            store.append(&added).expect("it is stored");
        }
        store.state.rewrite = Some(Rewrite { bytes: 22, version_bytes: 9 });
        store.save().expect("written");
        drop(store);
        let new = b"{\"id\":2}\n{\"id\":\"one\"}\n";
        if renamed {
            std::fs::create_dir(folder.join("versions")).expect("a folder");
            std::fs::write(versions_path(folder, "orders"), b"{\"id\":1}\n").expect("written");
            std::fs::write(rows_path(folder, "orders"), new).expect("written");
        }
        let mut store = Store::open(folder, "orders", "spot_order_history").expect("it opens");
        assert_eq!(store.state.replaced.is_empty(), renamed);
        store.finish().expect("it ends");
        drop(store);
        assert_eq!(std::fs::read(rows_path(folder, "orders")).expect("rows"), new);
        let versions = std::fs::read(versions_path(folder, "orders")).expect("versions");
        assert_eq!(versions, b"{\"id\":1}\n");
        let state = super::read_state(folder, "orders").expect("a state");
        assert_eq!((state.rows, state.versions, state.bytes, state.version_bytes), (2, 1, 22, 9));
    }
}
