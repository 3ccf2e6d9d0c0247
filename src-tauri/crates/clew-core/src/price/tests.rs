use std::path::Path;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::model::{Bucket, NanoUsd};

fn at(day: &str) -> UnixNanos {
    let day: chrono::NaiveDate = day.parse().expect("a day");
    let noon = day.and_hms_opt(12, 0, 0).expect("noon").and_utc();
    UnixNanos(u64::try_from(noon.timestamp_nanos_opt().expect("in range")).expect("after 1970"))
}

fn call<'a>(provider: Option<&'a str>, model: &'a str, day: &str) -> Priced<'a> {
    Priced {
        provider,
        response_model: Some(model),
        request_model: None,
        at: at(day),
        terms: Terms::default(),
        loopback: false,
    }
}

fn prices(custom: &[CustomPrice]) -> Revision {
    Revision {
        custom: custom.to_vec(),
        ..Revision::vendored()
    }
}

impl Revision {
    /// What a desk says where this is the only revision.
    fn quote(&self, call: &Priced) -> Quote {
        PriceDesk::new(vec![self.clone()]).quote(call, 0)
    }
}

fn input_price(quote: &Quote) -> Option<String> {
    let rates = quote.rates.as_ref()?;
    Some(rates.rate(Bucket::Input)?.1.at(1).per_million())
}

#[test]
fn the_vendored_book_is_whole_and_says_where_it_comes_from() {
    let book = Book::read(include_str!("book.json")).expect("the vendored book");
    assert!(book.len() > 2_000, "{}", book.len());
    assert_eq!(
        (book.source.as_str(), book.licence.as_str()),
        ("genai-prices", "MIT")
    );
}

#[test]
fn prices_keep_every_digit() {
    for (text, femto, back) in [
        ("2.5", 2_500_000_000, "2.5"),
        ("0.0375", 37_500_000, "0.0375"),
        ("0", 0, "0"),
        ("75", 75_000_000_000, "75"),
        ("0.08333333333333334", 83_333_333, "0.083333333"),
    ] {
        let price = PerToken::from_per_million(text).expect(text);
        assert_eq!((price.0, price.per_million().as_str()), (femto, back));
    }
    for text in [
        "",
        ".",
        ".5",
        "-1",
        "1e3",
        "1,5",
        "∞",
        "99999999999999999999",
    ] {
        assert_eq!(PerToken::from_per_million(text), None, "{text}");
    }
}

#[test]
fn a_line_is_rounded_once_halves_up() {
    let price = |text| PerToken::from_per_million(text).expect("a price");
    assert_eq!(price("0.15").times(1), NanoUsd(150));
    assert_eq!(price("0.0005").times(1), NanoUsd(1));
    assert_eq!(price("0.0004").times(1), NanoUsd(0));
    assert_eq!(price("0.0001").times(5_000), NanoUsd(500));
    assert_eq!(price("600").times(u64::MAX), NanoUsd(u64::MAX));
}

#[test]
fn names_without_a_provider_are_their_makers() {
    for (provider, model, expected) in [
        (None, "gpt-4o", Some("2.5")),
        (None, "claude-3-5-sonnet-20241022", Some("3")),
        (None, "azure/gpt-4o", Some("2.5")),
        (None, "openrouter/openai/gpt-4o", Some("2.5")),
        (Some("our-gateway"), "gpt-4o", Some("2.5")),
        (Some("openai"), "gpt-4o-20241120", Some("2.5")),
        (Some("openai"), "our-own-tune", None),
        (None, "someone/unheard-of", None),
        (None, "", None),
    ] {
        let quote = prices(&[]).quote(&call(provider, model, "2026-03-01"));
        assert_eq!(
            input_price(&quote).as_deref(),
            expected,
            "{provider:?} {model}"
        );
        assert_eq!(quote.source == PriceSource::Unknown, expected.is_none());
    }
}

#[test]
fn the_model_that_answered_stands_before_the_one_that_was_asked_for() {
    let mut asked = call(Some("openai"), "gpt-4o-mini-2024-07-18", "2026-03-01");
    asked.request_model = Some("gpt-4o");
    assert_eq!(
        input_price(&prices(&[]).quote(&asked)).as_deref(),
        Some("0.15")
    );
    asked.response_model = Some("our-deployment");
    assert_eq!(
        input_price(&prices(&[]).quote(&asked)).as_deref(),
        Some("2.5")
    );
}

