"""What the stand-in provider answers: the script of the demo programs, as a table.

A line is meant when all its words are heard in the system prompt or the last thing the user said, and when as many rounds
of tools went before. The first line that is meant wins.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One answer."""

    hears: tuple[str, ...]
    says: str = ""
    calls: tuple[tuple[str, dict | str], ...] = ()
    """Tools to call, with their arguments; a custom tool's is a text."""
    round: int = 0
    """Rounds of tool calls since the user last spoke."""
    thinks: str = ""
    """A summary of the reasoning, where the API hands one out."""
    reasoning: int = 0
    """Tokens of reasoning, parts of the output."""
    cached: int = 0
    """Tokens of the prompt read from the cache."""
    cache_write: int = 0
    """Tokens of the prompt written to the cache."""
    cache_hour: int = 0
    """Those of them that last an hour, and not five minutes."""
    pinned: int = 0
    """Tokens of the prompt beyond its words, as images and schemas cost them."""
    stop: str = ""
    """Why it stopped, where it was not the end or a tool: "length", "refusal", "content_filter"."""
    at_once: bool = False
    """Whether what it says streams in one piece, for programs that keep a span of each piece."""
    fails: int = 0
    """How many attempts are refused with 429 before this is answered."""


ORDER = '{"order": 1182, "item": "Kestrel 900 blender", "delivered": "2026-11-12", "total": 89.9, "status": "delivered"}'

RESEARCH = (
    Line(
        ("planning lead", "battery buses"),
        '{"questions": ["What do battery buses cost over twelve years, compared with diesel?", '
        '"How far do they run on a winter day?", "What did towns of this size report?"]}',
        reasoning=384,
    ),
    Line(
        ("researcher", "battery buses"),
        calls=(
            ("web_search", {"query": "battery electric bus total cost of ownership 12 years vs diesel", "top": 3}),
            ("web_search", {"query": "battery bus winter range loss heating", "top": 3}),
        ),
    ),
    Line(
        ("researcher", "battery buses"),
        calls=(("read_page", {"url": "https://transit.example/winter-trial-2025"}),),
        round=1,
        cached=512,
    ),
    Line(
        ("researcher", "battery buses"),
        "Findings:\n\n- **Cost.** Over twelve years a battery bus costs 4 to 9 % less than diesel: it is 210,000 dearer to buy "
        "and 19,500 a year cheaper to run and to maintain [1].\n- **Winter.** At -10 °C range falls by 32 % with electric "
        "heating, by 14 % with a heat pump [2].\n- **Towns.** The trial's town of 76,000 kept two diesel buses for its "
        "longest line and bought two more battery buses after the first winter [3].",
        round=2,
        cached=1024,
    ),
    Line(
        ("editor", "battery buses"),
        "## Battery buses for a town of 80,000\n\n**Yes, for most lines, if you buy heat pumps.** Over twelve years they are "
        "4 to 9 % cheaper than diesel, although each costs 210,000 more on the first day.\n\n| | Diesel | Battery |\n| --- | "
        "--- | --- |\n| Purchase | 290,000 | 500,000 |\n| Energy and upkeep, a year | 46,000 | 26,500 |\n| Range at -10 °C | "
        "520 km | 205 km with a heat pump |\n\n### What to watch\n\n1. **The longest line.** A 240 km day in January needs a "
        "midday charge of 25 minutes, or a diesel bus kept for it.\n2. **The depot.** Eleven buses that charge overnight draw "
        "about 600 kW; ask the grid operator first, because the connection takes longest.\n\n### What I could not find out\n\n"
        "No source measured batteries beyond year nine, so the last three years are an estimate.",
        reasoning=192,
        cached=768,
    ),
)

SUPPORT = (
    Line(("topic guard", "invoice for a laptop"), '{"in_scope": true, "reason": "It asks about an invoice."}'),
    Line(("topic guard",), '{"in_scope": true, "reason": "It is about an order of this shop."}'),
    Line(
        ("front desk", "cracked jar"),
        calls=(("transfer_to_refunds", {}),),
        thinks="**Choosing a desk**\n\nA broken item and a wish for money back: this is the refund desk's.",
        reasoning=128,
    ),
    Line(
        ("refund desk", "cracked jar"),
        calls=(("look_up_order", {"order": 1182}), ("search_policy", {"question": "refund for an item that arrived broken"})),
        round=1,
        cached=256,
    ),
    Line(
        ("refund desk", "cracked jar"),
        calls=(("refund", {"order": 1182, "amount": 89.9, "reason": "arrived broken"}),),
        round=2,
        cached=512,
    ),
    Line(
        ("refund desk", "cracked jar"),
        "I am sorry about the jar. I have refunded **$89.90** for order 1182 to the card you paid with; your bank shows it "
        "within three working days. You need not send the blender back.\n\nReference: `RF-20417`",
        round=3,
        cached=768,
    ),
    Line(
        ("front desk", "where is order 1207"),
        calls=(("look_up_order", {"order": 1207}),),
        fails=2,
    ),
    Line(
        ("front desk", "where is order 1207"),
        "Order 1207 left our warehouse on Tuesday and is due **on Friday before noon**.",
        round=1,
    ),
    Line(
        ("front desk", "invoice for a laptop"),
        "I'm sorry, but I can't help with an invoice for something you did not buy. If you need a copy of the invoice for "
        "an order of yours, tell me its number.",
        stop="refusal",
    ),
    Line(
        ("front desk", "terms of sale"),
        "Our terms of sale, in full:\n\n**1. Scope.** These terms hold for every order placed in the shop, by phone or in "
        "writing. **2. Prices.** Prices include tax and are those shown when the order is placed. **3. Delivery.** We deliver "
        "within five working days to addresses in",
        stop="length",
    ),
)

