//! Free JSON of bounded size that an operator hangs on a channel.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A JSON object of at most [`Metadata::MAX_BYTES`] when written compactly.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// The largest metadata accepted, in bytes of compact JSON.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Compact JSON text.
    pub fn to_json(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// Reads what [`Metadata::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, MetadataError> {
        let value: Value = serde_json::from_str(text).map_err(|_| MetadataError::NotAnObject)?;
        Metadata::try_from(value)
    }
}

impl TryFrom<Value> for Metadata {
    type Error = MetadataError;

    fn try_from(value: Value) -> Result<Self, MetadataError> {
        let bytes = value.to_string().len();
        match value {
            Value::Object(_) if bytes > Metadata::MAX_BYTES => Err(MetadataError::TooLarge { bytes }),
            Value::Object(map) => Ok(Metadata(map)),
            _ => Err(MetadataError::NotAnObject),
        }
    }
}

impl From<Metadata> for Value {
    fn from(metadata: Metadata) -> Value {
        Value::Object(metadata.0)
    }
}

/// Why metadata was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Something other than a JSON object.
    #[error("metadata must be a JSON object")]
    NotAnObject,
    /// An object over the limit.
    #[error("metadata is {bytes} bytes of JSON; at most {} are kept", Metadata::MAX_BYTES)]
    TooLarge {
        /// Its size as compact JSON.
        bytes: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn metadata_is_an_object_of_bounded_size() {
        assert_eq!(Metadata::try_from(json!([1])), Err(MetadataError::NotAnObject));
        assert!(Metadata::try_from(json!({"map": "town"})).is_ok());
        let big = json!({"x": "y".repeat(Metadata::MAX_BYTES)});
        assert!(matches!(Metadata::try_from(big), Err(MetadataError::TooLarge { .. })));
    }
}