#[test]
fn models_of_this_machine_cost_nothing_and_say_so() {
    let quote = prices(&[]).quote(&call(Some("ollama"), "llama3.2", "2026-03-01"));
    assert_eq!(
        (quote.source, quote.rates),
        (PriceSource::Local, Some(Rates::free()))
    );
    let mut served = call(Some("openai"), "our-own-tune", "2026-03-01");
    served.loopback = true;
    assert_eq!(prices(&[]).quote(&served).source, PriceSource::Local);
    served.response_model = Some("gpt-4o");
    let proxied = prices(&[]).quote(&served);
    assert_eq!(
        input_price(&proxied).as_deref(),
        Some("2.5"),
        "a proxy is no model"
    );
}

#[test]
fn what_the_user_decides_holds_from_then_on_and_for_all_of_history_where_asked() {
    let at = |since_micros, input: &str| Revision {
        since_micros,
        ..prices(&[custom("gpt-4o", None, input)])
    };
    let mut desk = PriceDesk::new(vec![at(100, "1"), at(200, "2")]);
    let call = call(Some("openai"), "gpt-4o", "2026-03-01");
    let priced = |desk: &mut PriceDesk, received| input_price(&desk.quote(&call, received));
    for (received, expected) in [(99, "2.5"), (100, "1"), (199, "1"), (200, "2")] {
        assert_eq!(
            priced(&mut desk, received).as_deref(),
            Some(expected),
            "{received}"
        );
    }
    let mut repriced = PriceDesk::new(vec![at(100, "1"), at(200, "2"), at(0, "3")]);
    for received in [0, 99, 150, 300] {
        assert_eq!(priced(&mut repriced, received).as_deref(), Some("3"));
    }
}

fn custom(model: &str, since: Option<&str>, input: &str) -> CustomPrice {
    CustomPrice {
        provider: None,
        model: model.to_owned(),
        since: since.map(ToOwned::to_owned),
        input: input.to_owned(),
        output: "9".to_owned(),
        cache_read: None,
        cache_write: None,
        reasoning: None,
    }
}

#[test]
fn the_users_price_stands_before_the_book_from_its_day_on() {
    let own = [
        custom("gpt-4o*", None, "1"),
        custom("GPT-4o", Some("2026-02-01"), "2"),
        custom("*-tune", None, "7"),
    ];
    for (model, day, expected) in [
        ("gpt-4o", "2026-01-31", "1"),
        ("gpt-4o", "2026-02-01", "2"),
        ("gpt-4o-mini", "2026-02-01", "1"),
        ("our-own-tune", "2026-02-01", "7"),
        ("gpt-4.1", "2026-02-01", "2"),
    ] {
        let quote = prices(&own).quote(&call(Some("openai"), model, day));
        assert_eq!(
            input_price(&quote).as_deref(),
            Some(expected),
            "{model} {day}"
        );
    }
    let source = prices(&own)
        .quote(&call(Some("openai"), "gpt-4.1", "2026-02-01"))
        .source;
    assert!(matches!(source, PriceSource::Book { .. }));
}

#[test]
fn a_price_that_cannot_be_read_is_refused_with_its_place() {
    let wrong = [
        (custom("", None, "1"), "names no model"),
        (
            custom("gpt-4o", None, "cheap"),
            "input of \"gpt-4o\" is \"cheap\"",
        ),
        (custom("gpt-4o", Some("soon"), "1"), "begins on \"soon\""),
    ];
    for (price, told) in wrong {
        let error = price.check().expect_err("refused").to_string();
        assert!(error.contains(told), "{error}");
    }
    assert_eq!(custom("gpt-4o*", Some("2026-02-01"), "0.5").check(), Ok(()));
}

