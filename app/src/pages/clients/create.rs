//! The form with which an operator creates a service token. Its response shows the secret, so it is not a server function.

use crate::components::tenant_field::TenantField;
use leptos::prelude::*;
use loopiq::domain::Scope;
use loopiq::views::Label;

/// The name of a scope's check box.
fn field(scope: Scope) -> &'static str {
    scope.as_str().strip_prefix("loopiq:").unwrap_or(scope.as_str())
}

fn tick(scope: Scope) -> AnyView {
    view! {
        <label class="tick">
            <input type="checkbox" name=field(scope) value="on" />
            <span>
                {scope.label()} " " <code>{scope.as_str()}</code>
            </span>
        </label>
    }
    .into_any()
}

/// The form.
#[component]
pub(super) fn CreateToken() -> impl IntoView {
    let (of_tenant, of_person): (Vec<Scope>, Vec<Scope>) =
        Scope::ALL.iter().copied().partition(|scope| scope.is_of_tenant());
    view! {
        <section class="card" aria-labelledby="create">
            <h2 id="create">"Create a service token"</h2>
            <p>"For a program without a browser, such as a build. Its secret is shown once."</p>
            <form method="post" action="/do/create-service-token" class="token-form">
                <TenantField />
                <div class="field">
                    <label for="name">"Name"</label>
                    <input id="name" name="name" maxlength="100" autocomplete="off" required />
                </div>
                <fieldset>
                    <legend>"For the tenant: acts for no person"</legend>
                    {of_tenant.into_iter().map(tick).collect_view()}
                </fieldset>
                <fieldset>
                    <legend>"For a person, who accepts it and sees the secret"</legend>
                    {of_person.into_iter().map(tick).collect_view()}
                    <div class="field">
                        <label for="person">"E-mail address of the person"</label>
                        <input id="person" name="person" type="email" maxlength="254" autocomplete="off" />
                    </div>
                </fieldset>
                <div class="field">
                    <label for="days">"Ends after days"</label>
                    <input id="days" name="days" type="number" min="1" max="365" value="90" required />
                </div>
                <button type="submit" class="button primary">
                    "Create"
                </button>
            </form>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scope_has_a_field_of_its_own() {
        let fields: Vec<&str> = Scope::ALL.iter().map(|scope| field(*scope)).collect();
        assert_eq!(fields, ["read", "propose", "import", "catalog", "audit"]);
    }
}
