//! Versions of the serialisation.

/// How a client writes messages, by the `vsn` of its query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Vsn {
    /// 1.0.0: objects; never binary.
    V1,
    /// 2.0.0: arrays, and binary frames.
    V2,
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
