// Written by `cargo xtask bindings` from the table in clew-engine/src/api.rs. Do not edit.

/**
 * How appearance is set.
 */
export type Appearance = { 
/**
 * Colours.
 */
theme: Theme, 
/**
 * Row height.
 */
density: Density, };

/**
 * One attribute as received; duplicates of a key are all listed.
 */
export type AttributeRow = { 
/**
 * The key, as received.
 */
key: string, 
/**
 * `string`, `bool`, `int`, `double`, `bytes`, `array`, `kvlist` or `empty`.
 */
type: string, 
/**
 * The value as text (JSON for arrays and lists), cut after 64 KiB.
 */
value: string, 
/**
 * Bytes of the whole value.
 */
size: number, 
/**
 * Whether `value` holds only its beginning.
 */
cut: boolean, };

/**
 * Which price book holds.
 */
export type BookChoice = { "kind": "held" } | { "kind": "vendored" } | { "kind": "file", 
/**
 * The host's token of the file.
 */
token: string, };

/**
 * What is counted and billed; every token of a call is in exactly one.
 */
export type Bucket = "input" | "cacheRead" | "cacheWrite" | "cacheWrite1h" | "audioInput" | "imageInput" | "output" | "reasoning" | "audioOutput" | "imageOutput" | "request";

/**
 * What a piece of a text difference does.
 */
export type Change = "same" | "removed" | "added";

/**
 * One entry of the registry of charts, as the UI lists it.
 */
export type ChartInfo = { 
/**
 * The chart's id ("tokens").
 */
id: string, 
/**
 * Its title.
 */
title: string, 
/**
 * One sentence on what it shows.
 */
description: string, };

/**
 * A place in an answer that names a document by its id.
 */
export type Citation = { 
/**
 * The number of the answer's message, from 0.
 */
message: number, 
/**
 * The number of the part in it, from 0.
 */
part: number, 
/**
 * Where the id stands in the part's text: start and end in UTF-16 code units.
 */
range: [number, number], 
/**
 * The document's id.
 */
id: string, 
/**
 * The span that found the document: 16 hex digits.
 */
spanId: string, 
/**
 * The document's place in what that span found, from 0.
 */
document: number, 
/**
 * Its score there.
 */
score: number | null, };

/**
 * A model call whose answer names a document.
 */
export type CitingCall = { 
/**
 * The document's place in what was found, from 0.
 */
document: number, 
/**
 * The call: 16 hex digits.
 */
spanId: string, 
/**
 * The call's name.
 */
name: string, 
/**
 * How often its answer names the document.
 */
times: number, };

/**
 * Names an opened file.
 */
export type CloseSource = { 
/**
 * The source's id.
 */
id: number, };

/**
 * Something that went wrong with requests, and what to do.
 */
export type ConnectionProblem = { 
/**
 * What happened ("3 requests hit /v1/trace").
 */
what: string, 
/**
 * What to do ("the path is /v1/traces").
 */
fix: string, 
/**
 * How often.
 */
count: number, 
/**
 * Microseconds since the epoch of the last time.
 */
lastMicros: number, };

/**
 * What has been seen of senders.
 */
export type Connections = { 
/**
 * Programs since the start, newest first.
 */
senders: Array<Sender>, 
/**
 * Problems since the start, newest first.
 */
problems: Array<ConnectionProblem>, };

/**
 * Why a model call shows no content, and what to set so that the next one does.
 */
export type ContentHint = { 
/**
 * Why, and where the setting belongs where that is no matter of course: a sentence or two.
 */
reason: string, 
/**
 * The setting to copy ("TRACELOOP_TRACE_CONTENT=true"); empty where nothing helps.
 */
setting: string, };

/**
 * How much a model was given in some messages.
 */
export type ContentSize = { 
/**
 * Tokens as [`estimate`] counts them, with what stands around each message; what lies beyond the first 64 KiB is taken
 * to be as dense. `null` where the model's vocabulary is not public.
 */
tokens: number | null, 
/**
 * Characters of their texts, of calls of tools and of what these answered.
 */
characters: number, };

/**
 * How a trace is copied.
 */
export type CopyFormat = "markdown" | "otlpJson";

/**
 * What to copy, and how.
 */
export type CopyTrace = { 
/**
 * 32 hex digits.
 */
traceId: string, 
/**
 * Source; 0 is live telemetry.
 */
source: number, 
/**
 * Only this span; `null` is the whole trace.
 */
spanId: string | null, 
/**
 * With the span, everything below it.
 */
subtree: boolean, 
/**
 * The content of that span by its hash, as `SpanDetail.variants` states it; `null` is the one shown by default.
 */
variant: string | null, 
/**
 * The format.
 */
format: CopyFormat, 
/**
 * Budget of Markdown in tokens (four characters a token); `null` is 8,000.
 */
maxTokens: number | null, };

/**
 * A price of the user's own, in US dollars a million tokens, written as a decimal number ("2.5").
 */
export type CustomPrice = { 
/**
 * The provider for which it holds, by its one name; any where absent.
 */
provider: string | null, 
/**
 * The models for which it holds: a name in which `*` stands for anything ("gpt-4o*").
 */
model: string, 
/**
 * The day (UTC) from which it holds, as `2026-10-12`; always where absent.
 */
since: string | null, 
/**
 * Of prompt tokens.
 */
input: string, 
/**
 * Of output tokens.
 */
output: string, 
/**
 * Of prompt tokens read from cache; as `input` where absent.
 */
cacheRead: string | null, 
/**
 * Of prompt tokens written to cache; as `input` where absent.
 */
cacheWrite: string | null, 
/**
 * Of reasoning tokens; as `output` where absent.
 */
reasoning: string | null, };

/**
 * Traces to delete.
 */
export type DeleteTraces = { 
/**
 * The traces, at most 10,000.
 */
traces: Array<GetTrace>, };

/**
 * How tall rows are.
 */
export type Density = "dense" | "comfortable";

/**
 * The vocabulary that explains a span best.
 */
export type DialectRow = { 
/**
 * Its name as people know it ("OpenInference").
 */
title: string, 
/**
 * Its version or generation, where the span tells.
 */
version: string | null, 
/**
 * What told: `scope` or `attributes`.
 */
toldBy: string, 
/**
 * The versions that Clew reads it by.
 */
tables: string, 
/**
 * Where those are stated: an address, shown and never followed unasked.
 */
source: string, };

/**
 * One line of a text difference.
 */
export type DiffLine = { 
/**
 * What happened to it.
 */
change: Change, 
/**
 * Its text in pieces, without the line break.
 */
pieces: Array<DiffPiece>, };

/**
 * A run of text within a line of a difference.
 */
export type DiffPiece = { 
/**
 * The text.
 */
text: string, 
/**
 * Whether these words are what changed in the line.
 */
emphasis: boolean, };

/**
 * Two versions of one template.
 */
export type DiffPrompts = { 
/**
 * The template's name.
 */
name: string, 
/**
 * The older version.
 */
old: string, 
/**
 * The newer version.
 */
new: string, };

/**
 * How the values of a score are spread: bins of one width.
 */
export type Distribution = { 
/**
 * Where the first bin starts.
 */
from: number, 
/**
 * Where the last bin ends.
 */
to: number, 
/**
 * Responses by bin.
 */
bins: Array<number>, 
/**
 * Responses whose value is below 0.
 */
below: number, 
/**
 * Responses whose value is 0.
 */
zero: number, 
/**
 * Responses whose value is above 0.
 */
above: number, };

/**
 * One retrieved or reranked document.
 */
export type Document = { 
/**
 * The source's id of the document.
 */
id: string | null, 
/**
 * Its text.
 */
content: string | null, 
/**
 * Relevance as stated; the scale is the source's.
 */
score: number | null, 
/**
 * Anything else that is stated, as JSON text.
 */
metadata: string | null, };

/**
 * Which chart, over which time, how large.
 */
export type DrawChart = { 
/**
 * The chart's id.
 */
id: string, 
/**
 * The time range; open ends are the first and the last span.
 */
range: TimeRange, 
/**
 * Width in pixels, 160 to 4,000.
 */
width: number, 
/**
 * Height in pixels, 100 to 2,000.
 */
height: number, 
/**
 * The reader's time zone, in minutes east of UTC.
 */
utcOffsetMinutes: number, };

/**
 * Content that a span carries in base64, by its length and its beginning.
 */
export type Embedded = { 
/**
 * Bytes of the content; `null` where it is not base64.
 */
bytes: number | null, 
/**
 * The media type that its first bytes tell, of PNG, JPEG, GIF, WebP and AVIF.
 */
format: string | null, 
/**
 * Pixels from left to right, where the first bytes tell.
 */
width: number | null, 
/**
 * Pixels from top to bottom.
 */
height: number | null, 
/**
 * How it can be shown when asked; `null` where it is only told of.
 */
view: MediaView | null, 
/**
 * Why it cannot be shown, in a sentence.
 */
reason: string | null, };

/**
 * Why something failed. One taxonomy for lists, trends, alerts and exports; there is no other.
 */
