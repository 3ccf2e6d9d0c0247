use serde_json::{Value as Json, json};

use super::testing::{Recorded, recorded};
use super::*;

/// Facts of every span of a folder; what is not stated is left out.
fn golden(folder: &str) {
    let spans: Vec<Json> = recorded(folder)
        .iter()
        .map(|recorded| {
            json!({
                "span": recorded.span.name,
                "scope": recorded.scope.name,
                "facts": stated(recorded),
            })
        })
        .collect();
    insta::with_settings!({ prepend_module_to_snapshot => false }, {
        insta::assert_json_snapshot!(folder, spans);
    });
}

fn stated(recorded: &Recorded) -> Json {
    let mut facts = serde_json::to_value(facts(&recorded.view())).expect("facts are JSON");
    strip(&mut facts);
    facts
}

fn strip(json: &mut Json) {
    match json {
        Json::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(strip);
        }
        Json::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

macro_rules! golden {
    ($($folder:ident)+) => {
        $(
            #[test]
            fn $folder() {
                golden(stringify!($folder));
            }
        )+
    };
}

mod recordings {
    use super::golden;

    golden!(
        otel_genai_openai otel_genai_anthropic openai_v2_default openai_v2_experimental openinference_openai
        openinference_langchain double_langchain_openai manual_generic google_adk strands
    );
}
