//! A minimal browser: it stores cookies, and does not follow redirects by itself.

use reqwest::{Method, RequestBuilder, header};
use std::collections::BTreeMap;

/// A browser.
pub(crate) struct Browser {
    client: reqwest::Client,
    url: String,
    /// The session's cookie: `loopiq_session=...`.
    pub(crate) cookie: Option<String>,
    /// The other cookies, by name.
    pub(crate) others: BTreeMap<String, String>,
}

/// A response.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// A header's value; empty if the header is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The target of a redirect.
    pub(crate) fn location(&self) -> &str {
        self.header("location")
    }
}

impl Browser {
    pub(crate) fn new(url: &str) -> Self {
        let client = loopiq_server::http_client::builder()
            .unwrap()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        Self {
            client,
            url: url.to_owned(),
            cookie: None,
            others: BTreeMap::new(),
        }
    }

    /// A request that accepts HTML, as a browser sends it.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.program(method, path).header(header::ACCEPT, "text/html,*/*")
    }

    /// A request that does not accept HTML, as a script or another client sends it.
    pub(crate) fn program(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.url)
        };
        let request = self.client.request(method, url);
        let others = self.others.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies: Vec<String> = self.cookie.iter().cloned().chain(others).collect();
        if cookies.is_empty() {
            return request;
        }
        request.header(header::COOKIE, cookies.join("; "))
    }

    /// Sends a request and stores the cookies of the response.
    pub(crate) async fn send(&mut self, request: RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            if pair.starts_with("loopiq_session=") {
                self.cookie = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
            } else if let Some((name, value)) = pair.split_once('=') {
                self.others.remove(name);
                if !value.is_empty() {
                    self.others.insert(name.to_owned(), value.to_owned());
                }
            }
        }
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer {
            status,
            headers,
            text: String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends a form from a page of this site.
    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Answer {
        let request = self
            .request(Method::POST, path)
            .header("sec-fetch-site", "same-origin")
            .form(form);
        self.send(request).await
    }

    /// Opens a page that redirects to the provider, submits the provider's form, and returns the URL of the callback.
    pub(crate) async fn choose(&mut self, page: &str, field: (&str, &str)) -> String {
        let redirect = self.get(page).await;
        assert_eq!(redirect.status, 303, "{}", redirect.text);
        let query = redirect.location().split_once('?').unwrap().1.to_owned();
        let form_page = self.get(redirect.location()).await;
        assert_eq!(form_page.status, 200, "{}", form_page.text);
        let mut form: Vec<(String, String)> = pairs(&query);
        form.push((field.0.to_owned(), field.1.to_owned()));
        let form: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let back = self.post("/demo-idp/authorize", &form).await;
        assert_eq!(back.status, 303, "{}", back.text);
        back.location().to_owned()
    }

    /// A complete sign-in that starts at this page. Returns the response of the callback.
    pub(crate) async fn sign_in(&mut self, email: &str, page: &str) -> Answer {
        let callback = self.choose(page, ("person", email)).await;
        self.get(&callback).await
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    openidconnect::url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}
