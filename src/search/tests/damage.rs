//! Files that are damaged, cut off, of another version or gone.

use super::*;

#[test]
fn an_index_whose_folder_cannot_be_used_is_in_memory() {
    let (temp, acme) = (tempfile::tempdir().unwrap(), tenant("acme"));
    fs::write(temp.path().join("search"), "a file instead of a folder").unwrap();
    let index = in_folder(&temp);
    index.open().unwrap();
    fill(&index, &acme, 1..=40);
    assert_eq!(find(&index, &acme, &["entry"]).len(), 40);
    assert!(index.size().entries > 0, "stored, in memory");
    index.distrust();
    index.open().unwrap();
    assert_eq!(index.end(&acme), LogPosition::default());

    fs::remove_file(temp.path().join("search")).unwrap();
    index.distrust();
    index.open().unwrap();
    fill(&index, &acme, 1..=40);
    assert!(!files(&temp).is_empty(), "stored in the folder when it can be used");
}

#[test]
fn a_damaged_index_is_replaced_by_an_empty_one() {
    type Damage = fn(&PathBuf, Vec<u8>);
    let damages: [(&str, Damage); 4] = [
        ("cut off", |file, bytes| {
            fs::write(file, &bytes[..bytes.len() / 2]).unwrap()
        }),
        ("emptied", |file, _| fs::write(file, b"").unwrap()),
        ("changed", |file, mut bytes| {
            let middle = bytes.len() / 3;
            bytes[middle] ^= 0x55;
            fs::write(file, bytes).unwrap();
        }),
        ("removed", |file, _| fs::remove_file(file).unwrap()),
    ];
    let acme = tenant("acme");
    let (sound, index) = filled();
    drop(index);
    // One file of each kind.
    let mut kinds = BTreeMap::new();
    for file in files(&sound) {
        kinds.insert(
            file.extension().map(|end| end.to_owned()),
            file.file_name().map(|name| name.to_owned()),
        );
    }
    assert!(kinds.len() > 5, "{kinds:?}");
    let names: BTreeSet<_> = kinds
        .into_values()
        .flatten()
        .chain(["meta.json".into(), ".managed.json".into()])
        .collect();
    for name in names {
        for (what, damage) in damages {
            let temp = tempfile::tempdir().unwrap();
            let folder = temp.path().join("search/1");
            fs::create_dir_all(&folder).unwrap();
            for file in files(&sound) {
                fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
            }
            let file = folder.join(&name);
            damage(&file, fs::read(&file).unwrap());
            let index = in_folder(&temp);
            index.open().unwrap();
            // Either nothing is left of the old index, or the damage does not matter, as of the list of files.
            let end = index.end(&acme).seq;
            let expected: Vec<i64> = (1..=end).rev().collect();
            assert_eq!(find(&index, &acme, &["entry"]), expected, "{name:?} {what}");
            let may_be_sound = name == "meta.json" || name == ".managed.json";
            assert!(
                end == 0 || (may_be_sound && what == "changed"),
                "{name:?} {what}: {end}"
            );
        }
    }
}

#[test]
fn an_index_of_another_version_is_replaced() {
    let (temp, index) = filled();
    drop(index);
    let meta = temp.path().join("search/1/meta.json");
    let text = fs::read_to_string(&meta).unwrap();
    let other = text.replace(&crate::audit::terms_fingerprint(), "another");
    assert_ne!(text, other);
    fs::write(&meta, other).unwrap();
    let index = in_folder(&temp);
    index.open().unwrap();
    assert_eq!((index.end(&tenant("acme")), index.size().entries), (position(0), 0));
}

#[test]
fn a_file_that_is_cut_off_meanwhile_gives_an_error_and_then_an_empty_index() {
    let (temp, index) = filled();
    let acme = tenant("acme");
    for file in files(&temp) {
        if file.extension().is_some_and(|end| end == "idx" || end == "term") {
            fs::File::options()
                .write(true)
                .open(&file)
                .unwrap()
                .set_len(10)
                .unwrap();
        }
    }
    assert!(index.search(&acme, &query(&[&own(3)]), (40, i64::MAX), 9).is_err());
    assert!(!index.is_open());
    index.open().unwrap();
    assert_eq!(index.end(&acme), position(0));
    fill(&index, &acme, 1..=9);
    assert_eq!(find(&index, &acme, &[&own(3)]), [3]);
}

#[test]
fn a_folder_that_is_gone_is_made_again() {
    let (temp, index) = filled();
    let acme = tenant("acme");
    fs::remove_dir_all(temp.path().join("search")).unwrap();
    assert_eq!(find(&index, &acme, &[&own(3)]), [3], "the open files are still there");
    let mut broken = false;
    for seq in 41..=60 {
        if !index.is_open() {
            index.open().unwrap();
        }
        let end = index.end(&acme);
        assert!(index.add(&acme, &end, vec![document(&acme, seq, &["entry"])], position(seq)));
        broken |= index.is_due() && index.store().is_err();
    }
    assert!(broken, "the failure is reported");
    assert!(temp.path().join("search/1/meta.json").exists());
}