export type ErrorClass = "rate_limit" | "timeout" | "5xx" | "auth" | "context_length" | "content_filter" | "tool" | "cancelled" | "other";

/**
 * What kind of failure it is; a code exists only where someone acts on it.
 */
export type ErrorCode = "bad_request" | "unknown_command" | "not_found" | "io" | "busy" | "internal";

/**
 * Tokens and cost of calls that state no usage, counted in what is recorded of them. They are in no other figure.
 */
export type Estimated = { 
/**
 * Prompt tokens; `null` where no prompt is recorded.
 */
inputTokens: number | null, 
/**
 * Generated tokens; `null` where no answer is recorded.
 */
outputTokens: number | null, 
/**
 * What these would cost, in nano-dollars; `null` where no price is known.
 */
costNanos: number | null, };

/**
 * One span event.
 */
export type EventRow = { 
/**
 * The event's name.
 */
name: string, 
/**
 * Nanoseconds from the span's start; negative where it lies before.
 */
offsetNanos: number, 
/**
 * Its attributes.
 */
attributes: Array<AttributeRow>, };

/**
 * One value of a facet.
 */
export type FacetValue = { 
/**
 * The value.
 */
value: string, 
/**
 * Traces that have it, within all other filters.
 */
count: number, };

/**
 * One fact and who stated it.
 */
export type FactRow = { 
/**
 * The fact's name ("request model").
 */
name: string, 
/**
 * Its value as text.
 */
value: string, 
/**
 * Id of the convention that read it.
 */
convention: string, 
/**
 * The key that it came from.
 */
key: string, };

/**
 * What one heuristic says of one response.
 */
export type Finding = { 
/**
 * Id of the heuristic ("refusal").
 */
heuristic: string, 
/**
 * What its value means.
 */
kind: HeuristicKind, 
/**
 * Its value: 1 where it fired and 0 where not, or a score on its own scale.
 */
value: number, 
/**
 * Where it saw it: ranges of the response text, in UTF-16 code units (as JavaScript counts), start and end.
 */
evidence: Array<[number, number]>, };

/**
 * Which findings.
 */
export type FindingFilter = { 
/**
 * Only this heuristic; `null` is all. A score fires on nothing.
 */
heuristic: string | null, 
/**
 * Start time of the span.
 */
range: TimeRange, 
/**
 * Where the page before ended.
 */
cursor: string | null, 
/**
 * Rows in a page, 1 to 500; 0 is 100.
 */
limit: number, };

/**
 * Heuristics and the newest responses on which they fired.
 */
export type FindingPage = { 
/**
 * Every heuristic.
 */
heuristics: Array<HeuristicTotals>, 
/**
 * The responses, newest first.
 */
rows: Array<FindingRow>, 
/**
 * Cursor of the next page; `null` on the last.
 */
next: string | null, };

/**
 * One response on which a heuristic fired.
 */
export type FindingRow = { 
/**
 * What it saw.
 */
finding: Finding, 
/**
 * The response text around the first evidence, at most 400 characters.
 */
excerpt: string, 
/**
 * The evidence within the excerpt, in UTF-16 code units.
 */
marks: Array<[number, number]>, 
/**
 * 32 hex digits.
 */
traceId: string, 
/**
 * 16 hex digits.
 */
spanId: string, 
/**
 * Source; 0 is live telemetry.
 */
source: number, 
/**
 * The span's name.
 */
name: string, 
/**
 * The model that answered.
 */
model: string | null, 
/**
 * Microseconds since the epoch of the span's start.
 */
startMicros: number, };

/**
 * Names an attribute of a span.
 */
export type GetAttribute = { 
/**
 * The span.
 */
span: GetSpan, 
/**
 * Position in [`clew_core::trace::SpanDetail::attributes`].
 */
index: number, };

/**
 * Which entries of one trace.
 */
export type GetLedger = { 
/**
 * 32 hex digits.
 */
traceId: string, 
/**
 * Source; 0 is live telemetry.
 */
source: number, 
/**
 * Only the entry of this span, 16 hex digits: none where the span states neither usage nor a cost and calls no model.
 */
spanId?: string, };

/**
 * Names a span.
 */
export type GetSpan = { 
/**
 * 32 hex digits.
 */
traceId: string, 
/**
 * 16 hex digits.
 */
spanId: string, 
/**
 * Source; 0 is live telemetry.
 */
source: number, 
/**
 * Content hash of the variant, 16 hex digits; `null` is the one shown.
 */
variant: string | null, };

/**
 * Names a trace.
 */
export type GetTrace = { 
/**
 * 32 hex digits.
 */
traceId: string, 
/**
 * Source; 0 is live telemetry.
 */
source: number, };

/**
 * What a heuristic's value means.
 */
export type HeuristicKind = "finding" | "score";

/**
 * One heuristic: how often it fired, or how its scores are spread.
 */
export type HeuristicTotals = { 
/**
 * The heuristic's id.
 */
id: string, 
/**
 * Its title.
 */
title: string, 
/**
 * One sentence on what it looks for.
 */
description: string, 
/**
 * What its value means.
 */
kind: HeuristicKind, 
/**
 * Responses that it scored.
 */
scored: number, 
/**
 * Responses on which it fired; 0 for a score.
 */
fired: number, 
/**
 * Share of the scored responses on which it fired, 0 to 1; `null` without any, and for a score.
 */
rate: number | null, 
/**
 * Mean value of a score over the scored responses; `null` without any, and for a finding.
 */
mean: number | null, 
/**
 * How a score's values are spread; `null` without any, and for a finding.
 */
distribution: Distribution | null, };

/**
 * Where a cost comes from.
 */
export type LedgerCost = { "kind": "stated", 
/**
 * The span: this one, or another one that tells of the same call.
 */
spanId: string, } | { "kind": "logged", 
/**
 * That span: another one, or this one.
 */
spanId: string, } | { "kind": "listed" } | { "kind": "above", 
/**
 * That span.
 */
spanId: string, } | { "kind": "below", 
/**
 * That span.
 */
spanId: string, } | { "kind": "unknown" };

/**
 * Tokens counted in what is recorded of a call that states none.
 */
export type LedgerEstimate = { 
/**
 * The vocabulary that they were counted with ("o200k_base").
 */
vocabulary: Vocabulary, 
/**
 * Prompt tokens; `null` where no prompt is recorded.
 */
inputTokens: number | null, 
/**
 * Generated tokens; `null` where no answer is recorded.
 */
outputTokens: number | null, 
/**
 * What these would cost, in nano-dollars; `null` where no price is known.
 */
costNanos: number | null, };

/**
 * Which entries of the ledger, newest first. All that is stated must hold.
 */
export type LedgerFilter = { 
/**
 * The traces that they are part of; its order, cursor and limit say nothing here.
 */
traces: TraceFilter, 
/**
 * When the span itself started.
 */
calls: TimeRange, 
/**
 * The span's own model.
 */
model?: string, 
/**
 * The name of the prompt template behind the call, as `list_prompts` has it.
 */
prompt?: string, 
/**
 * Its version, as `list_prompts` has it: empty where neither a version nor a text is stated.
 */
promptVersion?: string, 
/**
 * The feature or kind of task that the call serves.
 */
feature?: string, 
/**
 * The end user of the trace.
 */
user?: string, 
/**
 * Only entries that count in totals.
 */
counted: boolean, 
/**
 * Where the page before ended ([`LedgerPage::next`]).
 */
cursor: string | null, 
/**
 * Rows in a page, 1 to 5,000; 0 is 50.
 */
limit: number, };

/**
 * One line of an entry.
 */
export type LedgerLine = { 
/**
 * What is counted; `null` for the cost that a span states.
 */
bucket: Bucket | null, 
/**
 * How many: tokens, or calls where calls are billed.
 */
count: number, 
/**
 * US dollars a million as a decimal number; `null` where no list tells a price.
 */
price: string | null, 
/**
 * The bucket whose price it is, where that is a wider kind.
 */
pricedAs: Bucket | null, 
/**
 * Nano-dollars by the list's price; `null` where no list tells one.
 */
listedNanos: number | null, 
/**
 * Nano-dollars that count in the entry's cost; `null` where they do not.
 */
amountNanos: number | null, };

/**
 * A page of the ledger.
 */
export type LedgerPage = { 
/**
 * The entries.
 */
rows: Array<LedgerRow>, 
/**
 * Sums over all entries that match, not over this page alone; calls that count in a trace outside are not in them.
 */
sums: LedgerSums, 
/**
 * Entries that match.
 */
total: number, 
/**
 * Cursor of the next page; `null` on the last.
 */
next: string | null, };

/**
 * One entry of the ledger: a span that states usage or a cost, or is a model call.
 */
