//! Enums whose names are stored, sent and shown: one macro, so that each has the same four things.

/// Declares an enum of stable words: `ALL`, `as_str`, `label` and `parse`, and serde in the same words.
macro_rules! string_enum {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal, $label:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "engine", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "engine", schemars(inline))]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value, in the order of their declaration.
            pub const ALL: &[$name] = &[$($name::$variant),*];
            /// The stable word, as stored and sent.
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $word,)* } }
            /// What people read.
            pub fn label(self) -> &'static str { match self { $($name::$variant => $label,)* } }
            /// Reads the stable word.
            pub fn parse(word: &str) -> Option<Self> { match word { $($word => Some($name::$variant),)* _ => None } }
        }
    )*};
}
pub(crate) use string_enum;
