//! Request parameters, parsed by the rules of OAuth.

/// The parameters of one request, from its query or its form.
pub(crate) struct Params(Vec<(String, String)>);

/// A parameter was sent more than once, which RFC 6749 (3.1 and 3.2) forbids: two parsers could understand two different requests.
#[derive(Debug)]
pub(crate) struct Repeated;

impl Params {
    pub(crate) fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The value of a parameter. An empty one counts as missing (RFC 6749, 3.1).
    pub(crate) fn get(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        let first = found.next();
        if found.next().is_some() {
            return Err(Repeated);
        }
        Ok(first.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty()))
    }
    /// The values of a parameter that may be sent more than once, as RFC 8707 says of `resource`.
    pub(crate) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}