export type LedgerRow = { 
/**
 * 32 hex digits.
 */
traceId: string, 
/**
 * 16 hex digits.
 */
spanId: string, 
/**
 * 0 for live telemetry, else the opened file's source id.
 */
source: number, 
/**
 * The span's display name.
 */
name: string, 
/**
 * What kind of step it is.
 */
operation: Operation, 
/**
 * `service.name`.
 */
service: string, 
/**
 * Microseconds since the epoch of its start: the time whose prices hold.
 */
startMicros: number, 
/**
 * Who served it.
 */
provider: string | null, 
/**
 * The model.
 */
model: string | null, 
/**
 * The span above that states the model, where this one names none: 16 hex digits.
 */
modelFrom: string | null, 
/**
 * The provider's id of the response.
 */
responseId: string | null, 
/**
 * The feature or kind of task that it serves, as it or the nearest span above states it.
 */
feature: string | null, 
/**
 * Whether it counts, and if not, why.
 */
standing: LedgerStanding, 
/**
 * Its lines.
 */
lines: Array<LedgerLine>, 
/**
 * Nano-dollars that it adds to totals: the sum of its lines; `null` where it adds none or the price is not known.
 */
costNanos: number | null, 
/**
 * Where its cost comes from.
 */
cost: LedgerCost, 
/**
 * Nano-dollars that a span states.
 */
statedNanos: number | null, 
/**
 * Nano-dollars by list prices, where all lines have one.
 */
listedNanos: number | null, 
/**
 * Whether both are known and differ by more than 1 % of the listed cost.
 */
disagrees: boolean, 
/**
 * The price list, and since when its prices hold.
 */
price: PriceSource, 
/**
 * The most tokens that the model reads, where the book says so.
 */
window: number | null, 
/**
 * What cannot be in its figures.
 */
faults: Array<UsageFault>, 
/**
 * Prompt tokens of its lines; `null` where there is none.
 */
inputTokens: number | null, 
/**
 * Generated tokens of its lines; `null` where there is none.
 */
outputTokens: number | null, 
/**
 * How much of the prompt was read from cache, 0 to 1; `null` where the one or the other is not stated.
 */
cachedShare: number | null, 
/**
 * How much of the model's window the prompt fills, 0 to 1 and above; `null` where one of them is not known.
 */
windowShare: number | null, 
/**
 * What it may have used, where no span states that; in no other figure.
 */
estimate: LedgerEstimate | null, 
/**
 * Why it counts in no total, in words; `null` where it counts.
 */
reason: string | null, 
/**
 * Where its cost comes from, in words; where it counts in no total a whole sentence ("Not counted. The span states
 * $0.01; by list $0.02 (…)").
 */
costSource: string, 
/**
 * The price list and since when its price holds, in words; `null` where no list names the model.
 */
priceList: string | null, 
/**
 * What is odd about it, in sentences: figures that cannot be, a stated cost that the list does not make.
 */
notes: Array<string>, };

/**
 * Whether an entry counts in totals, and if not, why.
 */
export type LedgerStanding = { "kind": "counted" } | { "kind": "costOnly" } | { "kind": "below", 
/**
 * That span, or one of several: 16 hex digits.
 */
spanId: string, } | { "kind": "above", 
/**
 * That span.
 */
spanId: string, } | { "kind": "sameResponse", 
/**
 * That span.
 */
spanId: string, } | { "kind": "sameCall", 
/**
 * That span.
 */
spanId: string, } | { "kind": "elsewhere", 
/**
 * The other trace: 32 hex digits.
 */
traceId: string, 
/**
 * The span there.
 */
spanId: string, };

/**
 * Sums over entries that count.
 */
export type LedgerSums = { 
/**
 * Prompt tokens, cached ones included.
 */
inputTokens: number | null, 
/**
 * Generated tokens, reasoning included.
 */
outputTokens: number | null, 
/**
 * Prompt tokens that were read from cache.
 */
cachedTokens: number | null, 
/**
 * Nano-dollars of all calls whose price is known; `null` where none is.
 */
costNanos: number | null, 
/**
 * Tokens whose price is not known; they are not in the cost.
 */
unpricedTokens: number, 
/**
 * What calls may have used that state nothing; in none of the other sums. `null` where nothing was counted.
 */
estimated: Estimated | null, 
/**
 * Model calls, each once.
 */
calls: number, };

/**
 * One link to another span.
 */
export type LinkRow = { 
/**
 * The other trace's id as hex, as received.
 */
traceId: string, 
/**
 * The other span's id as hex, as received.
 */
spanId: string, 
/**
 * The link's attributes.
 */
attributes: Array<AttributeRow>, };

/**
 * What a lint saw in the spans of one source, service and scope, where what to do about it is the same.
 */
export type LintRow = { 
/**
 * The lint's name.
 */
lint: string, 
/**
 * Its title.
 */
title: string, 
/**
 * How bad it is.
 */
severity: Severity, 
/**
 * `service.name`, empty where none is stated.
 */
service: string, 
/**
 * The instrumentation scope's name.
 */
scope: string, 
/**
 * Spans in which it was seen.
 */
spans: number, 
/**
 * Spans of the source, service and scope that were looked at.
 */
of: number, 
/**
 * What is wrong with the newest of them, in a sentence.
 */
what: string, 
/**
 * What to do about it, in prose.
 */
advice: string, 
/**
 * What to paste into a shell or a program; `null` where nothing is to be set.
 */
setting: string | null, 
/**
 * Their source: 0 is live telemetry.
 */
source: number, 
/**
 * The name of the opened file; `null` for live telemetry.
 */
sourceName: string | null, 
/**
 * The trace of the newest of them.
 */
traceId: string, 
/**
 * Its span.
 */
spanId: string, };

/**
 * Which telemetry to look at.
 */
export type LintTelemetry = { 
/**
 * Only this source: 0 is live telemetry; `null` is all.
 */
source: number | null, };

/**
 * What is wrong with the traces that were received last.
 */
export type Linted = { 
/**
 * Traces that were looked at, at most 200.
 */
traces: number, 
/**
 * Their spans, at most 2,000.
 */
spans: number, 
/**
 * What was seen, worst first.
 */
rows: Array<LintRow>, };

/**
 * Names of one listening socket.
 */
export type Listening = { 
/**
 * `grpc`, `http` or `ui`.
 */
name: string, 
/**
 * The port that was asked for.
 */
port: number, 
/**
 * The bound addresses ("127.0.0.1:4317"); empty where binding failed.
 */
addresses: Array<string>, 
/**
 * Why it does not listen, and what to do.
 */
problem: string | null, };

/**
 * One log record that belongs to the span.
 */
export type LogRow = { 
/**
 * Nanoseconds from the span's start; negative where it lies before.
 */
offsetNanos: number, 
/**
 * Severity as text ("INFO", "unknown (99)").
 */
severity: string, 
/**
 * The event's name, where it is one.
 */
eventName: string, 
/**
 * The body as text or JSON text, cut after 64 KiB.
 */
body: string, 
/**
 * Its attributes.
 */
attributes: Array<AttributeRow>, };

/**
 * How embedded content can be shown.
 */
export type MediaView = "picture" | "text";

/**
 * One message of a conversation.
 */
export type Message = { 
/**
 * Who speaks: `system`, `user`, `assistant`, `tool`, or what the source says.
 */
role: string, 
/**
 * The speaker's name, where one is stated.
 */
name: string | null, 
/**
 * What is said, in order.
 */
parts: Array<Part>, 
/**
 * Why the model stopped, on an output message that states it.
 */
finishReason: string | null, };

/**
 * A fact that an override may name.
 */
export type NamedFact = { 
/**
 * Its name ("input_tokens").
 */
name: string, 
/**
 * What its attribute holds, in words ("Input tokens, cached ones included").
 */
title: string, };

/**
 * No parameters.
 */
export type NoParams = Record<symbol, never>;

/**
 * Files to open.
 */
export type OpenFiles = { 
/**
 * Tokens that the host gave for files which the user dropped or picked.
 */
tokens: Array<string>, };

/**
 * What opening a file gave.
 */
export type Opened = { 
/**
 * The source; `null` where nothing could be read.
 */
source: number | null, 
/**
 * The file's name without its folder.
 */
label: string, 
/**
 * Spans that were new.
 */
spans: number, 
/**
 * Traces that they belong to.
 */
traces: number, 
/**
 * Log records that were new.
 */
logs: number, 
/**
 * Metric points that were new.
 */
points: number, 
/**
 * What was wrong: place and reason, at most 100.
 */
problems: Array<string>, 
/**
 * How many problems there were.
 */
problemCount: number, };

/**
 * What kind of step a span is; the same ten everywhere.
 */
export type Operation = "agent" | "chain" | "llm" | "tool" | "retriever" | "embedding" | "reranker" | "guardrail" | "evaluator" | "other";

/**
 * One attribute and the fact that it states.
 */
export type Override = { 
/**
 * The attribute's key on the span.
 */
key: string, 
/**
 * The fact's name, one of [`Overrides::FACTS`].
 */
fact: string, };

/**
 * One piece of a message.
 */