LIBRARY = (
    Line(
        ("a list of documents is shown below",),
        "Doc: 2, Relevance: 9\nDoc: 1, Relevance: 7",
    ),
    Line(
        ("context information is below", "heat pump"),
        "Seven litres of water a minute is the least flow the WP-9 needs. Below that it stops with error **E14** and starts "
        "again by itself after ten minutes.",
        cached=128,
    ),
    Line(
        ("context information is below", "warranty"),
        "The manual does not say how long the warranty lasts.",
    ),
)

CONTRACT = (
    Line(
        ("paralegal", "may we end the lease"),
        calls=(("find_clause", {"words": "termination notice period"}),),
        thinks="The user asks about ending the lease early. I need the clause on termination before I can answer; the "
        "contract is in the prompt, but the tool gives the exact wording.",
        reasoning=96,
        cache_write=1480,
    ),
    Line(
        ("paralegal", "may we end the lease"),
        "Yes. **Clause 14.2** lets you end the lease at the end of any calendar quarter with six months' written notice. "
        "Notice given by 31 December 2026 would end it on **30 June 2027**.\n\n> \"Either party may terminate at the end of a "
        "calendar quarter on giving six months' notice in writing.\"",
        round=1,
        cached=1480,
    ),
    Line(
        ("paralegal", "summarise every clause"),
        "1. **Parties.** The landlord and the tenant named on page one.\n2. **Premises.** The second floor, 340 square "
        "metres, with eleven parking spaces.\n3. **Term.** Ten years from 1 July 2021, with one option for",
        stop="length",
        cached=1480,
    ),
    Line(("paralegal", "rent index"), "The rent follows the consumer price index, once a year.", fails=1, cached=1480),
    Line(
        ("paralegal", "forge"),
        "I can't help with changing a signed contract.",
        stop="refusal",
        cached=1480,
    ),
)

TRAVEL = (
    Line(
        ("travel desk", "three days in lisbon"),
        calls=(("find_trains", {"to": "Lisbon", "day": "2026-12-04"}), ("ask_local", {"city": "Lisbon", "days": 3})),
        reasoning=64,
    ),
    Line(("travel desk", "three days in lisbon"), calls=(("find_trains", {"to": "Lisboa Oriente", "day": "2026-12-04"}),), round=1),
    Line(
        ("travel desk", "three days in lisbon"),
        calls=(
            (
                "final_result",
                {
                    "title": "Three days in Lisbon",
                    "train": "IC 126, 08:09",
                    "days": ["Alfama and the castle", "Belém by tram 15", "Sintra"],
                    "budget_eur": 412,
                },
            ),
        ),
        round=2,
        cached=384,
    ),
    Line(
        ("local guide", "lisbon"),
        "Day one: Alfama on foot, the castle before ten. Day two: Belém by tram 15. Day three: Sintra, first train out.",
    ),
)

NOTES = (
    Line(("incident", "summarise"), "Checkout failed for 14 minutes because a certificate had expired; 212 orders were retried.", fails=1),
    Line(
        ("incident", "who is affected"),
        calls=(("query_metrics", {"service": "checkout", "metric": "errors", "minutes": 30}),),
    ),
    Line(
        ("incident", "who is affected"),
        "Customers in Europe: 212 orders failed at payment between 09:12 and 09:26. All were retried and went through.",
        round=1,
        cached=128,
    ),
    Line(
        ("incident", "severity"),
        '{"severity": "high", "service": "checkout", "minutes": 14, "customers": 212}',
        reasoning=64,
    ),
    Line(("incident", "timeline"), "09:12 the certificate expires. 09:15 alerts. 09:21 on call renews it. 09:26 errors end. 09:40 the", stop="length"),
)

