//! Request parameters, parsed by the rules of OAuth.

/// The parameters of one request, from its query or its form.
pub(super) struct Params(Vec<(String, String)>);

/// A parameter was sent more than once, which RFC 6749 (3.1 and 3.2) forbids: two parsers could understand two different requests.
#[derive(Debug)]
pub(super) struct Repeated;

impl Params {
    pub(super) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The value of a parameter. An empty one counts as missing (RFC 6749, 3.1).
    pub(super) fn get(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        let first = found.next();
        if found.next().is_some() {
            return Err(Repeated);
        }
        Ok(first.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty()))
    }
}
