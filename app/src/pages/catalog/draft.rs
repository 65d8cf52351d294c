//! The draft of a catalog: its form, and what it would change. Both work without a script.

use crate::components::tenant_field::TenantField;
use crate::components::textarea::content;
use crate::drafts::CatalogDraft;
use crate::server_fns::{ApplyCatalog, DiscardCatalogDraft, PreviewCatalog};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use loopiq::catalog::LARGEST_DRAFT;
use loopiq::domain::PlainText;
use loopiq::domain::text::prose::counted;
use loopiq::views::CatalogPreview;

/// The text and its buttons. It is open while there is a draft. The Enter key presses the first button, which changes nothing.
#[component]
pub(super) fn DraftForm(
    /// The draft; empty without one.
    draft: CatalogDraft,
    /// The digest of the preview on the page; empty if nothing can be applied.
    digest: String,
    /// The number of records that the preview retires.
    retires: usize,
) -> impl IntoView {
    let is_draft = !draft.source.is_empty();
    let can_be_applied = !digest.is_empty();
    view! {
        <details class="card catalog-draft" open=is_draft>
            <summary>
                <h2>"Apply a catalog"</h2>
            </summary>
            <form method="post" action=PreviewCatalog::url() enctype="multipart/form-data">
                <TenantField />
                <input type="hidden" name="digest" value=digest />
                <div class="field">
                    <label for="source">"Catalog (YAML, of this service or of Backstage)"</label>
                    <textarea
                        id="source"
                        name="source"
                        rows="16"
                        spellcheck="false"
                        autocapitalize="off"
                        autocomplete="off"
                        aria-describedby="source-hint"
                    >
                        {content(&draft.source)}
                    </textarea>
                    <p class="quiet" id="source-hint">
                        "At most " {LARGEST_DRAFT >> 10} " KiB. " <code>"loopiq catalog apply"</code> " reads larger ones, and folders. Roles of people change only there."
                    </p>
                </div>
                <div class="field">
                    <label for="files">"Or files, which replace the text"</label>
                    <input id="files" name="files" type="file" multiple accept=".yaml,.yml" />
                </div>
                <label class="check">
                    <input type="checkbox" name="prune" value="on" checked=draft.prune />
                    " Retire teams, components and releases that it does not declare"
                </label>
                {(can_be_applied && retires > 0)
                    .then(|| {
                        view! {
                            <label class="check">
                                <input type="checkbox" name="retire" value="on" required />
                                " Retire "
                                {counted(retires, "record")}
                            </label>
                        }
                    })}
                <div class="buttons">
                    <button type="submit" class="button" formnovalidate>
                        "Preview"
                    </button>
                    {can_be_applied
                        .then(|| {
                            view! {
                                <button type="submit" class="button primary" formaction=ApplyCatalog::url()>
                                    "Apply"
                                </button>
                            }
                        })}
                    {is_draft
                        .then(|| {
                            view! {
                                <button type="submit" class="button plain" formnovalidate formaction=DiscardCatalogDraft::url()>
                                    "Discard draft"
                                </button>
                            }
                        })}
                </div>
            </form>
        </details>
    }
    .into_any()
}

/// What the draft would change, or why it cannot be applied.
#[component]
pub(super) fn Preview(
    /// The preview, or the reason why there is none.
    preview: Result<CatalogPreview, String>,
) -> impl IntoView {
    let preview = match preview {
        Ok(preview) => preview,
        Err(why) => return view! { <p class="outcome" role="alert"><bdi>{PlainText::from(why)}</bdi></p> }.into_any(),
    };
    let CatalogPreview {
        mistakes,
        summary,
        steps,
        more,
        left,
        skipped,
        ..
    } = preview;
    if !mistakes.is_empty() {
        let count = match mistakes.len() {
            1 => "1 mistake".to_owned(),
            count => format!("{count} mistakes"),
        };
        return view! {
            <div class="flash flash-refused mistakes" role="alert" tabindex="-1" autofocus>
                <h2>{count} " in the draft"</h2>
                <ul>{mistakes.into_iter().map(|one| view! { <li><bdi>{one}</bdi></li> }).collect_view()}</ul>
                <p>"Nothing was changed, and your text is kept."</p>
            </div>
        }
        .into_any();
    }
    let has_steps = !steps.is_empty();
    let heading = match steps.len() + more {
        0 => "The draft changes nothing".to_owned(),
        1 => "The draft changes 1 record".to_owned(),
        count => format!("The draft changes {count} records"),
    };
    let rows = steps.into_iter().map(|(effect, record, fields)| {
        view! {
            <li class="step">
                <strong>{effect}</strong>
                " "
                <bdi>{record}</bdi>
                {(!fields.is_empty())
                    .then(|| view! { <ul class="quiet">{fields.into_iter().map(|field| view! { <li><bdi>{field}</bdi></li> }).collect_view()}</ul> })}
            </li>
        }
    });
    view! {
        <section class="card" aria-labelledby="preview" tabindex="-1" autofocus>
            <h2 id="preview">{heading}</h2>
            {has_steps.then(|| view! { <p><strong>{format!("{summary}.")}</strong></p> })}
            <p>"Not applied yet. " {left} " declared records stay as they are."</p>
            <ul class="steps">{rows.collect_view()}</ul>
            {(more > 0).then(|| view! { <p>"And " {more} " more records."</p> })}
            {(!skipped.is_empty())
                .then(|| {
                    view! {
                        <h3>"Not read"</h3>
                        <ul class="notes">{skipped.into_iter().map(|one| view! { <li><bdi>{one}</bdi></li> }).collect_view()}</ul>
                    }
                })}
        </section>
    }
    .into_any()
}
