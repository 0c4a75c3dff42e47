//! Texts that are identifiers, each a type of its own: parsed once at the edge.

/// A text that is an identifier: visible, short, cheap to clone.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $fits:expr) => {
        $crate::name::name!($(#[$doc])* $name, $what, $max, $fits, |_| false);
    };
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal, $fits:expr, $taken:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, ::serde::Serialize, ::serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(::std::sync::Arc<str>);

        impl $name {
            /// The longest one, in bytes.
            pub const MAX_LEN: usize = $max;

            /// As text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::ParseIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let fits: fn(char) -> bool = $fits;
                let taken: fn(&str) -> bool = $taken;
                if (1..=$max).contains(&text.len()) && text.chars().all(fits) && !taken(text) {
                    Ok($name(text.into()))
                } else {
                    Err($crate::ParseIdError::new($what, text))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::ParseIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0.as_ref().to_owned()
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

pub(crate) use name;