export type Part = { "type": "text", 
/**
 * The text as received.
 */
text: string, } | { "type": "reasoning", 
/**
 * The text as received.
 */
text: string, } | { "type": "toolCall", 
/**
 * The provider's id of the call, which its result repeats.
 */
id: string | null, 
/**
 * The tool's name.
 */
name: string, 
/**
 * The arguments: JSON text where they are structured.
 */
arguments: string, } | { "type": "toolResult", 
/**
 * The id of the call that is answered.
 */
id: string | null, 
/**
 * The tool's name, where stated.
 */
name: string | null, 
/**
 * The result: JSON text where it is structured.
 */
content: string, } | { "type": "media", 
/**
 * `image`, `audio`, `video` or `file`.
 */
modality: string, 
/**
 * The stated media type.
 */
mimeType: string | null, 
/**
 * Where the source says that it is; shown, never loaded.
 */
uri: string | null, 
/**
 * The content itself in base64, where the span carries it.
 */
data: string | null, 
/**
 * What `data` is by its beginning; told only where the span is looked at.
 */
embedded?: Embedded, } | { "type": "refusal", 
/**
 * The text as received.
 */
text: string, };

/**
 * Limits to look at before they are set.
 */
export type PreviewRetention = { 
/**
 * Bytes of database and index, at least 64 MiB.
 */
maxBytes: number, 
/**
 * Days since a trace was received, 1 to 3650; `null` keeps it for ever.
 */
maxDays: number | null, };

/**
 * A price book.
 */
export type PriceBook = { 
/**
 * Where its data comes from.
 */
source: string, 
/**
 * The version of that.
 */
version: string, 
/**
 * The day on which it was made, as `2026-11-21`.
 */
date: string, 
/**
 * The licence of its data.
 */
licence: string, 
/**
 * Models that it lists.
 */
models: number, };

/**
 * Which prices hold where neither the span nor the user states one.
 */
export type PriceProfile = "book" | "s1" | "s2";

/**
 * Where the rates of a call come from.
 */
export type PriceSource = { "kind": "custom", 
/**
 * The pattern of models for which it was given.
 */
model: string, 
/**
 * The day from which it holds, where one was given.
 */
since: string | null, } | { "kind": "book", 
/**
 * The book's id of the provider.
 */
provider: string, 
/**
 * The book's id of the model.
 */
model: string, 
/**
 * The day from which the price holds, where the book says so.
 */
since: string | null, 
/**
 * Whether it is the price of the request's service tier or batch.
 */
special: boolean, 
/**
 * The book: its source, version and date.
 */
book: string, } | { "kind": "profile", 
/**
 * Which one.
 */
profile: PriceProfile, } | { "kind": "local" } | { "kind": "unknown" };

/**
 * The prices that hold.
 */
export type Prices = { 
/**
 * The book that holds for calls that come now; `null` where it could not be read.
 */
book: PriceBook | null, 
/**
 * Whether it is the one that comes with Clew.
 */
isVendored: boolean, 
/**
 * What is used in place of the book.
 */
profile: PriceProfile, 
/**
 * The user's own prices.
 */
custom: Array<CustomPrice>, 
/**
 * Microseconds since the epoch from which calls have these prices; 0 for all of history.
 */
sinceMicros: number, 
/**
 * Whether earlier calls keep prices that were decided before.
 */
isHistoryOlder: boolean, 
/**
 * Whether the last decision priced all of history anew and can be taken back.
 */
canUndo: boolean, };

/**
 * The text difference of two prompt versions.
 */
export type PromptDiff = { 
/**
 * The lines of both.
 */
lines: Array<DiffLine>, 
/**
 * Placeholders only in the newer text.
 */
variablesAdded: Array<string>, 
/**
 * Placeholders only in the older text.
 */
variablesRemoved: Array<string>, 
/**
 * Placeholders in both.
 */
variablesKept: Array<string>, };

/**
 * One prompt template with its versions, oldest first.
 */
export type PromptTemplate = { 
/**
 * The template's name as stated.
 */
name: string, 
/**
 * Calls of all its versions.
 */
calls: number, 
/**
 * Its versions, oldest first use first.
 */
versions: Array<PromptVersion>, };

/**
 * One version of a prompt template and what its calls did. Medians are of calls that state the figure.
 */
export type PromptVersion = { 
/**
 * The version as stated; where the program states none, `#` and six hex digits of the text's hash, or empty
 * where it states no text either.
 */
version: string, 
/**
 * The template's text, where stated; the newest where calls state several.
 */
template: string | null, 
/**
 * Different texts that its calls state: more than one means that the text changed and the version did not.
 */
texts: number, 
/**
 * Calls that used it.
 */
calls: number, 
/**
 * Calls that failed.
 */
errors: number, 
/**
 * Microseconds since the epoch of its first call.
 */
firstMicros: number, 
/**
 * Microseconds since the epoch of its last call.
 */
lastMicros: number, 
/**
 * Median duration in nanoseconds of calls that ended.
 */
durationNanos: number | null, 
/**
 * Median prompt tokens.
 */
inputTokens: number | null, 
/**
 * Median output tokens.
 */
outputTokens: number | null, 
/**
 * Median cost in US dollars, as the ledger has it.
 */
costUsd: number | null, 
/**
 * Share of scored responses on which the refusal heuristic fired, 0 to 1.
 */
refusalRate: number | null, 
/**
 * Models that answered.
 */
models: Array<string>, };

/**
 * What a deletion removed.
 */
export type Purged = { 
/**
 * Traces.
 */
traces: number, 
/**
 * Spans.
 */
spans: number, 
/**
 * Bytes by which the files shrank.
 */
bytes: number, 
/**
 * What could not be done yet, and what to do; `null` where all is done.
 */
notice: string | null, };

/**
 * What the user says attributes mean.
 */
export type Readings = { 
/**
 * Attributes and the facts that they state, by the names of the facts.
 */
overrides: Array<Override>, 
/**
 * The facts that an attribute may state.
 */
facts: Array<NamedFact>, 
/**
 * Spans that are still to be read again by them.
 */
stale: number, };

/**
 * Who may be addressed.
 */
export type Receiving = { 
/**
 * Names under which this machine is reached from others ("devbox.local"), beside its addresses and `localhost`:
 * OTLP requests that state one of them as their host are taken. At most 20.
 */
allowedHosts: Array<string>, };

/**
 * A rectangle in pixels of the drawing.
 */
export type Rect = { 
/**
 * Left edge.
 */
x: number, 
/**
 * Top edge.
 */
y: number, 
/**
 * Width.
 */
width: number, 
/**
 * Height.
 */
height: number, };

/**
 * What else in the trace and elsewhere tells of a span.
 */
export type References = { 
/**
 * Of a retriever or reranker: calls after it whose answers name its documents by their ids.
 */
citedBy: Array<CitingCall>, 
/**
 * Of a model call: where its answer names documents that were retrieved before it. One that states no messages but an
 * output has it as message 0, part 0.
 */
citations: Array<Citation>, 
/**
 * Log records elsewhere that name the call by the id of its request or response, the earliest 200, in order of time.
 */
relatedLogs: Array<RelatedLog>, };

/**
 * A log record of another span, or of none, that names the call by the id of its request or its response.
 */
export type RelatedLog = { 
/**
 * The id that joins them.
 */
id: string, 
/**
 * `service.name` of the record's resource.
 */
service: string, 
/**
 * The trace that the record names, 32 hex digits; `null` where it names none.
 */
traceId: string | null, 
/**
 * The span that the record names, 16 hex digits; `null` where it names none.
 */
spanId: string | null, 
/**
 * The record; its offset is from the start of the call.
 */
log: LogRow, };

/**
 * What is kept. Age is counted from when a trace was received, not from the times that it states.
 */
export type Retention = { 
/**
 * Bytes of database and index above which the oldest traces are deleted; at least 64 MiB. Default 10 GB.
 */
maxBytes: number, 
/**
 * Days after which a trace is deleted, 1 to 3,650; `null` (the default) is never.
 */
maxDays: number | null, };

/**
 * What limits would delete now.
 */
export type RetentionPreview = { 
/**
 * Traces.
 */
traces: number, 
/**
 * Bytes that this would free, estimated.
 */
bytes: number, };

/**
 * Consecutive siblings of one name and operation, with everything below them.
 */
export type Run = { 
/**
 * Row of the first member.
 */
row: number, 
/**
 * The row after the last one that belongs to the run.
 */
end: number, 
/**
 * How many siblings there are.
 */
members: number, 
/**
 * Nanoseconds of all members together; a pending one counts none.
 */
durationNanos: number, 
/**
 * Rows of the run that failed, those below its members included.
 */
errors: number, };

/**
 * A drawing and where everything in it landed.
 */
export type Scene = { 
/**
 * The chart's id.
 */
id: string, 
/**
 * Its title.
 */
title: string, 
/**
 * One sentence on what it shows, with the unit.
 */
description: string, 
/**
 * The drawing: our own SVG, whose colours are `var(--ink-N)` and `var(--text…)`.
 */
svg: string, 
/**
 * Width of the drawing in pixels.
 */
width: number, 
/**
 * Height of the drawing in pixels.
 */
height: number, 
/**
 * Where the data lie, axes excluded.
 */
plot: Rect, 
/**
 * Microseconds since the epoch at the plot's left edge.
 */
from: number, 
/**
 * Microseconds since the epoch at the plot's right edge.
 */
to: number, 
/**
 * Microseconds that one bucket spans.
 */
step: number, 
/**
 * The series.
 */
series: Array<SceneSeries>, 
/**
 * All of it together as text, of what adds up ("1.2k tokens"); `null` of percentiles, and where there is nothing.
 */
total: string | null, };

