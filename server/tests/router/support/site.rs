//! A site as the builder leaves it, with files that hold nothing of use.

use std::fs;
use std::path::Path;

#[allow(dead_code, reason = "not every test asks for it")]
pub(crate) const SCRIPT: &str = "/pkg/loopiq.0123456789abcdef.js";

/// Writes it.
pub(crate) fn write(root: &Path) {
    let pkg = root.join("pkg");
    fs::create_dir_all(&pkg).unwrap();
    let hash = "0123456789abcdef";
    fs::write(
        root.join("hash.txt"),
        format!("js: {hash}\nwasm: {hash}\ncss: {hash}\n"),
    )
    .unwrap();
    fs::write(root.join("favicon.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    for (extension, text) in [("js", "export default 1;"), ("wasm", "\0asm"), ("css", "body{}")] {
        fs::write(pkg.join(format!("loopiq.{hash}.{extension}")), text).unwrap();
        fs::write(
            pkg.join(format!("loopiq.{hash}.{extension}.br")),
            format!("packed {extension}"),
        )
        .unwrap();
    }
}
