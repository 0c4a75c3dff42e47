//! Versions of the serialisation.

/// How a client writes messages, by the `vsn` of its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vsn {
    /// 1.0.0: objects; never binary.
    V1,
    /// 2.0.0: arrays, and binary frames.
    V2,
}

/// What a member understands of broadcasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Version 1: text.
    V1,
    /// Version 2 of Supabase Realtime: text, and bytes as kind 4.
    V2,
    /// Version 2 of Phoenix: text, and bytes as kind 2. Its own client breaks on kind 4.
    Phoenix,
}

impl Dialect {
    /// That of a join. A client of Supabase Realtime always names the changes of tables that it wants, if only none.
    pub fn of(vsn: Vsn, names_changes: bool) -> Dialect {
        match vsn {
            Vsn::V1 => Dialect::V1,
            Vsn::V2 if names_changes => Dialect::V2,
            Vsn::V2 => Dialect::Phoenix,
        }
    }

    /// The version of everything but broadcasts.
    pub fn vsn(self) -> Vsn {
        match self {
            Dialect::V1 => Vsn::V1,
            Dialect::V2 | Dialect::Phoenix => Vsn::V2,
        }
    }
}

/// A version that the gateway does not speak.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("vsn {0:?} is not spoken here: 1.0.0 and 2.0.0 are")]
pub struct UnknownVsn(String);

impl Vsn {
    /// The version that a query asks for. Without one it is 1.0.0.
    pub fn from_query(vsn: Option<&str>) -> Result<Vsn, UnknownVsn> {
        match vsn {
            None | Some("1.0.0") => Ok(Vsn::V1),
            Some("2.0.0") => Ok(Vsn::V2),
            Some(unknown) => Err(UnknownVsn(unknown.chars().take(16).collect())),
        }
    }
}
