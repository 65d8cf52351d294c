//! What a person typed into a form that was refused. The page of the refusal shows it, so that nothing is lost.

use openidconnect::url::form_urlencoded;

/// The fields into which people type texts. Other fields of the same forms name records.
const FIELDS: [&str; 4] = ["text", "reason", "note", "source"];

/// The texts of a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TypedText(Vec<String>);

impl TypedText {
    /// The texts in this form (`application/x-www-form-urlencoded`).
    pub(crate) fn of_form(form: &[u8]) -> Self {
        let fields = form_urlencoded::parse(form);
        let texts = fields.filter(|(name, value)| FIELDS.contains(&&**name) && !value.trim().is_empty());
        Self(texts.map(|(_, value)| value.into_owned()).collect())
    }

    /// The texts, in the order of the form.
    pub(crate) fn texts(&self) -> &[String] {
        &self.0
    }
}

/// The value of a field that the form has once.
pub(crate) fn field(form: &[u8], wanted: &str) -> Option<String> {
    let mut values = form_urlencoded::parse(form).filter(|(name, _)| name == wanted);
    match (values.next(), values.next()) {
        (Some((_, value)), None) => Some(value.into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_and_records_are_not() {
        let form = b"tenant=acme&id=act_1&text=a+%3Cb%3E&reason=+&note=%F0%9F%98%80&source=x%0D%0Ay";
        assert_eq!(TypedText::of_form(form).texts(), ["a <b>", "😀", "x\r\ny"]);
        assert_eq!(field(form, "tenant").as_deref(), Some("acme"));
        assert_eq!(field(b"tenant=a&tenant=b", "tenant"), None);
    }
}
