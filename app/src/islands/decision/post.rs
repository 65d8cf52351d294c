//! Sending a form in place. The answer's body says what became of it, whatever its status: a refusal is an answer too. (The client
//! halves of server functions take every status above 399 for a failure of the function itself.)

use leptos::ev::SubmitEvent;
use serde::de::DeserializeOwned;

/// No answer came, or none that can be read: it is not known what became of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost;

/// A form that is ready to be sent.
pub(super) struct Form(#[cfg(feature = "hydrate")] browser::Form);

#[cfg(feature = "hydrate")]
impl Form {
    /// The form that somebody has sent off, with the address and the value of the button they pressed. `None`: the browser cannot
    /// read it, and sends the plain form, which works as well.
    pub(super) fn of(event: &SubmitEvent) -> Option<Self> {
        browser::Form::of(event).map(Self)
    }

    /// A form with one field.
    pub(super) fn with(path: &'static str, name: &str, value: &str) -> Option<Self> {
        browser::Form::with(path, name, value).map(Self)
    }

    /// Sends it, and reads the JSON that comes back.
    pub(super) async fn post<T: DeserializeOwned>(self) -> Result<T, Lost> {
        let text = self.0.post().await.ok_or(Lost)?;
        serde_json::from_str(&text).map_err(|_| Lost)
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

    pub(super) async fn post<T: DeserializeOwned>(self) -> Result<T, Lost> {
        Err(Lost)
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
