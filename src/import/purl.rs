//! Package URLs (ECMA-427, github.com/package-url/purl-spec).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What has to be encoded in a segment or a version.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':');

/// The most bytes of a package URL that are compared part by part. A longer name covers only itself.
const LONGEST: usize = 4 << 10;

/// How a BOM-Link begins: `urn:cdx:SERIAL/VERSION#REFERENCE` names a component of a CycloneDX document.
pub(super) const BOM_LINK: &str = "urn:cdx:";

pub(super) fn is_purl(name: &str) -> bool {
    begins(name, "pkg:")
}

/// Whether the name begins like this, whatever the case.
pub(super) fn begins(name: &str, with: &str) -> bool {
    name.get(..with.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(with))
}

/// Whether everything that is called `product` is also called `stated`: the names are equal, or both are package URLs
/// of one package, and whatever version and qualifiers `stated` has, `product` has as well.
pub(super) fn covers(stated: &str, product: &str) -> bool {
    if stated == product {
        return true;
    }
    match (Purl::parse(stated), Purl::parse(product)) {
        (Some(stated), Some(product)) => {
            stated.package == product.package
                && (stated.version.is_none() || stated.version == product.version)
                && stated.qualifiers.iter().all(|one| product.qualifiers.contains(one))
        }
        // CPE names are not case-sensitive, and references in BOM-Links may be percent-encoded.
        _ if begins(stated, "cpe:") => stated.eq_ignore_ascii_case(product),
        _ => begins(stated, BOM_LINK) && decoded(stated) == decoded(product),
    }
}

/// A package URL in one spelling. The subpath is left out: it names a part of the package.
#[derive(PartialEq)]
struct Purl {
    package: String,
    version: Option<String>,
    qualifiers: Vec<(String, String)>,
}

impl Purl {
    fn parse(name: &str) -> Option<Self> {
        if !is_purl(name) || name.len() > LONGEST {
            return None;
        }
        let whole = name[4..].split('#').next().unwrap_or_default();
        let (path, qualifiers) = whole.split_once('?').unwrap_or((whole, ""));
        let (kind, path) = path.trim_matches('/').split_once('/')?;
        let kind = kind.to_ascii_lowercase();
        let (package, version) = match version_at(path) {
            Some(at) => (
                &path[..at],
                Some(decoded(&path[at + 1..])).filter(|version| !version.is_empty()),
            ),
            None => (path, None),
        };
        let mut package = decoded(package);
        // Package managers that do not distinguish case, or letters from each other.
        match kind.as_str() {
            "bitbucket" | "composer" | "deb" | "github" | "gitlab" | "rpm" | "apk" => package.make_ascii_lowercase(),
            "pypi" => package = package.to_ascii_lowercase().replace('_', "-"),
            _ => {}
        }
        let qualifiers = qualifiers.split('&').filter_map(|one| one.split_once('='));
        let qualifiers = qualifiers.filter(|(_, value)| !value.is_empty());
        Some(Self {
            package: format!("{kind}/{package}"),
            version,
            qualifiers: qualifiers
                .map(|(key, value)| (key.to_ascii_lowercase(), decoded(value)))
                .collect(),
        })
    }
}

