//! The MCP App `ui://loopiq/action.html` (extension `io.modelcontextprotocol/ui`): a page that a client shows next to a proposal. The page has the
//! preview as text and one link to the review; it loads nothing, and nothing on it decides.

use rmcp::model::{ErrorData, JsonObject, MetaObject, Resource, ResourceContents};
use serde_json::{Value, json};

/// The address of the page.
pub(super) const URI: &str = "ui://loopiq/action.html";
/// The identifier of the extension.
pub(super) const EXTENSION: &str = "io.modelcontextprotocol/ui";

const MIME_TYPE: &str = "text/html;profile=mcp-app";
const PAGE: &str = include_str!("action.html");

/// The `_meta` of a tool that proposes actions.
pub(super) fn tool_meta() -> MetaObject {
    meta(json!({ "ui": { "resourceUri": URI } }))
}

/// The `_meta` of the page: no network, no other permission.
fn page_meta() -> MetaObject {
    let csp = json!({ "connectDomains": [], "resourceDomains": [], "frameDomains": [], "baseUriDomains": [] });
    meta(json!({ "ui": { "csp": csp, "permissions": {}, "prefersBorder": true } }))
}

fn meta(fields: Value) -> MetaObject {
    let fields: JsonObject = match fields {
        Value::Object(fields) => fields,
        _ => JsonObject::new(),
    };
    MetaObject::from(fields)
}

/// The page in the list of resources.
pub(super) fn resource() -> Resource {
    Resource::new(URI, "action")
        .with_title("Preview of a proposed action")
        .with_description("Shows what an action would write, and links to its review.")
        .with_mime_type(MIME_TYPE)
        .with_size(PAGE.len() as u64)
        .with_meta(page_meta())
}

/// The page, if the address is its own.
pub(super) fn read(uri: &str) -> Result<ResourceContents, ErrorData> {
    if uri != URI {
        let why = format!("There is no such resource. The only one is {URI}.");
        return Err(ErrorData::invalid_params(why, Some(json!({ "uri": uri }))));
    }
    Ok(ResourceContents::text(PAGE, URI)
        .with_mime_type(MIME_TYPE)
        .with_meta(page_meta()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use sha2::{Digest, Sha256};

    /// The part of the page between two tags.
    fn part(from: &str, to: &str) -> &'static str {
        let (_, rest) = PAGE.split_once(from).unwrap();
        rest.split_once(to).unwrap().0
    }

    #[test]
    fn the_page_permits_only_its_own_script_and_style_and_no_network() {
        let hash = |text: &str| base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text));
        let policy = part("Content-Security-Policy\" content=\"", "\"");
        let (script, style) = (hash(part("<script>", "</script>")), hash(part("<style>", "</style>")));
        assert_eq!(
            policy,
            format!("default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'"),
            "write these hashes into the page after a change"
        );
    }

    #[test]
    fn the_page_writes_text_only_and_decides_nothing() {
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacent",
            "document.write",
            "eval(",
            "fetch(",
            "XMLHttp",
            "import(",
            "<img",
            "<form",
            "<button",
            "tools/call",
            "http://",
            "localStorage",
        ] {
            assert!(!PAGE.contains(word), "{word}");
        }
        assert_eq!(PAGE.matches("<a ").count(), 1);
        assert!(PAGE.len() < 12_000, "{}", PAGE.len());
    }
}