ROUTED = (
    Line(("open on sunday",), "On Sunday the shop is closed; orders are taken online and sent on Monday."),
    Line(("is this a complaint", "parcel"), "complaint"),
    Line(("why may a parcel",), "Parcels break where they are dropped, pressed by heavier ones, or packed without padding."),
    Line(
        ("how long is the warranty, and",),
        "The warranty lasts two years from delivery. Returns are taken within 30 days, unused and in their box.",
    ),
    Line(("is this a complaint", "too many requests"), fails=9),
)

PARSER = "The parser test fails."
CALLERS = "List the callers of fields()."

CLAUDE = (
    Line(
        (PARSER, "claude agent"),
        "I'll run the test and read the parser.",
        calls=(
            ("Bash", {"command": "python3 -m unittest", "description": "Run the tests"}),
            ("Read", {"file_path": "/srv/desk/parser.py"}),
        ),
        thinks="The test's output says what is wrong; the parser is short enough to read whole.",
        cached=14350,
        cache_write=2210,
        cache_hour=2048,
    ),
    Line(
        (PARSER, "claude agent"),
        calls=(
            (
                "Agent",
                {
                    "description": "Find callers",
                    "prompt": CALLERS,
                    "subagent_type": "general-purpose",
                    "model": "haiku",
                    "run_in_background": False,
                },
            ),
        ),
        round=1,
        cached=16560,
        cache_write=480,
        fails=1,
    ),
    Line(
        (CALLERS, "claude agent"),
        calls=(("Bash", {"command": "grep -n 'fields(' *.py", "description": "Find the callers"}),),
        cache_write=1024,
    ),
    Line((CALLERS, "claude agent"), "Only `test_parser.py` calls it, on line 8.", round=1, cached=1024),
    Line(
        (PARSER, "claude agent"),
        "Nothing else calls it, so the fix is safe.",
        calls=(
            (
                "Edit",
                {
                    "file_path": "/srv/desk/parser.py",
                    "old_string": "[field for field in",
                    "new_string": "[field.strip() for field in",
                },
            ),
        ),
        round=2,
        cached=17040,
        cache_write=310,
    ),
    Line(
        (PARSER, "claude agent"),
        calls=(("Bash", {"command": "python3 -m unittest", "description": "Run the tests again"}),),
        round=3,
        cached=17350,
    ),
    Line(
        (PARSER, "claude agent"),
        "Fixed: `fields` split at commas but kept the spaces, so `b` came back as ` b`. It strips them now, and the test passes.",
        round=4,
        cached=17350,
    ),
)

CODEX = (
    Line(
        (PARSER, "codex"),
        "I'll run the test and read the parser.",
        calls=(
            (
                "exec",
                'const ran = await tools.exec_command({cmd: "python3 -m unittest; cat parser.py"});\ntext(ran.output);',
            ),
        ),
        thinks="**Looking**\n\nThe test's output says what is wrong.",
        reasoning=64,
        cached=4096,
        cache_write=1024,
        at_once=True,
    ),
    Line(
        (PARSER, "codex"),
        calls=(
            (
                "exec",
                "text(await tools.apply_patch(`*** Begin Patch\n*** Update File: parser.py\n@@\n"
                '-    return [field for field in line.split(",")]\n+    return [field.strip() for field in line.split(",")]\n'
                "*** End Patch`));\ntext((await tools.exec_command({cmd: 'python3 -m unittest'})).output);",
            ),
        ),
        round=1,
        cached=5120,
        at_once=True,
    ),
    Line(
        (PARSER, "codex"),
        "Fixed: `fields` split at commas but kept the spaces, so `b` came back as ` b`. It strips them now, and the test passes.",
        round=2,
        cached=5632,
        at_once=True,
    ),
)

GEMINI = (
    Line(
        (PARSER, "gemini cli"),
        "I'll run the test and read the parser.",
        calls=(
            ("run_shell_command", {"command": "python3 -m unittest", "description": "Runs the tests."}),
            ("read_file", {"file_path": "/srv/desk/parser.py"}),
        ),
        reasoning=96,
        cached=2048,
    ),
    Line(
        (PARSER, "gemini cli"),
        calls=(
            (
                "replace",
                {
                    "file_path": "/srv/desk/parser.py",
                    "instruction": "Strip the spaces around each field.",
                    "old_string": "[field for field in",
                    "new_string": "[field.strip() for field in",
                },
            ),
        ),
        round=1,
        cached=2048,
    ),
    Line(
        (PARSER, "gemini cli"),
        "Fixed: `fields` split at commas but kept the spaces, so `b` came back as ` b`. It strips them now, and the test passes.",
        round=2,
        cached=2048,
    ),
)

LINES = RESEARCH + SUPPORT + LIBRARY + CONTRACT + TRAVEL + NOTES + ROUTED + CLAUDE + CODEX + GEMINI
