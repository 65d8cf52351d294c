//! Sends a form without leaving the page. The response's body has the outcome, also for a refusal with an error status. (The generated clients
//! of server functions treat every status above 399 as a failure of the function.)

use leptos::ev::SubmitEvent;
use serde::de::DeserializeOwned;

/// No response, or one that cannot be parsed: the outcome of the form is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NoResponse;

/// A form to send.
pub(super) struct Form(#[cfg(feature = "hydrate")] browser::Form);

#[cfg(feature = "hydrate")]
impl Form {
    /// The submitted form with the address of the button that was pressed. `None` if the browser cannot read the form; it then sends the plain
    /// form.
    pub(super) fn of(event: &SubmitEvent) -> Option<Self> {
        browser::Form::of(event).map(Self)
    }

    /// A form with one field.
    pub(super) fn with(path: &'static str, name: &str, value: &str) -> Option<Self> {
        browser::Form::with(path, name, value).map(Self)
    }

    /// Sends the form and parses the JSON of the response.
    pub(super) async fn post<T: DeserializeOwned>(self) -> Result<T, NoResponse> {
        let text = self.0.post().await.ok_or(NoResponse)?;
        serde_json::from_str(&text).map_err(|_| NoResponse)
    }
}

#[cfg(not(feature = "hydrate"))]
impl Form {
    pub(super) fn of(_: &SubmitEvent) -> Option<Self> {
        None
    }

    pub(super) fn with(_: &'static str, _: &str, _: &str) -> Option<Self> {
        None
    }

    pub(super) async fn post<T: DeserializeOwned>(self) -> Result<T, NoResponse> {
        Err(NoResponse)
    }
}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::ev::SubmitEvent;
    use wasm_bindgen::JsCast as _;
    use wasm_bindgen_futures::JsFuture;
    use web_sys::{FormData, HtmlFormElement, Request, RequestInit, Response, UrlSearchParams};

    pub(super) struct Form {
        path: String,
        fields: UrlSearchParams,
    }

    impl Form {
        pub(super) fn of(event: &SubmitEvent) -> Option<Self> {
            let form: HtmlFormElement = event.target()?.dyn_into().ok()?;
            let button = event.submitter();
            let path = button
                .as_ref()
                .and_then(|button| button.get_attribute("formaction"))
                .or_else(|| form.get_attribute("action"))?;
            let fields = FormData::new_with_form(&form).ok()?;
            let fields = UrlSearchParams::new_with_str_sequence_sequence(&fields).ok()?;
            Some(Self { path, fields })
        }

        pub(super) fn with(path: &'static str, name: &str, value: &str) -> Option<Self> {
            let fields = UrlSearchParams::new().ok()?;
            fields.append(name, value);
            Some(Self {
                path: path.to_owned(),
                fields,
            })
        }

        pub(super) async fn post(self) -> Option<String> {
            let options = RequestInit::new();
            options.set_method("POST");
            options.set_body(&self.fields);
            let request = Request::new_with_str_and_init(&self.path, &options).ok()?;
            request.headers().set("accept", "application/json").ok()?;
            let sent = web_sys::window()?.fetch_with_request(&request);
            let answer: Response = JsFuture::from(sent).await.ok()?.dyn_into().ok()?;
            JsFuture::from(answer.text().ok()?).await.ok()?.as_string()
        }
    }
}
