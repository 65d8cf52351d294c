//! The forms of the catalog page.

use leptos::prelude::*;
use loopiq::domain::PlainText;
use loopiq::views::{CatalogPreview, Outcome};
use serde::{Deserialize, Serialize};

#[cfg(feature = "ssr")]
use {
    super::form_response::FormRequest,
    crate::drafts::{CatalogDraft, LastRelease, ReasonDraft, SessionDraft},
    crate::pages::link::link,
    crate::settings_message::SettingsPage,
    loopiq::catalog::{LARGEST_DRAFT, SourceFile, draft_of},
    loopiq::domain::text::{self, prose},
    loopiq::domain::{Permission, ReleaseId, ReleaseStatus},
    loopiq::engine::{Error, SeenPreview},
};

/// The result of checking a catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogChecked {
    /// What it would change; absent if it could not be checked.
    pub preview: Option<CatalogPreview>,
    /// Why it could not be checked; empty otherwise.
    pub message: PlainText,
}

/// A file of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadedFile {
    /// The name at the person's machine.
    pub name: String,
    /// The text; empty if the file is not a text.
    #[serde(default)]
    pub text: String,
    /// Whether the file is not a text.
    #[serde(default)]
    pub unreadable: bool,
}

/// Checks a catalog without applying it. A plain form is redirected to the page, which shows the preview.
#[server(prefix = "/do", endpoint = "preview-catalog")]
pub async fn preview_catalog(
    /// The YAML.
    #[server(default)]
    source: String,
    /// Files that replace the YAML.
    #[server(default)]
    files: Vec<UploadedFile>,
    /// `on` to retire what the catalog does not declare.
    #[server(default)]
    prune: String,
) -> Result<CatalogChecked, ServerFnError> {
    let request = FormRequest::from_context()?;
    let (draft, unreadable) = draft(&source, &files, &prune);
    let services = &request.services;
    let preview = match unreadable {
        None => {
            services
                .engine
                .preview_catalog_draft(&services.ctx, &draft.source, draft.prune)
                .await
        }
        Some(error) => Err(error),
    };
    let checked = match preview {
        Ok(preview) => CatalogChecked {
            preview: Some(preview),
            message: PlainText::default(),
        },
        Err(error) => {
            FormRequest::set_status(&error);
            CatalogChecked {
                preview: None,
                message: error.to_string().into(),
            }
        }
    };
    if request.is_shown_by_page() {
        keep(&request, &draft).await;
        if checked.preview.is_none() {
            let refused = Outcome::new(false, checked.message.clone());
            request.respond_on(SettingsPage::Catalog, refused).await;
        } else {
            FormRequest::redirect_to(SettingsPage::Catalog.path());
        }
    }
    Ok(checked)
}

/// Applies the catalog that a preview has shown.
#[server(prefix = "/do", endpoint = "apply-catalog")]
pub async fn apply_catalog(
    /// The YAML.
    #[server(default)]
    source: String,
    /// Files that replace the YAML. No preview has shown them, so they become the draft, and nothing is applied.
    #[server(default)]
    files: Vec<UploadedFile>,
    /// `on` to retire what the catalog does not declare.
    #[server(default)]
    prune: String,
    /// The digest of the preview.
    #[server(default)]
    digest: String,
    /// `on` to confirm that records are retired.
    #[server(default)]
    retire: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let (draft, unreadable) = draft(&source, &files, &prune);
    let seen = SeenPreview {
        digest,
        confirms_retirement: retire == "on",
    };
    let services = &request.services;
    let applied = match unreadable {
        None => {
            services
                .engine
                .apply_catalog_draft(&services.ctx, &draft.source, draft.prune, seen)
                .await
        }
        Some(error) => Err(error),
    };
    let outcome = match applied {
        Ok(message) => Outcome::new(true, message),
        Err(error) => {
            FormRequest::set_status(&error);
            let message = match error {
                Error::DigestMismatch => {
                    "Nothing was changed: the text or the records are not those of the preview any more. Read the new preview, and apply it then."
                        .to_owned()
                }
                error => error.to_string(),
            };
            Outcome::new(false, message)
        }
    };
    if request.is_shown_by_page() {
        match outcome.done {
            true => CatalogDraft::discard(request.session()).await,
            false => keep(&request, &draft).await,
        }
    }
    Ok(request.respond_on(SettingsPage::Catalog, outcome).await)
}

/// Discards the draft in the session. The catalog does not change.
#[server(prefix = "/do", endpoint = "discard-catalog-draft")]
pub async fn discard_catalog_draft() -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    CatalogDraft::discard(request.session()).await;
    let outcome = Outcome::new(true, "Draft discarded.");
    Ok(request.respond_on(SettingsPage::Catalog, outcome).await)
}

