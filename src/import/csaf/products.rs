//! The products of a CSAF document by their IDs, and what a vulnerability says about some of them.

use super::model::{About, Branch, FullName, ProductTree, Vulnerability};
use super::{given, head};
use std::collections::BTreeMap;

/// How many relationships are followed from a product to its component. Real documents nest two.
const MAX_DEPTH: usize = 5;

/// The most groups of a product that are asked for a justification.
const MAX_GROUPS: usize = 20;

#[derive(Default)]
pub(super) struct Products<'a> {
    names: BTreeMap<&'a str, &'a FullName>,
    /// The component of a product that a relationship defines.
    components: BTreeMap<&'a str, &'a str>,
    groups: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Products<'a> {
    pub(super) fn new(tree: Option<&'a ProductTree>) -> Self {
        let mut products = Self::default();
        let Some(tree) = tree else { return products };
        let mut names: BTreeMap<&str, &FullName> = BTreeMap::new();
        let mut add = |name: &'a FullName| {
            names.entry(&name.product_id).or_insert(name);
        };
        for name in tree.full_product_names.iter().flatten() {
            add(name);
        }
        // The depth is bounded by the JSON parser.
        let mut left: Vec<&Branch> = tree.branches.iter().flatten().collect();
        while let Some(branch) = left.pop() {
            if let Some(name) = &branch.product {
                add(name);
            }
            left.extend(branch.branches.iter().flatten());
        }
        for relationship in tree.relationships.iter().flatten() {
            let name = &relationship.full_product_name;
            add(name);
            products
                .components
                .insert(&name.product_id, &relationship.product_reference);
        }
        products.names = names;
        for group in tree.product_groups.iter().flatten() {
            for product in &group.product_ids {
                let groups = products.groups.entry(product).or_default();
                if groups.len() < MAX_GROUPS {
                    groups.push(&group.group_id);
                }
            }
        }
        products
    }

    /// The names of a product, of the innermost component that has any: package URL, then CPE name.
    pub(super) fn names(&self, product: &'a str) -> Vec<&'a str> {
        let chain = std::iter::successors(Some(product), |id| self.components.get(id).copied());
        let chain: Vec<&str> = chain.take(MAX_DEPTH).collect();
        let helpers = chain
            .into_iter()
            .rev()
            .filter_map(|id| self.names.get(id)?.product_identification_helper.as_ref());
        let names = helpers.map(|helper| {
            let names = [&helper.purl, &helper.cpe].into_iter();
            names.filter_map(|name| given(name.as_ref())).collect::<Vec<_>>()
        });
        names.into_iter().find(|names| !names.is_empty()).unwrap_or_default()
    }

    /// The product's name for people.
    pub(super) fn shown(&self, product: &str) -> Option<&'a str> {
        given(self.names.get(product)?.name.as_ref())
    }
}

/// The justifications and impact statements of a vulnerability.
pub(super) struct Notes<'a> {
    flags: Texts<'a>,
    impacts: Texts<'a>,
}

/// A text for products, for groups, or for all.
#[derive(Default)]
struct Texts<'a> {
    products: BTreeMap<&'a str, &'a str>,
    groups: BTreeMap<&'a str, &'a str>,
    all: Option<&'a str>,
}

impl<'a> Texts<'a> {
    fn new(about: impl Iterator<Item = (&'a About, Option<&'a str>)>) -> Self {
        let mut texts = Self::default();
        for (about, text) in about {
            let Some(text) = text else { continue };
            if about.product_ids.is_none() && about.group_ids.is_none() {
                texts.all = texts.all.or(Some(text));
            }
            for product in about.product_ids.iter().flatten() {
                texts.products.entry(product).or_insert(text);
            }
            for group in about.group_ids.iter().flatten() {
                texts.groups.entry(group).or_insert(text);
            }
        }
        texts
    }

    fn of(&self, products: &Products<'_>, product: &str) -> Option<&'a str> {
        let by_group = || {
            let groups = products.groups.get(product)?.iter();
            groups.filter_map(|group| self.groups.get(group)).next()
        };
        self.products.get(product).or_else(by_group).copied().or(self.all)
    }
}

impl<'a> Notes<'a> {
    pub(super) fn new(of: &'a Vulnerability) -> Self {
        let flags = of.flags.iter().flatten();
        let threats = of.threats.iter().flatten();
        let impacts = threats.filter(|threat| threat.category.as_deref() == Some("impact"));
        Self {
            flags: Texts::new(flags.map(|flag| (flag, given(flag.label.as_ref())))),
            impacts: Texts::new(impacts.map(|threat| (threat, given(threat.details.as_ref()).map(head)))),
        }
    }

    /// Why the product has its status.
    pub(super) fn reason(&self, products: &Products<'_>, product: &str) -> String {
        let parts = [self.flags.of(products, product), self.impacts.of(products, product)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}
