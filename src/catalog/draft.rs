//! The draft of a catalog in a browser: one text for several files. A line `--- # file: NAME` begins a file, which is also how YAML separates
//! documents, so that the text stays valid YAML.

use super::SourceFile;
use crate::domain::text::visible;

/// The beginning of the line before a file. The name of the file follows.
const SEPARATOR: &str = "--- # file: ";
/// The name of what a person has typed.
const TYPED: &str = "catalog";

/// One text for these files.
pub fn draft_of(files: &[SourceFile]) -> String {
    let mut draft = String::new();
    for file in files {
        if !draft.is_empty() && !draft.ends_with('\n') {
            draft.push('\n');
        }
        draft.push_str(SEPARATOR);
        draft.push_str(&visible(&file.name).replace(['\n', '\r'], " "));
        draft.push('\n');
        let text = file.text.replace("\r\n", "\n");
        for line in without_mark(&text).split_inclusive('\n') {
            // With one more space the line is still a separator of documents, but does not begin a file.
            match line.strip_prefix(SEPARATOR) {
                Some(rest) => draft.extend(["---  # file: ", rest]),
                None => draft.push_str(line),
            }
        }
    }
    draft
}

/// The files of a draft. What precedes the first file is what a person has typed.
pub fn files_of(draft: &str) -> Vec<SourceFile> {
    let mut files = vec![SourceFile {
        name: TYPED.to_owned(),
        text: String::new(),
    }];
    for line in without_mark(draft).split_inclusive('\n') {
        let name = line
            .strip_prefix(SEPARATOR)
            .map(str::trim)
            .filter(|name| !name.is_empty());
        match (name, files.last_mut()) {
            (Some(name), _) => files.push(SourceFile {
                name: name.to_owned(),
                text: String::new(),
            }),
            (None, Some(file)) => file.text.push_str(line),
            (None, None) => {}
        }
    }
    if files.len() > 1 && files[0].text.trim().is_empty() {
        files.remove(0);
    }
    files
}

/// The text without the byte order mark that some editors write at its beginning.
pub(super) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}
