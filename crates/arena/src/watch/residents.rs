//! Who is in a watched world, by name.

use serde_json::Value;
use std::collections::HashMap;

/// The names of a world's residents.
#[derive(Debug, Default)]
pub(super) struct Residents {
    names: HashMap<String, String>,
    /// Where each of them walks to, as it was last told.
    goals: HashMap<String, Value>,
}

impl Residents {
    /// Begins anew with those of a snapshot.
    pub(super) fn reset(&mut self, snapshot: &Value) {
        self.names.clear();
        self.goals.clear();
        self.add(&snapshot["residents"]);
    }

    /// Adds those of a list.
    pub(super) fn add(&mut self, residents: &Value) {
        for resident in list(residents) {
            if let (Some(id), Some(name)) = (resident["id"].as_str(), resident["name"].as_str()) {
                self.names.insert(id.to_owned(), name.to_owned());
            }
        }
    }

    /// Takes somebody out; returns the name.
    pub(super) fn remove(&mut self, id: &Value) -> String {
        let id = id.as_str().unwrap_or_default();
        self.goals.remove(id);
        self.names.remove(id).unwrap_or_else(|| id.to_owned())
    }

    /// The name of an id; the id where it is not known.
    pub(super) fn name<'a>(&'a self, id: &'a Value) -> &'a str {
        let id = id.as_str().unwrap_or_default();
        self.names.get(id).map_or(id, String::as_str)
    }

    /// Notes where somebody walks to, or that it stands; returns whether it has set out for somewhere new.
    pub(super) fn sets_out(&mut self, id: &Value, goal: &Value) -> bool {
        let id = id.as_str().unwrap_or_default();
        if goal.is_null() {
            self.goals.remove(id);
            return false;
        }
        self.goals.insert(id.to_owned(), goal.clone()).as_ref() != Some(goal)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}

/// The entries of a list, or none.
pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
