//! The window's rights and its content security policy.

use super::files::{below, read};
use super::tidy;

/// What the window may do (S16): a change here is a change of the threat model, docs/security.md.
const PERMISSIONS: &[&str] = &[
    // Our own commands: the door, and the picker that answers tokens.
    "allow-call",
    "allow-pick-files",
    // Files that were opened last: the page sees their names, and gets tokens.
    "allow-recent-files",
    "allow-pick-recent",
    // A web address that the user has seen whole and opens; and the place that a `clew://` link leads to.
    "allow-open-link",
    "allow-take-place",
    // How large the page is drawn.
    "allow-set-zoom",
    "core:event:allow-listen",
    "core:event:allow-unlisten",
];

#[test]
fn the_window_has_only_the_rights_it_needs() {
    let mut complaints = Vec::new();
    for file in below("src-tauri/capabilities", &[".json", ".toml"]) {
        let capability: serde_json::Value =
            serde_json::from_str(&file.text).expect("a capability file is JSON");
        if capability.get("remote").is_some() {
            complaints.push(format!("{}: remote pages get no rights", file.path));
        }
        for permission in capability["permissions"].as_array().into_iter().flatten() {
            let permission = permission
                .as_str()
                .or(permission["identifier"].as_str())
                .unwrap_or_default();
            if !PERMISSIONS.contains(&permission) {
                complaints.push(format!(
                    "{}: {permission:?} is a new right: argue it in docs/security.md and add it to PERMISSIONS",
                    file.path
                ));
            }
        }
    }
    tidy("rights of the window", &complaints);
}

#[test]
fn the_windows_content_security_policy_is_strict() {
    let conf: serde_json::Value =
        serde_json::from_str(&read("src-tauri/tauri.conf.json")).expect("tauri.conf.json is JSON");
    let security = &conf["app"]["security"];
    assert_ne!(
        conf["app"]["withGlobalTauri"], true,
        "no global Tauri object (S16)"
    );
    assert_eq!(
        security["freezePrototype"], true,
        "prototypes are frozen (S16)"
    );
    assert!(
        security["assetProtocol"]["enable"] != true,
        "the asset protocol stays off (S16)"
    );
    let csp = &security["csp"];
    let directive = |name: &str| -> Vec<String> {
        let text = match csp {
            serde_json::Value::Object(map) => match &map.get(name) {
                Some(serde_json::Value::Array(words)) => words
                    .iter()
                    .filter_map(|word| word.as_str())
                    .collect::<Vec<_>>()
                    .join(" "),
                Some(serde_json::Value::String(words)) => words.clone(),
                _ => String::new(),
            },
            serde_json::Value::String(policy) => policy
                .split(';')
                .filter_map(|part| part.trim().split_once(' '))
                .find(|(directive, _)| *directive == name)
                .map_or_else(String::new, |(_, words)| words.to_owned()),
            _ => panic!("tauri.conf.json sets no content security policy (S12)"),
        };
        text.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(directive("default-src"), ["'none'"]);
    assert_eq!(directive("script-src"), ["'self'"]);
    assert_eq!(directive("font-src"), ["'self'"]);
    assert_eq!(
        directive("connect-src"),
        ["ipc:", "http://ipc.localhost"],
        "without both, Tauri falls back to a slow path in silence"
    );
    for closed in ["object-src", "base-uri", "form-action", "frame-src"] {
        assert_eq!(directive(closed), ["'none'"], "{closed} (S12)");
    }
    let policy = csp.to_string();
    for open in ["unsafe-eval", "https:", "http: ", "*"] {
        assert!(!policy.contains(open), "{open:?} opens the policy (S12)");
    }
    assert!(
        !directive("script-src").contains(&"'unsafe-inline'".to_owned()),
        "no inline scripts (S12)"
    );
    assert!(
        security["devCsp"].is_null(),
        "one policy for all builds (S12)"
    );
}
