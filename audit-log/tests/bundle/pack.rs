//! Takes bundles apart and puts files together as a bundle, with correct headers.

use crate::log::{CREATED, Log, key_only};
use crate::python::both;

/// A header as the format has it.
fn header(name: &str, size: usize) -> Vec<u8> {
    let (mode, nobody) = (0o644, 0);
    let text = format!("{name:\0<100}{mode:07o}\0{nobody:07o}\0{nobody:07o}\0{size:011o}\0{CREATED:011o}\0        0");
    let mut block = text.into_bytes();
    block.resize(257, 0);
    block.extend_from_slice(b"ustar\x0000");
    block.resize(329, 0);
    block.extend_from_slice(format!("{nobody:07o}\0{nobody:07o}\0").as_bytes());
    block.resize(512, 0);
    seal(&mut block);
    block
}

/// Computes the checksum again.
pub(crate) fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

pub(crate) fn pack(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, bytes) in files {
        tar.extend(header(name, bytes.len()));
        tar.extend_from_slice(bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

pub(crate) fn unpack(bundle: &[u8]) -> Vec<(String, Vec<u8>)> {
    let files = files(bundle).into_iter();
    files
        .map(|(name, start, end)| (name, bundle[start..end].to_vec()))
        .collect()
}

pub(crate) fn small() -> Vec<u8> {
    Log::new(12, &[3, 5]).bundle()
}

pub(crate) fn refused(bundle: &[u8], reason: &str) {
    assert_eq!(both(bundle, &key_only()), (false, format!("not valid: {reason}")));
}

/// Both verifiers on the bundle with changed files.
pub(crate) fn refused_with(change: impl FnOnce(&mut Vec<(String, Vec<u8>)>), reason: &str) {
    let mut files = unpack(&small());
    change(&mut files);
    refused(&pack(&files), reason);
}

#[test]
fn what_the_tests_pack_is_what_is_written() {
    assert!(pack(&unpack(&small())) == small());
}

/// Where the files of a bundle stand: name, first byte and end of the contents.
pub(crate) fn files(bundle: &[u8]) -> Vec<(String, usize, usize)> {
    let (mut at, mut files) = (0, Vec::new());
    while bundle[at] != 0 {
        let text =
            |from: usize, length: usize| String::from_utf8_lossy(&bundle[at + from..at + from + length]).into_owned();
        let name = text(0, 100).trim_end_matches('\0').to_owned();
        let size = usize::from_str_radix(&text(124, 11), 8).expect("a size");
        files.push((name, at + 512, at + 512 + size));
        at += 512 + size.next_multiple_of(512);
    }
    files
}
