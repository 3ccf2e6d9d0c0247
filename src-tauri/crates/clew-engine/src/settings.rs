//! Settings: one JSON row in the database, defaults by serde.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// How the UI is coloured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Theme {
    /// As the desktop says.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// How tall rows are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "lowercase")]
pub enum Density {
    /// 28 pixels.
    #[default]
    Dense,
    /// 34 pixels.
    Comfortable,
}

/// How appearance is set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase")]
pub struct Appearance {
    /// Colours.
    pub theme: Theme,
    /// Row height.
    pub density: Density,
}

/// What is kept. Age is counted from when a trace was received, not from the times that it states.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase")]
pub struct Retention {
    /// Bytes of database and index above which the oldest traces are deleted; at least 64 MiB. Default 10 GB.
    pub max_bytes: u64,
    /// Days after which a trace is deleted, 1 to 3,650; `null` (the default) is never.
    pub max_days: Option<u32>,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            max_bytes: 10_000_000_000,
            max_days: None,
        }
    }
}

/// Who may be addressed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase")]
pub struct Receiving {
    /// Names under which this machine is reached from others ("devbox.local"), beside its addresses and `localhost`:
    /// OTLP requests that state one of them as their host are taken. At most 20.
    pub allowed_hosts: Vec<String>,
}

/// Most names that the user may allow.
const ALLOWED_HOSTS: usize = 20;

/// Checks a host name that the user allows and writes it as it is compared: lower case.
///
/// # Errors
/// What is wrong with it, in a sentence: it must be a DNS name, without port, scheme, user, wildcard or trailing dot.
pub fn host_name(name: &str) -> Result<String, String> {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(label) {
        return Err(format!(
            "{name:?} is not a host name: write it as `devbox.local`, without port or scheme"
        ));
    }
    // `127.1` and `0x7f.1` are addresses to a browser: no name ends in a label of digits.
    let last = name.rsplit('.').next().unwrap_or(name);
    let hex = last.strip_prefix("0x").or(last.strip_prefix("0X"));
    if last.bytes().all(|byte| byte.is_ascii_digit())
        || hex.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        return Err(format!(
            "{name:?} is an address, not a host name: addresses of this machine are always taken"
        ));
    }
    Ok(name.to_ascii_lowercase())
}

/// Every setting that lives in the database. Addresses are set at the start (flags and `CLEW_*`), not here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(default, rename_all = "camelCase")]
pub struct Settings {
    /// Appearance.
    pub appearance: Appearance,
    /// Retention.
    pub retention: Retention,
    /// Receiving.
    pub receiving: Receiving,
}

/// [`Settings`] as a command takes them: what is left out gets its default, what is no setting is refused. The database
/// may hold settings of another version, so [`Settings`] themselves let it pass.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TS)]
pub struct SetSettings(pub Settings);

impl<'de> Deserialize<'de> for SetSettings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = serde_json::Value::deserialize(deserializer)?;
        let settings = Settings::deserialize(&given).map_err(D::Error::custom)?;
        let known = serde_json::to_value(&settings).map_err(D::Error::custom)?;
        match unknown(&given, &known) {
            Some(message) => Err(D::Error::custom(message)),
            None => Ok(Self(settings)),
        }
    }
}

/// Names the first field that is no setting, and those that are in its place.
fn unknown(given: &serde_json::Value, known: &serde_json::Value) -> Option<String> {
    let mut open = vec![(String::new(), given, known)];
    while let Some((path, given, known)) = open.pop() {
        let (Some(given), Some(known)) = (given.as_object(), known.as_object()) else {
            continue;
        };
        for (name, value) in given {
            let Some(known) = known.get(name) else {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                return Some(format!(
                    "there is no setting \"{path}{name}\": it may be one of {}",
                    names.join(", ")
                ));
            };
            open.push((format!("{path}{name}."), value, known));
        }
    }
    None
}

impl Settings {
    /// Says which setting is out of range, if any is.
    ///
    /// # Errors
    /// The first one that is, in a sentence.
    pub fn validate(&self) -> Result<(), String> {
        if self.retention.max_bytes < 64 * 1024 * 1024 {
            return Err("the size limit must be at least 64 MiB (67108864 bytes)".to_owned());
        }
        if self
            .retention
            .max_days
            .is_some_and(|days| !(1..=3650).contains(&days))
        {
            return Err("the age limit must lie between 1 and 3650 days".to_owned());
        }
        let allowed = &self.receiving.allowed_hosts;
        if allowed.len() > ALLOWED_HOSTS {
            return Err(format!("at most {ALLOWED_HOSTS} host names can be allowed"));
        }
        allowed
            .iter()
            .try_for_each(|name| host_name(name).map(drop))?;
        Ok(())
    }
}

/// Reads the settings; defaults where none were ever set.
pub(crate) async fn load(reads: &sqlx::SqlitePool) -> Result<Settings, crate::Error> {
    let json: Option<String> = sqlx::query_scalar("SELECT json FROM settings")
        .fetch_optional(reads)
        .await?;
    let Some(json) = json else {
        return Ok(Settings::default());
    };
    Ok(serde_json::from_str(&json).unwrap_or_else(|error| {
        tracing::warn!("cannot read the settings, so the defaults hold: {error}");
        Settings::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn only_plain_names_can_be_allowed() {
        for (name, expected) in [
            ("devbox", Some("devbox")),
            ("DevBox.Local", Some("devbox.local")),
            ("my_host.lan", Some("my_host.lan")),
            ("10-0-0-1.internal", Some("10-0-0-1.internal")),
            ("", None),
            (".", None),
            ("*", None),
            ("*.local", None),
            ("devbox.", None),
            ("devbox:4318", None),
            ("http://devbox", None),
            ("user@devbox", None),
            ("dev box", None),
            ("-devbox", None),
            ("127.1", None),
            ("192.168.1.20", None),
            ("0x7f.0x1", None),
            ("[::1]", None),
            ("d\u{f6}box", None),
        ] {
            assert_eq!(host_name(name).ok().as_deref(), expected, "{name:?}");
        }
        assert!(host_name(&"a".repeat(64)).is_err());
    }
}
