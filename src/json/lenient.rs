//! Optional members that are read where they fit, and passed over where they do not.
//!
//! A type error in the middle of a stream cannot be taken back: the reader stands somewhere inside
//! the value. So nothing here fails for well-formed JSON, whatever its type, and every value is
//! still read once and in place.

use crate::error::ServiceError;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// A value of type `T`, or `None` for any other.
pub(crate) struct Lenient<T>(pub(crate) Option<T>);

impl<T: Default> Lenient<T> {
    pub(crate) fn or_default(self) -> T {
        self.0.unwrap_or_default()
    }
}

/// For `deserialize_with`; what does not fit counts as absent.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Fits<'de> + Default,
{
    Ok(Lenient::deserialize(deserializer)?.or_default())
}

/// An object; anything else is an error. serde by itself takes a list for a struct.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(Members(PhantomData)).map(Self)
    }
}

/// For `deserialize_with`: an [`Object`], or `null`, which counts as absent.
pub(crate) fn object_or_null<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    let object: Option<Object<T>> = Option::deserialize(deserializer)?;
    Ok(object.map(|Object(object)| object).unwrap_or_default())
}

/// The forms of JSON that fit a type. By default none, and each is read to its end all the same.
pub(crate) trait Fits<'de>: Sized {
    fn of_flag(_: bool) -> Option<Self> {
        None
    }

    fn of_number(_: f64) -> Option<Self> {
        None
    }

    fn of_text(_: &str) -> Option<Self> {
        None
    }

    /// A text that stands in the body as it is, and so need not be copied.
    fn of_borrowed_text(text: &'de str) -> Option<Self> {
        Self::of_text(text)
    }

    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn of_map<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl Fits<'_> for String {
    fn of_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl<'de> Fits<'de> for Cow<'de, str> {
    fn of_text(text: &str) -> Option<Self> {
        Some(Cow::Owned(text.to_owned()))
    }

    fn of_borrowed_text(text: &'de str) -> Option<Self> {
        Some(Cow::Borrowed(text))
    }
}

impl Fits<'_> for f64 {
    fn of_number(number: f64) -> Option<Self> {
        Some(number)
    }
}

impl Fits<'_> for bool {
    fn of_flag(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl Fits<'_> for u32 {
    /// JSON knows one type of numbers: `3.0` is `3`.
    fn of_number(number: f64) -> Option<Self> {
        let whole = number.fract() == 0.0 && (0.0..=f64::from(Self::MAX)).contains(&number);
        whole.then_some(number as Self)
    }
}

impl Fits<'_> for u64 {
    /// As far as a double counts exactly.
    fn of_number(number: f64) -> Option<Self> {
        let whole = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
        whole.then_some(number as Self)
    }
}

impl<'de, T: Fits<'de>> Fits<'de> for BTreeMap<String, T> {
    /// Entries of another type are left out.
    fn of_map<A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        let mut entries = Self::new();
        while let Some((name, Lenient(value))) = map.next_entry()? {
            if let Some(value) = value {
                entries.insert(name, value);
            }
        }
        Ok(Some(entries))
    }
}

impl<'de, T: Fits<'de>> Fits<'de> for Vec<T> {
    /// Elements of another type are left out.
    fn of_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut elements = Self::new();
        while let Some(Lenient(element)) = list.next_element()? {
            elements.extend(element);
        }
        Ok(Some(elements))
    }
}

impl<'de, T: Fits<'de>> Fits<'de> for Box<T> {
    fn of_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        Ok(T::of_map(map)?.map(Self::new))
    }
}

impl<'de, T: Fits<'de>> Fits<'de> for Option<T> {
    fn of_flag(flag: bool) -> Option<Self> {
        T::of_flag(flag).map(Some)
    }

    fn of_number(number: f64) -> Option<Self> {
        T::of_number(number).map(Some)
    }

    fn of_text(text: &str) -> Option<Self> {
        T::of_text(text).map(Some)
    }

    fn of_borrowed_text(text: &'de str) -> Option<Self> {
        T::of_borrowed_text(text).map(Some)
    }

    fn of_list<A: SeqAccess<'de>>(list: A) -> Result<Option<Self>, A::Error> {
        Ok(T::of_list(list)?.map(Some))
    }

    fn of_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        Ok(T::of_map(map)?.map(Some))
    }
}

impl<'de> Fits<'de> for ServiceError {
    fn of_text(text: &str) -> Option<Self> {
        let error =
            Self::deserialize(StrDeserializer::<serde::de::value::Error>::new(text)).ok()?;
        (error != Self::default()).then_some(error)
    }

    fn of_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        let error = Self::deserialize(MapAccessDeserializer::new(map))?;
        Ok((error != Self::default()).then_some(error))
    }
}

/// Structs whose own members are all lenient.
macro_rules! object {
    ($($name:ident),+) => {$(
        impl<'de> $crate::json::lenient::Fits<'de> for $name {
            fn of_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                Self::deserialize(map).map(Some)
            }
        }
    )+};
    // Structs that borrow from the body.
    (&$($name:ident),+) => {$(
        impl<'de> $crate::json::lenient::Fits<'de> for $name<'de> {
            fn of_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                let map = serde::de::value::MapAccessDeserializer::new(map);
                Self::deserialize(map).map(Some)
            }
        }
    )+};
}
pub(crate) use object;

impl<'de, T: Fits<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);

        impl<'de, T: Fits<'de>> Visitor<'de> for Any<T> {
            type Value = Option<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any JSON")
            }

            fn visit_unit<E>(self) -> Result<Option<T>, E> {
                Ok(None)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Option<T>, E> {
                Ok(T::of_flag(flag))
            }

            // The numbers of this crate are far below what a float holds exactly.
            fn visit_u64<E>(self, number: u64) -> Result<Option<T>, E> {
                Ok(T::of_number(number as f64))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Option<T>, E> {
                Ok(T::of_number(number as f64))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Option<T>, E> {
                Ok(T::of_number(number))
            }

            fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
                Ok(T::of_text(text))
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Option<T>, E> {
                Ok(T::of_borrowed_text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Option<T>, A::Error> {
                T::of_list(list)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
                T::of_map(map)
            }
        }

        deserializer.deserialize_any(Any(PhantomData)).map(Self)
    }
}
