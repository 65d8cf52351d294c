//! A site for the binary: the files that a build leaves, without useful content.

use std::fs;
use std::path::Path;

/// The URL path of the site's script.
pub const SITE_SCRIPT: &str = "/pkg/loopiq.0123456789abcdef.js";

/// Writes the site into this folder.
pub fn write_site(root: &Path) {
    let pkg = root.join("pkg");
    fs::create_dir_all(&pkg).expect("a folder");
    let hash = "0123456789abcdef";
    let write = |path: &Path, text: &str| fs::write(path, text).expect("a file");
    write(
        &root.join("hash.txt"),
        &format!("js: {hash}\nwasm: {hash}\ncss: {hash}\nverifier: {hash}\n"),
    );
    let verifier = pkg.join(format!("verifier-{hash}"));
    fs::create_dir_all(&verifier).expect("a folder");
    write(&verifier.join("main.js"), "export {};");
    write(&root.join("favicon.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    for (extension, text) in [("js", "export default 1;"), ("wasm", "\0asm"), ("css", "body{}")] {
        write(&pkg.join(format!("loopiq.{hash}.{extension}")), text);
        write(
            &pkg.join(format!("loopiq.{hash}.{extension}.br")),
            &format!("packed {extension}"),
        );
    }
}