#[test]
fn the_seeds_tables_are_exact_and_name_nothing_else() {
    for (profile, model, input, output) in [
        (PriceProfile::S1, "gpt-4", "30", "60"),
        (PriceProfile::S1, "gpt-4o", "5", "15"),
        (PriceProfile::S1, "gpt-3.5-turbo", "1.5", "2"),
        (PriceProfile::S1, "gpt-4o-mini", "0", "0"),
        (PriceProfile::S2, "gpt-4o", "2.5", "10"),
        (PriceProfile::S2, "gpt-4o-mini", "0.15", "0.6"),
        (PriceProfile::S2, "gpt-4-turbo", "10", "30"),
        (PriceProfile::S2, "claude-3-5-sonnet", "3", "15"),
        (PriceProfile::S2, "claude-3-opus", "15", "75"),
    ] {
        let chosen = Revision {
            profile,
            ..prices(&[])
        };
        let rates = chosen
            .quote(&call(None, model, "2026-03-01"))
            .rates
            .expect("rates");
        let price = |bucket| rates.rate(bucket).expect("a rate").1.at(0).per_million();
        assert_eq!(
            (price(Bucket::Input), price(Bucket::Output)),
            (input.to_owned(), output.to_owned())
        );
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Case {
    provider: Option<String>,
    model: String,
    date: String,
    service_tier: Option<String>,
    batch: bool,
    usage: Counts,
    working: String,
    nano_usd: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    input: u64,
    output: u64,
    cache_read: u64,
    cache_write: u64,
    #[serde(rename = "cacheWrite1h")]
    cache_write_1h: u64,
    reasoning: u64,
    audio_input: u64,
    audio_output: u64,
}

#[test]
fn bills_worked_out_by_hand_come_out_to_the_nano_dollar() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../fixtures/price/cases.jsonl");
    let cases = std::fs::read_to_string(path).expect("the cases");
    let mut checked = 0;
    for line in cases.lines() {
        let case: Case = serde_json::from_str(line).expect(line);
        let mut call = call(case.provider.as_deref(), &case.model, &case.date);
        call.terms = Terms {
            service_tier: case.service_tier.as_deref(),
            batch: case.batch,
        };
        let rates = prices(&[]).quote(&call).rates.expect(line);
        let usage = &case.usage;
        let counts = [
            (
                Bucket::Input,
                usage.input - usage.cache_read - usage.cache_write - usage.audio_input,
            ),
            (Bucket::CacheRead, usage.cache_read),
            (Bucket::CacheWrite, usage.cache_write - usage.cache_write_1h),
            (Bucket::CacheWrite1h, usage.cache_write_1h),
            (Bucket::AudioInput, usage.audio_input),
            (
                Bucket::Output,
                usage.output - usage.reasoning - usage.audio_output,
            ),
            (Bucket::Reasoning, usage.reasoning),
            (Bucket::AudioOutput, usage.audio_output),
            (Bucket::Request, 1),
        ];
        let bill: NanoUsd = counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .filter_map(|(bucket, count)| Some(rates.rate(bucket)?.1.at(usage.input).times(count)))
            .sum();
        assert_eq!(
            bill,
            NanoUsd(case.nano_usd),
            "{} {}: {}",
            case.model,
            case.date,
            case.working
        );
        checked += 1;
    }
    assert!(checked >= 60, "{checked}");
}

proptest! {
    #[test]
    fn any_name_is_answered(model in ".{0,60}", provider in proptest::option::of(".{0,20}"), nanos: u64) {
        let call = Priced {
            provider: provider.as_deref(),
            response_model: Some(&model),
            request_model: None,
            at: UnixNanos(nanos),
            terms: Terms::default(),
            loopback: false,
        };
        let quote = prices(&[]).quote(&call);
        prop_assert_eq!(quote.rates.is_none(), quote.source == PriceSource::Unknown);
    }
}

#[test]
fn a_model_that_was_not_called_has_ones_own_price_or_the_books_and_never_a_seeds() {
    let own = CustomPrice {
        provider: Some("groq".to_owned()),
        ..custom("our-*", None, "7")
    };
    let seeded = Revision {
        profile: PriceProfile::S1,
        ..prices(&[own])
    };
    let mut desk = PriceDesk::new(vec![seeded]);
    for (name, expected) in [
        ("gpt-4o-mini", Some("0.15")),
        ("openai/gpt-4o-mini", Some("0.15")),
        ("groq/our-tune", Some("7")),
        ("our-tune", None),
        ("someone/unheard-of", None),
        ("", None),
    ] {
        let quote = desk.quote_other(name, at("2026-03-01"));
        assert_eq!(input_price(&quote).as_deref(), expected, "{name}");
        assert_eq!(quote.source == PriceSource::Unknown, expected.is_none());
    }
}

#[test]
fn a_bill_is_whole_and_its_tier_is_that_of_the_whole_prompt() {
    let price = |text| PerToken::from_per_million(text).expect("a price");
    let mut rates = Rates::of_two(price("1"), price("4"));
    let tiered = Rate {
        price: price("0.1"),
        tiers: vec![Tier {
            above: 100,
            price: price("0.2"),
        }],
    };
    rates.set(Bucket::CacheRead, tiered);
    let sent = |input| {
        [
            (Bucket::Input, input),
            (Bucket::CacheRead, 60),
            (Bucket::Output, 10),
        ]
    };
    // 40 × 1,000 + 60 × 100 + 10 × 4,000 nano-dollars; beyond 100 tokens what is cached costs twice as much.
    assert_eq!(rates.bill(&sent(40)), Some(NanoUsd(86_000)));
    assert_eq!(rates.bill(&sent(41)), Some(NanoUsd(93_000)));
    let calls = [(Bucket::Input, 1), (Bucket::Request, 1)];
    assert_eq!(rates.bill(&calls), None, "no price of a call");
    assert_eq!(rates.bill(&[(Bucket::Request, 0)]), Some(NanoUsd::ZERO));
}