/**
 * One drawn point.
 */
export type ScenePoint = { 
/**
 * Pixels from the left of the drawing.
 */
px: number, 
/**
 * Pixels from the top of the drawing.
 */
py: number, 
/**
 * Microseconds since the epoch of the bucket's start.
 */
at: number, 
/**
 * The value in the chart's unit.
 */
value: number, 
/**
 * The value as text ("1.2k tokens").
 */
label: string, };

/**
 * One series.
 */
export type SceneSeries = { 
/**
 * Its name, as the legend shows it.
 */
name: string, 
/**
 * Its colour: `var(--ink-N)`.
 */
ink: number, 
/**
 * Its points from left to right.
 */
points: Array<ScenePoint>, };

/**
 * A program that has sent telemetry.
 */
export type Sender = { 
/**
 * `service.name`.
 */
service: string, 
/**
 * `telemetry.sdk.language`.
 */
language: string | null, 
/**
 * Instrumentation scopes: name and version.
 */
scopes: Array<string>, 
/**
 * How it sends ("gRPC", "HTTP/protobuf", "HTTP/JSON").
 */
transport: string, 
/**
 * The exporter's user agent.
 */
userAgent: string, 
/**
 * Spans received.
 */
spans: number, 
/**
 * Log records received.
 */
logs: number, 
/**
 * Metric points received.
 */
points: number, 
/**
 * Address of the machine that it sends from; `null` for this one.
 */
peer: string | null, 
/**
 * Whether it stated the ingest key. Without a key, anyone who reaches the port may call themselves anything.
 */
authenticated: boolean, 
/**
 * Microseconds since the epoch of the first request.
 */
firstMicros: number, 
/**
 * Microseconds since the epoch of the last request.
 */
lastMicros: number, };

/**
 * Says anew what attributes mean, in the place of everything said before.
 */
export type SetOverrides = { 
/**
 * Attributes and the facts that they state; a fact is stated by one attribute at most.
 */
overrides: Array<Override>, };

/**
 * Decides what prices calls have that are received from now on. Earlier ones keep theirs ([`crate::api`]:
 * `reprice_history`).
 */
export type SetPrices = { 
/**
 * What is used in place of the book.
 */
profile: PriceProfile, 
/**
 * The user's own prices.
 */
custom: Array<CustomPrice>, 
/**
 * The book.
 */
book: BookChoice, };

/**
 * [`Settings`] as a command takes them: what is left out gets its default, what is no setting is refused. The database
 * may hold settings of another version, so [`Settings`] themselves let it pass.
 */
export type SetSettings = Settings;

/**
 * Every setting that lives in the database. Addresses are set at the start (flags and `CLEW_*`), not here.
 */
export type Settings = { 
/**
 * Appearance.
 */
appearance: Appearance, 
/**
 * Retention.
 */
retention: Retention, 
/**
 * Receiving.
 */
receiving: Receiving, };

/**
 * How bad it is.
 */
export type Severity = "error" | "warning" | "note";

/**
 * An opened file.
 */
export type Source = { 
/**
 * Its id; 0 is live telemetry and never listed.
 */
id: number, 
/**
 * The file's name without its folder.
 */
label: string, 
/**
 * The format in which it was read.
 */
format: string, 
/**
 * Its spans.
 */
spans: number, 
/**
 * Its traces.
 */
traces: number, 
/**
 * Microseconds since the epoch at which it was opened.
 */
openedMicros: number, };

/**
 * One span, whole.
 */
export type SpanDetail = { 
/**
 * 32 hex digits.
 */
traceId: string, 
/**
 * 16 hex digits.
 */
spanId: string, 
/**
 * 16 hex digits; `null` at the root.
 */
parentSpanId: string | null, 
/**
 * The span's name as received.
 */
name: string, 
/**
 * What kind of step it is.
 */
operation: Operation, 
/**
 * OTel span kind as text ("client", "unknown (99)").
 */
kind: string, 
/**
 * 0 unset, 1 ok, 2 error.
 */
status: number, 
/**
 * The status message.
 */
statusMessage: string, 
/**
 * Nanoseconds since the epoch, in decimal digits.
 */
startNanos: string, 
/**
 * Nanoseconds since the epoch, in decimal digits; "0" while pending.
 */
endNanos: string, 
/**
 * Nanoseconds from start to end; `null` while pending.
 */
durationNanos: number | null, 
/**
 * `service.name` of the resource.
 */
service: string, 
/**
 * Who serves the model.
 */
provider: string | null, 
/**
 * The model that answered, else the one that was asked for; of a call that names none the one that
 * [`Self::model_from`] names.
 */
model: string | null, 
/**
 * The span above that names the model, where this one names none: 16 hex digits.
 */
modelFrom: string | null, 
/**
 * Token counts as stated.
 */
usage: Usage, 
/**
 * Stated cost in US dollars; what it costs the ledger says ([`super::LedgerRow`]).
 */
costUsd: number | null, 
/**
 * Nanoseconds to the first token; `null` where that is stated to be after the end.
 */
ttftNanos: number | null, 
/**
 * Output tokens a second as stated; else from the first token to the end, over the whole call where no first token
 * is stated.
 */
tokensPerSecond: number | null, 
/**
 * Where the time of a model call went, part by part, with how each is known; empty for other spans, and while the call
 * runs.
 */
timing: Array<TimingRow>, 
/**
 * Why the model stopped.
 */
finishReasons: Array<string>, 
/**
 * The error's type, where stated.
 */
errorType: string | null, 
/**
 * Why it went wrong, in Clew's own classes.
 */
errorClass: ErrorClass | null, 
/**
 * The stage of a pipeline that the span is.
 */
stage: Stage | null, 
/**
 * The error's message, where stated.
 */
errorMessage: string | null, 
/**
 * The conversation that was sent.
 */
input: Array<Message>, 
/**
 * How many messages at the start of `input` an earlier call of this trace had already sent or answered.
 */
reused: number, 
/**
 * How many of `input` are new.
 */
fresh: number, 
/**
 * How much the reused ones are; `null` where none is.
 */
reusedSize: ContentSize | null, 
/**
 * What came back.
 */
output: Array<Message>, 
/**
 * Input that is not a conversation.
 */
inputValue: string | null, 
/**
 * Output that is not a conversation.
 */
outputValue: string | null, 
/**
 * The tool's name, on a tool span.
 */
toolName: string | null, 
/**
 * The id that joins a tool span to the model's tool call.
 */
toolCallId: string | null, 
/**
 * What the tool was called with.
 */
toolArguments: string | null, 
/**
 * What the tool answered.
 */
toolResult: string | null, 
/**
 * What was searched for.
 */
query: string | null, 
/**
 * Documents retrieved.
 */
documents: Array<Document>, 
/**
 * Whether something else may tell of it ([`super::References`]): it answered, found documents, or states an id of its
 * request or response.
 */
referable: boolean, 
/**
 * Tools that the model was offered.
 */
tools: Array<ToolDefinition>, 
/**
 * Request parameters: name and JSON text.
 */
parameters: Array<[string, string]>, 
/**
 * The prompt template's name, where stated.
 */
promptName: string | null, 
/**
 * The prompt template's version, where stated.
 */
promptVersion: string | null, 
/**
 * Every fact with its source.
 */
facts: Array<FactRow>, 
/**
 * The vocabulary that explains the span best; `null` where none does.
 */
dialect: DialectRow | null, 
/**
 * Keys of its attributes that no vocabulary explains, in order of arrival.
 */
unexplained: Array<string>, 
/**
 * Why there is no content, on a model call without any.
 */
contentHint: ContentHint | null, 
/**
 * What heuristics saw in the response.
 */
findings: Array<Finding>, 
/**
 * Span attributes in order of arrival, at most the first 1,000.
 */
attributes: Array<AttributeRow>, 
/**
 * How many attributes the span has.
 */
attributeCount: number, 
/**
 * Attributes, events and links that the SDK dropped.
 */
dropped: [number, number, number], 
/**
 * The instrumentation scope's name and version, where stated, then the resource's attributes.
 */
resource: Array<AttributeRow>, 
/**
 * Span events in order of time.
 */
events: Array<EventRow>, 
/**
 * Span links.
 */
links: Array<LinkRow>, 
/**
 * Log records of this span, in order of time.
 */
logs: Array<LogRow>, 
/**
 * What is odd about the span, in sentences ("ends before it starts").
 */
problems: Array<string>, 
/**
 * All contents received under this id, the shown one among them.
 */
variants: Array<VariantRow>, };

/**
 * The facts of one span, each with who stated it.
 */