/// Where the version begins: the `@` in the last segment. A scope's `@` is the first character of its segment
/// (`npm/@scope/name`).
fn version_at(path: &str) -> Option<usize> {
    let segment = path.rfind('/').map_or(0, |at| at + 1);
    let at = path[segment..].rfind('@')?;
    (at > 0).then_some(segment + at)
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// The package URL of a package in an ecosystem, as OSV, GitHub or GitLab's analysers name it; `None` for another one.
pub(super) fn of_package(ecosystem: &str, name: &str, version: Option<&str>) -> Option<String> {
    let name = name.trim();
    if name.is_empty() || name.len() > LONGEST {
        return None;
    }
    let ecosystem = ecosystem.split(':').next().unwrap_or_default().trim();
    let (kind, path) = match ecosystem.to_ascii_lowercase().as_str() {
        "npm" | "yarn" | "pnpm" | "bun" => ("npm", name.to_owned()),
        "pypi" | "pip" | "pipenv" | "poetry" | "setuptools" | "uv" => {
            ("pypi", name.to_ascii_lowercase().replace('_', "-"))
        }
        "go" => ("golang", name.to_owned()),
        "maven" | "gradle" | "sbt" => ("maven", name.replace(':', "/")),
        "crates.io" | "rust" | "cargo" => ("cargo", name.to_owned()),
        "nuget" => ("nuget", name.to_owned()),
        "rubygems" | "bundler" => ("gem", name.to_owned()),
        "packagist" | "composer" => ("composer", name.to_ascii_lowercase()),
        "hex" | "erlang" => ("hex", name.to_owned()),
        "pub" => ("pub", name.to_owned()),
        "swifturl" | "swift" => ("swift", name.to_owned()),
        "conan" | "conancenter" => ("conan", name.to_owned()),
        _ => return None,
    };
    let path: Vec<String> = path
        .split('/')
        .map(|part| utf8_percent_encode(part, RESERVED).to_string())
        .collect();
    let version = version.map(str::trim).filter(|version| !version.is_empty());
    let version = version.map(|version| format!("@{}", utf8_percent_encode(version, RESERVED)));
    Some(format!("pkg:{kind}/{}{}", path.join("/"), version.unwrap_or_default()))
}

/// Adds the version to a package URL that has none, before its qualifiers and its subpath.
pub(super) fn with_version(purl: &str, version: Option<&str>) -> String {
    let (path, rest) = purl.split_at(purl.find(['?', '#']).unwrap_or(purl.len()));
    match version {
        Some(version) if version_at(path).is_none() => format!("{path}@{version}{rest}"),
        _ => purl.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_purls_where_they_belong() {
        for (purl, expected) in [
            ("pkg:npm/a", "pkg:npm/a@1.0"),
            ("pkg:npm/@scope/a", "pkg:npm/@scope/a@1.0"),
            ("pkg:deb/debian/a?arch=source", "pkg:deb/debian/a@1.0?arch=source"),
            ("pkg:npm/a@2.0", "pkg:npm/a@2.0"),
        ] {
            assert_eq!(with_version(purl, Some("1.0")), expected);
            assert_eq!(with_version(purl, None), purl);
        }
    }

    #[test]
    fn packages_of_ecosystems_have_package_urls() {
        for (ecosystem, name, version, expected) in [
            ("npm", "@scope/a", Some("1.0"), Some("pkg:npm/%40scope/a@1.0")),
            ("PyPI", "Zope_Interface", None, Some("pkg:pypi/zope-interface")),
            (
                "Go",
                "example.org/x/v2",
                Some("v2.0.0+incompatible"),
                Some("pkg:golang/example.org/x/v2@v2.0.0%2Bincompatible"),
            ),
            ("Maven", "org.a:b", Some("1"), Some("pkg:maven/org.a/b@1")),
            ("Packagist", "a/b", Some(" "), Some("pkg:composer/a/b")),
            ("Debian:12", "openssl", Some("3"), None),
            ("npm", " ", None, None),
        ] {
            assert_eq!(of_package(ecosystem, name, version).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn a_name_covers_what_it_leaves_open() {
        for (stated, product, expected) in [
            ("pkg:npm/a@1", "pkg:npm/a@1", true),
            ("pkg:NPM/a", "pkg:npm/a@1?x=y", true),
            ("pkg:npm/a@1", "pkg:npm/a", false),
            ("pkg:npm/a@1?x=y", "pkg:npm/a@1?z=1&x=y", true),
            ("pkg:npm/a@1?x=y", "pkg:npm/a@1", false),
            ("pkg:npm/a@1", "pkg:npm/a@1#lib", true),
            ("pkg:pypi/Zope_Interface", "pkg:pypi/zope-interface@5", true),
            ("pkg:npm/A", "pkg:npm/a", false),
            (
                "pkg:golang/example.org/x@v1.0.0",
                "pkg:golang/example.org/x@v1.0.0",
                true,
            ),
            ("pkg:npm/a@1.0%2Bx", "pkg:npm/a@1.0+x", true),
            ("pkg:npm/a@", "pkg:npm/a@1", true),
            ("pkg:npm", "pkg:npm/a", false),
            ("pkg:é", "pkg:npm/a", false),
            ("cpe:2.3:a:Apache:log4j:2", "cpe:2.3:a:apache:log4j:2", true),
            ("urn:cdx:b/1#pkg%3Anpm/a", "urn:cdx:b/1#pkg:npm/a", true),
            ("urn:cdx:b/1#a", "urn:cdx:b/2#a", false),
            ("Product", "product", false),
            ("product", "product", true),
        ] {
            assert_eq!(covers(stated, product), expected, "{stated} {product}");
        }
    }
}
