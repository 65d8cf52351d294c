//! Addresses with a query string.

use std::fmt::Write;

/// `path`, which may have parameters, with those of `parameters` that are not empty. Everything but letters, digits and `-._~` is percent-encoded.
pub(crate) fn link(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let mut mark = if path.contains('?') { '&' } else { '?' };
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        address.push(mark);
        address.push_str(name);
        address.push('=');
        encode(value, &mut address);
        mark = '&';
    }
    address
}

fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn parameters_are_encoded_and_empty_ones_left_out() {
        assert_eq!(link("/", &[("tab", ""), ("text", "a&b é")]), "/?text=a%26b%20%C3%A9");
        assert_eq!(
            link("/audit", &[("q", "state:executed"), ("from", "2026-11-01")]),
            "/audit?q=state%3Aexecuted&from=2026-11-01"
        );
        assert_eq!(link("/", &[]), "/");
    }
}
