//! Sets of words of the service that stay open: an unknown word is kept.

/// The words of an enum whose variants are spelled as the service spells them. Its last variant, `UnknownValue`,
/// keeps any other word.
macro_rules! open_words {
    ($words:ident: $($variant:ident),+) => {
        impl $words {
            /// Returns the word of the service.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                    Self::UnknownValue(word) => word,
                }
            }

            /// Reads a word, in any case and without the blanks around it.
            fn read(word: &str) -> Self {
                let word = word.trim();
                $(if word.eq_ignore_ascii_case(stringify!($variant)) {
                    return Self::$variant;
                })+
                Self::UnknownValue(word.to_owned())
            }
        }

        impl std::fmt::Display for $words {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use open_words;
