//! Forms with files. Browsers send them as `multipart/form-data`; the server functions read forms without files, so the files become fields.

use axum::body::Body;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use openidconnect::url::form_urlencoded::byte_serialize;
use std::collections::BTreeMap;

/// The server functions whose forms have files.
pub(super) const WITH_FILES: [&str; 3] = ["/do/preview-catalog", "/do/apply-catalog", "/do/discard-catalog-draft"];

/// Whether the body is a form with files.
pub(super) fn is_multipart(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("multipart/form-data"))
}

/// The same request with a form without files: the first file of a field `f` becomes `f[0][name]` and `f[0][text]`, the next one `f[1][name]` and
/// `f[1][text]`. A file that is not a text in UTF-8, or that contains U+0000, has `unreadable` instead of `text`: an empty text is a text. A field without a chosen file is left out. Returns `None` if
/// the body is not such a form.
pub(super) async fn as_form(request: Request) -> Option<Request> {
    let (mut parts, body) = request.into_parts();
    let multipart = Multipart::from_request(Request::from_parts(parts.clone(), body), &()).await;
    let form = encoded(multipart.ok()?).await?;
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    parts.headers.remove(header::CONTENT_LENGTH);
    Some(Request::from_parts(parts, Body::from(form)))
}

async fn encoded(mut multipart: Multipart) -> Option<String> {
    let mut form = String::new();
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    while let Some(part) = multipart.next_field().await.ok()? {
        let name = part.name()?.to_owned();
        // Brackets would give the name a structure.
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase()) {
            return None;
        }
        let file = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.ok()?;
        let text = String::from_utf8(bytes.to_vec())
            .ok()
            .filter(|text| !text.contains('\0'));
        match file {
            None => add(&mut form, &name, &text?),
            Some(file) if file.is_empty() => {}
            Some(file) => {
                let number = files.entry(name.clone()).or_default();
                add(&mut form, &format!("{name}[{number}][name]"), &file.replace('\0', ""));
                match text {
                    Some(text) => add(&mut form, &format!("{name}[{number}][text]"), &text),
                    None => add(&mut form, &format!("{name}[{number}][unreadable]"), "true"),
                }
                *number += 1;
            }
        }
    }
    Some(form)
}

/// Adds a field. Its name needs no encoding.
fn add(form: &mut String, name: &str, value: &str) {
    if !form.is_empty() {
        form.push('&');
    }
    form.push_str(name);
    form.push('=');
    form.extend(byte_serialize(value.as_bytes()));
}
