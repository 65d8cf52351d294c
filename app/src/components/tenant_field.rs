//! The hidden field of forms that names their page's tenant.

use crate::services::Services;
use leptos::prelude::*;
use std::sync::Arc;

/// The tenant of the page, in every form of a page. If the person has switched to another tenant in another window, the service changes nothing there.
#[component]
pub(crate) fn TenantField() -> impl IntoView {
    let tenant = use_context::<Arc<Services>>().map(|services| services.ctx.tenant().to_string());
    view! { <input type="hidden" name="tenant" value=tenant /> }
}
