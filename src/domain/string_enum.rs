//! Enums whose names are stored and sent: one macro, so that each enum has the same three items. What people read is in `views`.

/// Declares an enum with stable names: `ALL`, `as_str` and `parse`, and serde with the same names.
macro_rules! string_enum {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "engine", derive(schemars::JsonSchema))]
        #[cfg_attr(feature = "engine", schemars(inline))]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value, in the order of their declaration.
            pub const ALL: &[$name] = &[$($name::$variant),*];
            /// The stable name, as stored and sent.
            pub fn as_str(self) -> &'static str { match self { $($name::$variant => $word,)* } }
            /// Reads the stable name.
            pub fn parse(word: &str) -> Option<Self> { match word { $($word => Some($name::$variant),)* _ => None } }
        }
    )*};
}
pub(crate) use string_enum;
