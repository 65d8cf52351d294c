//! The kind of an installation, demo or production, which its first start decides permanently.

/// The kind of an installation. A demo asks nobody for a password, so a production installation does not accept a
/// demo's identities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallationKind {
    /// The installation has an identity provider of its own, without passwords.
    Demo,
    /// The organisation's identity provider signs people in.
    Production,
}

/// The end of a demo's issuer. The demo's identity provider has the service's own address.
pub const DEMO_ISSUER: &str = "/demo-idp";

impl InstallationKind {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            InstallationKind::Demo => "demo",
            InstallationKind::Production => "production",
        }
    }

    /// Parses the name.
    pub fn parse(name: &str) -> Option<Self> {
        [InstallationKind::Demo, InstallationKind::Production]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// Whether an installation accepts people of this issuer. An installation of unknown kind counts as production.
    pub fn accepts(kind: Option<Self>, issuer: &str) -> bool {
        let is_demo = issuer.trim_end_matches('/').ends_with(DEMO_ISSUER);
        is_demo == (kind == Some(InstallationKind::Demo))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_demos_people_act_in_a_demo_and_nobody_else_does() {
        let (demo, production) = (Some(InstallationKind::Demo), Some(InstallationKind::Production));
        for (kind, issuer, accepted) in [
            (demo, "http://127.0.0.1:3000/demo-idp", true),
            (demo, "https://idp.example", false),
            (production, "http://127.0.0.1:3000/demo-idp", false),
            (production, "http://127.0.0.1:3000/demo-idp/", false),
            (production, "https://idp.example", true),
            (None, "http://127.0.0.1:3000/demo-idp", false),
            (None, "https://idp.example", true),
        ] {
            assert_eq!(InstallationKind::accepts(kind, issuer), accepted, "{kind:?} {issuer}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for kind in [InstallationKind::Demo, InstallationKind::Production] {
            assert_eq!(InstallationKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(InstallationKind::parse("other"), None);
    }
}
