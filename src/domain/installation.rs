//! What an installation is: a demo or production, from its first start and for ever.

/// What an installation is. Nobody is asked for a password in a demo, so nothing that it trusts is trusted in production.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstallationKind {
    /// Its identity provider is its own, and signs people in without a password.
    Demo,
    /// Its identity provider is the organisation's.
    Production,
}

/// How the issuer of a demo's identity provider ends: the provider lives at the service's own address.
pub const DEMO_ISSUER: &str = "/demo-idp";

impl InstallationKind {
    /// Its stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            InstallationKind::Demo => "demo",
            InstallationKind::Production => "production",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        [InstallationKind::Demo, InstallationKind::Production]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }

    /// Whether people of this issuer may act in an installation of this kind. One that nobody has decided yet is no demo.
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