export type SpanFacts = { 
/**
 * 16 hex digits.
 */
spanId: string, 
/**
 * The vocabulary that explains the span best; `null` where none does.
 */
dialect: DialectRow | null, 
/**
 * Every fact with its source.
 */
facts: Array<FactRow>, 
/**
 * Keys of its attributes that no vocabulary explains, in order of arrival.
 */
unexplained: Array<string>, };

/**
 * The stage of a pipeline that a span is (seed S3).
 */
export type Stage = "retrieval" | "prompt_assembly" | "inference" | "parsing" | "guardrail" | "post_processing";

/**
 * What Clew is doing.
 */
export type Status = { 
/**
 * Clew's version.
 */
version: string, 
/**
 * The sockets.
 */
listening: Array<Listening>, 
/**
 * Path of the database.
 */
database: string, 
/**
 * Bytes of database, write-ahead log and index.
 */
databaseBytes: number, 
/**
 * Size limit in bytes.
 */
databaseLimit: number, 
/**
 * Spans stored.
 */
spans: number, 
/**
 * Traces stored.
 */
traces: number, 
/**
 * Spans committed in a second, over the last ten.
 */
spansPerSecond: number, 
/**
 * Spans whose facts are not derived yet.
 */
underived: number, 
/**
 * Spans whose text is not indexed yet.
 */
unindexed: number, 
/**
 * Spans that wait for their facts or for the index, whichever is further behind.
 */
behind: number, 
/**
 * Items refused since the start, by reason.
 */
refused: Array<FacetValue>, 
/**
 * Spans, log records and points since the start that were stored already: delivered again, and not stored twice.
 */
duplicates: number, 
/**
 * Items refused since the start, for all reasons.
 */
refusedTotal: number, 
/**
 * Whether the receiver takes spans; otherwise why not.
 */
problem: string | null, 
/**
 * Whether Clew listens beyond this machine: the banner stands while it does.
 */
exposed: boolean, 
/**
 * Whether requests must state the ingest key.
 */
keyed: boolean, 
/**
 * Host names that requests may be addressed to, beside addresses, `localhost` and the names of container hosts:
 * those of the start and of the settings, sorted.
 */
allowedHosts: Array<string>, 
/**
 * Whether any span has ever been received live.
 */
received: boolean, };

/**
 * What the database holds.
 */
export type Storage = { 
/**
 * Path of the database.
 */
database: string, 
/**
 * Bytes of the database and its write-ahead log.
 */
databaseBytes: number, 
/**
 * Bytes of the full-text index.
 */
indexBytes: number, 
/**
 * Bytes of both, which retention by size counts.
 */
usedBytes: number, 
/**
 * Share of the size limit that is used, 0 to 1 and beyond.
 */
usedShare: number, 
/**
 * Spans stored.
 */
spans: number, 
/**
 * Log records stored.
 */
logs: number, 
/**
 * Metric points stored.
 */
points: number, 
/**
 * Traces stored.
 */
traces: number, 
/**
 * Microseconds since the epoch at which the oldest trace was received.
 */
oldestMicros: number | null, 
/**
 * Traces that the present retention settings would delete now.
 */
purgeableTraces: number, 
/**
 * Bytes that this would free, estimated.
 */
purgeableBytes: number, 
/**
 * Why retention could not do all that the settings say when it last looked, and what to do.
 */
notice: string | null, };

/**
 * The test trace that was sent.
 */
export type TestTrace = { 
/**
 * 32 hex digits.
 */
traceId: string, };

/**
 * A text.
 */
export type Text = { 
/**
 * The text.
 */
text: string, };

/**
 * How the UI is coloured.
 */
export type Theme = "system" | "light" | "dark";

/**
 * A time range in microseconds since the epoch, `from` included, `to` not; `null` is open.
 */
export type TimeRange = { 
/**
 * First instant.
 */
from: number | null, 
/**
 * First instant after.
 */
to: number | null, };

/**
 * A part of a call's time.
 */
export type TimingPart = "queue" | "network" | "first_token" | "generation" | "post_processing" | "rest";

/**
 * One part of a call's time, and how it is known.
 */
export type TimingRow = { 
/**
 * Which part.
 */
part: TimingPart, 
/**
 * Nanoseconds; `null` where not known. All of them together are the call's duration.
 */
nanos: number | null, 
/**
 * How it is known, or why it is not: a sentence.
 */
how: string, };

/**
 * A tool that the model was offered.
 */
export type ToolDefinition = { 
/**
 * The tool's name.
 */
name: string, 
/**
 * What it says it does.
 */
description: string | null, 
/**
 * JSON schema of its parameters, as JSON text.
 */
parameters: string | null, };

/**
 * Names a part of what Clew knows.
 */
export type Topic = "spans" | "sources" | "settings" | "status";

/**
 * Which traces, in which order. Filters on different fields all apply; values of one field are alternatives.
 */
export type TraceFilter = { 
/**
 * Words that a span's name, input, output, error or the id of its response or request must hold, all of them in one
 * span; `"a phrase"` in quotes.
 */
text: string, 
/**
 * `service.name` of any span.
 */
services: Array<string>, 
/**
 * Model of any span.
 */
models: Array<string>, 
/**
 * Operation of any span.
 */
operations: Array<Operation>, 
/**
 * Status of the trace.
 */
statuses: Array<TraceStatus>, 
/**
 * Why any of its spans failed.
 */
errorClasses: Array<ErrorClass>, 
/**
 * Session id.
 */
session: string | null, 
/**
 * Start time.
 */
range: TimeRange, 
/**
 * Received at or after this, in microseconds since the epoch: programs may state any start.
 */
receivedFrom?: number, 
/**
 * Text that the resource of one of its spans holds, such as the id that `clew run` gives a program.
 */
resource?: string, 
/**
 * Only this source: 0 is live telemetry; `null` is all.
 */
source: number | null, 
/**
 * Sort key.
 */
sort: TraceSort, 
/**
 * Smallest first instead of largest.
 */
ascending: boolean, 
/**
 * Where the page before ended ([`TracePage::next`]).
 */
cursor: string | null, 
/**
 * Rows in a page, 1 to 500; 0 is 100.
 */
limit: number, };

/**
 * A page of traces.
 */
export type TracePage = { 
/**
 * The rows.
 */
rows: Array<TraceSummary>, 
/**
 * Cursor of the next page; `null` on the last.
 */
next: string | null, 
/**
 * Spans whose text is not indexed yet: a text filter cannot see them.
 */
behind: number, 
/**
 * What the list cannot show, and why, in sentences: words that could not be looked for, rows that cannot be read.
 */
notice: string | null, };

/**
 * What traces are sorted by.
 */
export type TraceSort = "start" | "duration" | "tokens" | "cost" | "spans";

/**
 * Whether a trace still runs.
 */
export type TraceState = "running" | "complete" | "rootless";

/**
 * Status of a trace, as a filter.
 */
export type TraceStatus = "ok" | "error" | "running";

/**
 * One row of the list of traces. Totals count each model call once ([`crate::trace`]).
 */
export type TraceSummary = { 
/**
 * 32 hex digits.
 */
traceId: string, 
/**
 * 0 for live telemetry, else the opened file's source id.
 */
source: number, 
/**
 * The root's display name, else the earliest span's.
 */
name: string, 
/**
 * The root's operation.
 */
operation: Operation, 
/**
 * The root's `service.name`.
 */
service: string, 
/**
 * Microseconds since the epoch of the earliest start.
 */
startMicros: number, 
/**
 * Nanoseconds from the earliest start to the latest end seen so far.
 */
durationNanos: number, 
/**
 * Whether it still runs.
 */
state: TraceState, 
/**
 * Spans, each id counted once.
 */
spanCount: number, 
/**
 * Spans that ended in an error.
 */
errorCount: number, 
/**
 * Model calls, each provider response counted once.
 */
callCount: number, 
/**
 * Models that answered, in order of first use.
 */
models: Array<string>, 
/**
 * Prompt tokens of all calls; `null` where no call states any.
 */
inputTokens: number | null, 
/**
 * Output tokens of all calls; `null` where no call states any.
 */
outputTokens: number | null, 
/**
 * Prompt tokens read from cache, a part of `inputTokens`.
 */
cachedTokens: number | null, 
/**
 * What all calls cost whose price is known, in US dollars, as the ledger has it; `null` where none is.
 */
costUsd: number | null, 
/**
 * The same in whole nano-dollars: the sum of the ledger's lines.
 */
costNanos: number | null, 
/**
 * Tokens whose price is not known; they are not in the cost.
 */
unpricedTokens: number, 
/**
 * Model calls, failed ones aside, of which no span states any usage.
 */
unstatedCalls: number, 
/**
 * What these may have used, counted in what is recorded of them; in no other figure. `null` where nothing was counted.
 */
estimated: Estimated | null, 
/**
 * Nanoseconds to the first token of the first call that states it.
 */
ttftNanos: number | null, 
/**
 * Session id, from any span.
 */
session: string | null, 
/**
 * User id, from any span.
 */
user: string | null, 
/**
 * The root's input, cut to 200 characters.
 */
inputPreview: string | null, 
/**
 * The root's output, cut to 200 characters.
 */
outputPreview: string | null, 
/**
 * Heuristics that fired on any response: their ids.
 */
findings: Array<string>, 
/**
 * Microseconds since the epoch at which its newest span was received.
 */
receivedMicros: number, };