/// Sets the status of a release.
#[server(prefix = "/do", endpoint = "set-release-status")]
pub async fn set_release_status(
    /// The ID or key of the release.
    #[server(default)]
    release: String,
    /// The status.
    #[server(default)]
    status: String,
    /// The text that the releases on the page contain.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let services = &request.services;
    let done = match ReleaseStatus::parse(&status) {
        Some(status) => {
            services
                .engine
                .set_release_status(&services.ctx, &release, status)
                .await
        }
        None => Err(Error::field("/status", "is not a status of releases")),
    };
    let outcome = FormRequest::outcome(done);
    Ok(respond_at_release(&request, &release, &text, outcome).await)
}

/// Grants or refuses a certification.
#[server(prefix = "/do", endpoint = "decide-certification")]
pub async fn decide_certification(
    /// The ID or key of the certification.
    #[server(default)]
    certification: String,
    /// `grant` or `refuse`.
    #[server(default)]
    decision: String,
    /// The reason.
    #[server(default)]
    reason: String,
    /// The ID of its release, to whose card the browser returns.
    #[server(default)]
    release: String,
    /// The text that the releases on the page contain.
    #[server(default)]
    text: String,
) -> Result<Outcome, ServerFnError> {
    let request = FormRequest::from_context()?;
    let (engine, ctx) = (&request.services.engine, &request.services.ctx);
    let done = match decision.as_str() {
        "grant" => engine.grant_certification(ctx, &certification, &reason).await,
        "refuse" => engine.refuse_certification(ctx, &certification, &reason).await,
        _ => Err(Error::field("/decision", "is neither grant nor refuse")),
    };
    let outcome = FormRequest::outcome(done);
    // The reason is also kept if the person was denied, because roles can change while the page is open.
    if request.is_plain() && reason.len() <= LARGEST_REASON {
        let draft = ReasonDraft { certification, reason };
        match outcome.done {
            true => ReasonDraft::discard(request.session()).await,
            false => draft.put(request.session()).await,
        }
    }
    Ok(respond_at_release(&request, &release, &text, outcome).await)
}

/// Responds to a form of a release: the browser returns to its card, in the same filtered list.
#[cfg(feature = "ssr")]
async fn respond_at_release(request: &FormRequest, release: &str, text: &str, outcome: Outcome) -> Outcome {
    let mut path = link(SettingsPage::Catalog.path(), &[("text", text)]);
    // Text that is not an ID never becomes part of a Location header.
    if ReleaseId::parse(release).is_ok() {
        path.push_str("#release-");
        path.push_str(release);
        if request.is_shown_by_page() {
            let release = release.to_owned();
            LastRelease { release }.put(request.session()).await;
        }
    }
    request.respond_at(SettingsPage::Catalog, &path, outcome).await
}

/// The longest reason that the session keeps, in bytes. The engine refuses shorter ones already.
#[cfg(feature = "ssr")]
const LARGEST_REASON: usize = 8 << 10;

/// The draft that was sent: the text, or the files instead. Browsers end the lines of a text area with CR LF. If a file is not a text, the draft is the
/// text as it was, with the reason.
#[cfg(feature = "ssr")]
fn draft(source: &str, files: &[UploadedFile], prune: &str) -> (CatalogDraft, Option<Error>) {
    let with = |source: String| CatalogDraft {
        source: source.replace("\r\n", "\n"),
        prune: prune == "on",
    };
    if files.is_empty() {
        return (with(source.to_owned()), None);
    }
    let unreadable: Vec<String> = files
        .iter()
        .filter(|file| file.unreadable)
        .map(|file| file.name.clone())
        .collect();
    if !unreadable.is_empty() {
        let verb = if unreadable.len() == 1 {
            "is not a text"
        } else {
            "are not texts"
        };
        let message = format!(
            "{} {verb} in UTF-8, so no file was read. Choose YAML files.",
            prose::listed(&unreadable)
        );
        return (
            with(source.to_owned()),
            Some(Error::Setting {
                message: text::visible(&message),
            }),
        );
    }
    let files = files.iter().map(|file| SourceFile {
        name: file.name.clone(),
        text: file.text.clone(),
    });
    (with(draft_of(&files.collect::<Vec<_>>())), None)
}

/// Stores the draft if the person is allowed to see it on the page, and if the session can hold it.
#[cfg(feature = "ssr")]
async fn keep(request: &FormRequest, draft: &CatalogDraft) {
    if request.services.may(Permission::Configure) && draft.source.len() <= LARGEST_DRAFT {
        draft.put(request.session()).await;
    }
}