/**
 * Totals, histogram and facets of the traces that match a filter.
 */
export type TraceTotals = { 
/**
 * Matching traces.
 */
traces: number, 
/**
 * Their spans.
 */
spans: number, 
/**
 * Traces with an error.
 */
errors: number, 
/**
 * Input and output tokens of all calls; `null` where none states any.
 */
tokens: number | null, 
/**
 * Cost of all calls in US dollars, as the ledger has it; `null` where no price is known.
 */
costUsd: number | null, 
/**
 * 95th percentile of the durations of ended traces in nanoseconds.
 */
p95Nanos: number | null, 
/**
 * Microseconds since the epoch of the histogram's first bucket.
 */
histogramFrom: number, 
/**
 * Microseconds of one bucket.
 */
histogramStep: number, 
/**
 * Traces by bucket: all, and those with an error.
 */
histogram: Array<[number, number]>, 
/**
 * Services, most frequent first, at most 50.
 */
services: Array<FacetValue>, 
/**
 * Models, most frequent first, at most 50.
 */
models: Array<FacetValue>, 
/**
 * Why spans failed, by the name of the class, most frequent first.
 */
errorClasses: Array<FacetValue>, 
/**
 * Statuses.
 */
statuses: Array<FacetValue>, 
/**
 * Operations.
 */
operations: Array<FacetValue>, };

/**
 * Token counts that a span states, in tokens; `None` is "not stated", zero is zero.
 *
 * `input` is the whole prompt: cache reads and writes, sound and images are parts of it. `reasoning` and what was
 * generated as sound or image are parts of `output`. Sources that exclude cached tokens from input are corrected when
 * they are read (semconv.md §3).
 */
export type Usage = { 
/**
 * Prompt tokens, cached ones included.
 */
input: number | null, 
/**
 * Generated tokens, reasoning included.
 */
output: number | null, 
/**
 * Prompt tokens read from the provider's cache.
 */
cacheRead: number | null, 
/**
 * Prompt tokens written to the provider's cache, for however long.
 */
cacheWrite: number | null, 
/**
 * Those of them that were written for an hour.
 */
cacheWrite1h?: number, 
/**
 * Prompt tokens of sound.
 */
audioInput?: number, 
/**
 * Prompt tokens of images.
 */
imageInput?: number, 
/**
 * Output tokens spent on reasoning.
 */
reasoning: number | null, 
/**
 * Output tokens of sound.
 */
audioOutput?: number, 
/**
 * Output tokens of images.
 */
imageOutput?: number, };

/**
 * What cannot be in the figures that a span states: a part is larger than its whole. The parts are shown and billed as
 * stated, and what they leave of the whole is nothing.
 */
export type UsageFault = "partsAboveInput" | "partsAboveOutput" | "hourAboveWritten";

/**
 * Another content received under the same span id.
 */
export type VariantRow = { 
/**
 * Its content hash, 16 hex digits: `getSpan` takes it.
 */
hash: string, 
/**
 * Whether it is the one shown.
 */
shown: boolean, 
/**
 * Microseconds since the epoch at which it was received.
 */
receivedMicros: number, 
/**
 * Number of attributes.
 */
attributes: number, 
/**
 * Whether it had ended.
 */
ended: boolean, };

/**
 * A public vocabulary of OpenAI's tiktoken.
 */
export type Vocabulary = "o200k_base" | "o200k_harmony" | "cl100k_base" | "p50k_base" | "r50k_base";

/**
 * A trace as rows in pre-order; each column has one element a row.
 */
export type Waterfall = { 
/**
 * The high 32 bits of the span id.
 */
spanHigh: Uint32Array, 
/**
 * The low 32 bits of the span id.
 */
spanLow: Uint32Array, 
/**
 * Row of the parent, -1 at top level.
 */
parent: Int32Array, 
/**
 * Levels below the top.
 */
depth: Uint16Array, 
/**
 * Rows below this one that belong to it; they follow it directly.
 */
descendants: Uint32Array, 
/**
 * Nanoseconds from time 0 to the start.
 */
start: Float64Array, 
/**
 * Nanoseconds from start to end; -1 while pending.
 */
duration: Float64Array, 
/**
 * Nanoseconds from the start to the first token; -1 where not stated, or where it cannot be.
 */
ttft: Float64Array, 
/**
 * Display name, as an index into `strings`.
 */
name: Uint32Array, 
/**
 * `service.name`, as an index into `strings`.
 */
service: Uint32Array, 
/**
 * The model, as an index into `strings`; of a call that names none the one that a row above it names.
 */
model: Uint32Array, 
/**
 * The row above that names the model, -1 where the row names its own or has none.
 */
modelFrom: Int32Array, 
/**
 * The error's short text, as an index into `strings`.
 */
error: Uint32Array, 
/**
 * Index of the operation in `Operation::ALL`.
 */
operation: Uint8Array, 
/**
 * 0 unset, 1 ok, 2 error.
 */
status: Uint8Array, 
/**
 * Bits of [`flag`].
 */
flags: Uint16Array, 
/**
 * Prompt tokens; -1 where not stated.
 */
inputTokens: Float64Array, 
/**
 * Output tokens; -1 where not stated.
 */
outputTokens: Float64Array, 
/**
 * Prompt tokens read from cache; -1 where not stated.
 */
cachedTokens: Float64Array, 
/**
 * What the row adds to the trace's cost, in US dollars; -1 where it adds nothing or no price is known.
 */
cost: Float64Array, 
/**
 * Prompt tokens of all calls that count below the row; -1 where there are none.
 */
inputBelow: Float64Array, 
/**
 * Output tokens of all calls that count below it; -1 where there are none.
 */
outputBelow: Float64Array, 
/**
 * What the calls that count below it cost together, in US dollars; -1 where none has a known price.
 */
costBelow: Float64Array, 
/**
 * Documents retrieved.
 */
documents: Uint16Array, 
/**
 * Rows of the critical path's stretches, in order of time; these three columns have one element a stretch.
 */
criticalRow: Uint32Array, 
/**
 * Nanoseconds from time 0 to the start of the stretch.
 */
criticalFrom: Float64Array, 
/**
 * Nanoseconds from time 0 to its end.
 */
criticalTo: Float64Array, 
/**
 * Totals of the trace.
 */
summary: TraceSummary, 
/**
 * Nanoseconds since the epoch of the time 0 of all rows, in decimal digits.
 */
originNanos: string, 
/**
 * Nanoseconds from time 0 to the latest end.
 */
extentNanos: number, 
/**
 * Texts that columns refer to by index; index 0 is the empty text.
 */
strings: Array<string>, 
/**
 * Runs of at least five repeated siblings, in order of their rows.
 */
runs: Array<Run>, 
/**
 * Stretches in which nothing works: nanoseconds from time 0 to start and end. Empty where they do not matter.
 */
idle: Array<[number, number]>, 
/**
 * Nanoseconds of all idle stretches together.
 */
idleNanos: number, 
/**
 * Their share of the whole trace, 0 to 1.
 */
idleShare: number, 
/**
 * Nanoseconds of the critical path in which something worked: waiting agents and chains aside.
 */
criticalNanos: number, 
/**
 * How much of the prompts of all calls was read from cache, 0 to 1; `null` where that is not stated.
 */
cachedShare: number | null, 
/**
 * The call that fills its model's window most; `null` where no call's window is known.
 */
fullest: WindowUse | null, };

/**
 * Which calls, and on which other models.
 */
export type WhatIf = { 
/**
 * The entries; what counts in no total is left out, and cursor and limit say nothing here. More than 200,000 are
 * refused.
 */
filter: LedgerFilter, 
/**
 * Models as the price book names them, with or without a provider before a slash; at most 8 of up to 200 characters.
 */
models: Array<string>, };

/**
 * What calls would have cost.
 */
export type WhatIfAmount = { 
/**
 * Nano-dollars of all calls that state tokens; `null` where there is none, or one of them is left out.
 */
nanos: number | null, 
/**
 * The difference to the cost as a share of it: -0.4 is 40 % less. `null` where the amount or a part of the cost is
 * not known, or the cost is nothing.
 */
change: number | null, 
/**
 * Calls whose amount is not known.
 */
leftOut: number, };

/**
 * Calls that count, and what they would have cost otherwise.
 */
export type WhatIfFigures = { 
/**
 * Calls whose tokens count, those that state none among them. A span that tells of several calls at once is one.
 */
calls: number, 
/**
 * Of these, calls that state neither tokens nor a cost; they are in no other figure.
 */
unstatedCalls: number, 
/**
 * Calls whose cost a span states: what stands beside it is by list prices nevertheless.
 */
statedCalls: number, 
/**
 * Calls that state tokens and have no known cost of their own.
 */
unpricedCalls: number, 
/**
 * Prompt tokens, cached ones included; `null` where no call states any.
 */
inputTokens: number | null, 
/**
 * Generated tokens, reasoning included.
 */
outputTokens: number | null, 
/**
 * Prompt tokens that were read from cache.
 */
cachedTokens: number | null, 
/**
 * Tokens of the largest prompt of one call to a language model.
 */
largestPrompt: number | null, 
/**
 * Nano-dollars, as they stand in the ledger, of all entries whose cost is known; `null` where none is.
 */
costNanos: number | null, 
/**
 * Without a cache: cached tokens, read or written, at the price of other prompt tokens. What the list makes of that
 * difference is added to the cost.
 */
uncached: WhatIfAmount, 
/**
 * With every prompt token read from cache, at that price: no cache makes it less. Calls to anything but language
 * models cost what they cost.
 */
allCached: WhatIfAmount, 
/**
 * At the book's prices for batches.
 */
batch: WhatIfAmount, 
/**
 * On each model that was asked for, in that order.
 */
models: Array<WhatIfModelAmount>, };

/**
 * A model that was asked for.
 */
export type WhatIfModel = { 
/**
 * Its name as it was asked for.
 */
name: string, 
/**
 * The price list that has it, and since when the price holds that the newest call would have had, in words; `null`
 * where no list names it.
 */
priceList: string | null, 
/**
 * The most tokens that it reads, where the book says so.
 */
window: number | null, };

/**
 * What calls would have cost on one other model.
 */
export type WhatIfModelAmount = { 
/**
 * The amount.
 */
amount: WhatIfAmount, 
/**
 * Whether the largest prompt fits into the model's window; `null` where one of them is not known.
 */
fits: boolean | null, };

/**
 * Calls of one feature to one model.
 */
export type WhatIfRow = { 
/**
 * The feature or kind of task that they serve; `null` where none is stated.
 */
feature: string | null, 
/**
 * The model that answered.
 */
model: string | null, 
/**
 * Who served it.
 */
provider: string | null, 
/**
 * Their figures.
 */
figures: WhatIfFigures, };

/**
 * What calls cost, by feature and model, and what they would have cost otherwise.
 */
export type WhatIfTable = { 
/**
 * The models that were asked for.
 */
models: Array<WhatIfModel>, 
/**
 * By feature, model and provider, the dearest first; at most 500.
 */
rows: Array<WhatIfRow>, 
/**
 * How many rows there would be without that limit.
 */
total: number, 
/**
 * The figures of all calls.
 */
totals: WhatIfFigures, };

/**
 * How much of its model's window a call fills.
 */
export type WindowUse = { 
/**
 * The call's span: 16 hex digits.
 */
spanId: string, 
/**
 * Its prompt's tokens.
 */
tokens: number, 
/**
 * The most tokens that its model reads.
 */
window: number, 
/**
 * The one as a share of the other, 0 to 1 and above.
 */
share: number, };

/** Every command: its parameters and its reply. */
export interface Commands {
  /** What Clew is doing: addresses, rates, sizes, how far facts and index are behind. */
  get_status: { params: NoParams; reply: Status };
  /** Traces that match a filter, a page at a time. */
  list_traces: { params: TraceFilter; reply: TracePage };
  /** Totals, histogram and facets of the traces that match a filter. */
  summarise_traces: { params: TraceFilter; reply: TraceTotals };
  /** One trace as waterfall rows; attributes stay behind until a span is opened. */
  get_waterfall: { params: GetTrace; reply: Waterfall };
  /** One span, whole. */
  get_span: { params: GetSpan; reply: SpanDetail };
  /** What else tells of a span: answers that name its documents, documents that its answer names, records of others. */
  get_references: { params: GetSpan; reply: References };
  /** The whole value of an attribute that `get_span` cut. */
  get_attribute: { params: GetAttribute; reply: Text };
  /** The facts of every span of a trace, each with the key and the convention that stated it, in pre-order. */
  get_facts: { params: GetTrace; reply: Array<SpanFacts> };
  /** A trace or the spans below one, as text to copy: Markdown for a model, or OTLP JSON. */
  copy_trace: { params: CopyTrace; reply: Text };
  /** What each model call of a trace used and cost, and what does not count, with the reason. */
  get_ledger: { params: GetLedger; reply: Array<LedgerRow> };
  /** The same over many traces, a page at a time, with the sums over all that match. */
  list_ledger: { params: LedgerFilter; reply: LedgerPage };
  /** All entries that match, as CSV. */
  export_ledger: { params: LedgerFilter; reply: Text };
  /** What the calls that match would have cost on other models, without a cache or all from it, and in a batch. */
  what_if: { params: WhatIf; reply: WhatIfTable };
  /** The price book and the user's own prices. */
  get_prices: { params: NoParams; reply: Prices };
  /** Decides the prices of calls that are received from now on; refused as a whole if one cannot be read. */
  set_prices: { params: SetPrices; reply: Prices };
  /** Gives calls that were received before the prices that hold now. */
  reprice_history: { params: NoParams; reply: Prices };
  /** Takes that back: earlier calls have the prices again that were decided for them. */
  undo_reprice: { params: NoParams; reply: Prices };
  /** What the user says attributes mean. */
  get_overrides: { params: NoParams; reply: Readings };
  /** Says it anew; every span is read again, beside what comes in. Refused as a whole if one cannot be taken. */
  set_overrides: { params: SetOverrides; reply: Readings };
  /** Prompt templates with their versions and what each took and cost. */
  list_prompts: { params: TimeRange; reply: Array<PromptTemplate> };
  /** The text difference of two prompt versions. */
  diff_prompts: { params: DiffPrompts; reply: PromptDiff };
  /** How often each heuristic fired, and the newest responses on which it did. */
  list_findings: { params: FindingFilter; reply: FindingPage };
  /** The registry of charts. */
  list_charts: { params: NoParams; reply: Array<ChartInfo> };
  /** One chart, drawn for a time range and a size. */
  draw_chart: { params: DrawChart; reply: Scene };
  /** Every setting. */
  get_settings: { params: NoParams; reply: Settings };
  /** Replaces every setting; refused as a whole if one is out of range. */
  set_settings: { params: SetSettings; reply: Settings };
  /** What the database holds, and what the present retention would free. */
  get_storage: { params: NoParams; reply: Storage };
  /** What limits that are not set yet would delete, so that a reader can be asked before they are. */
  preview_retention: { params: PreviewRetention; reply: RetentionPreview };
  /** Applies retention now. */
  apply_retention: { params: NoParams; reply: Purged };
  /** Deletes traces for good: rows, payloads, facts and index. */
  delete_traces: { params: DeleteTraces; reply: Purged };
  /** What has been seen of senders, and what went wrong with their requests. */
  get_connections: { params: NoParams; reply: Connections };
  /** What is wrong with the telemetry that came last, and the line of set-up to change. */
  lint_telemetry: { params: LintTelemetry; reply: Linted };
  /** Sends one small trace through Clew's own OTLP endpoint. */
  send_test_trace: { params: NoParams; reply: TestTrace };
  /** Opens the built-in sample: recorded traces of real programs. */
  open_sample: { params: NoParams; reply: Opened };
  /** Opened files. */
  list_sources: { params: NoParams; reply: Array<Source> };
  /** Opens files that the user dropped or picked, by the tokens that the host gave for them. */
  open_files: { params: OpenFiles; reply: Array<Opened> };
  /** Closes an opened file and removes its rows. */
  close_source: { params: CloseSource; reply: Purged };
}

/** What makes a command's answer stale. */
export const topics: Record<keyof Commands, Topic[]> = {
  get_status: ["status"],
  list_traces: ["spans"],
  summarise_traces: ["spans"],
  get_waterfall: ["spans"],
  get_span: ["spans"],
  get_references: ["spans"],
  get_attribute: [],
  get_facts: ["spans"],
  copy_trace: ["spans"],
  get_ledger: ["spans"],
  list_ledger: ["spans"],
  export_ledger: [],
  what_if: ["spans", "settings"],
  get_prices: ["settings"],
  set_prices: [],
  reprice_history: [],
  undo_reprice: [],
  get_overrides: ["settings", "spans"],
  set_overrides: [],
  list_prompts: ["spans"],
  diff_prompts: ["spans"],
  list_findings: ["spans"],
  list_charts: [],
  draw_chart: ["spans"],
  get_settings: ["settings"],
  set_settings: [],
  get_storage: ["status"],
  preview_retention: [],
  apply_retention: [],
  delete_traces: [],
  get_connections: ["status"],
  lint_telemetry: ["spans"],
  send_test_trace: [],
  open_sample: [],
  list_sources: ["sources"],
  open_files: [],
  close_source: [],
};

/** Commands that answer with packed columns. */
export const packed: ReadonlySet<keyof Commands> = new Set(["get_waterfall"]);

/** Every operation, in the order of their index in a waterfall. */
export const operations = ["agent", "chain", "llm", "tool", "retriever", "embedding", "reranker", "guardrail", "evaluator", "other"] as const satisfies readonly Operation[];

/** Microseconds after its newest telemetry for which a trace without an ended root counts as running. */
export const runningMicros = 120000000;
