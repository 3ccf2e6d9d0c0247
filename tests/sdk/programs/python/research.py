"""A research agent in LangGraph: one model plans, one searches with tools, one writes the report while it streams.

`python research.py [openinference|openllmetry]` names whose instrumentation watches it.
"""

import os
import sys
import time
from typing import TypedDict

import telemetry
from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph

PACE = float(os.environ.get("STAND_IN_PACE", "1"))
QUESTION = "Should a town of 80,000 people replace its diesel buses with battery buses?"


@tool
def web_search(query: str, top: int = 3) -> list[dict]:
    """Searches the web and returns titles with addresses."""
    time.sleep(0.6 * PACE)
    if "winter" in query:
        return [
            {"title": "Eleven buses, one winter: a trial", "url": "https://transit.example/winter-trial-2025"},
            {"title": "Heat pumps in city buses", "url": "https://buses.example/heat-pumps"},
        ]
    return [
        {"title": "What a battery bus costs in twelve years", "url": "https://fleet.example/tco-12"},
        {"title": "Diesel, gas, battery: total cost compared", "url": "https://transit.example/cost-study"},
    ]


@tool
def read_page(url: str) -> str:
    """Fetches a page as text."""
    time.sleep(0.4 * PACE)
    return (
        "Eleven battery buses ran in a town of 76,000 from November to March. At -10 °C range fell by 32 % with electric "
        "heating and by 14 % with a heat pump. Two diesel buses stayed on the 240 km line. Afterwards the town ordered two more."
    )


class State(TypedDict, total=False):
    question: str
    plan: str
    findings: str
    report: str


def build():
    """Three nodes in a row; the middle one is an agent with tools."""
    planner = ChatOpenAI(model="gpt-5-mini", reasoning_effort="low")
    editor = ChatOpenAI(model="gpt-5-mini", stream_usage=True)
    researcher = create_agent(
        ChatOpenAI(model="gpt-4.1", temperature=0.2),
        [web_search, read_page],
        system_prompt="You are a careful researcher. Search before you claim anything, and cite what you read.",
        name="researcher",
    )

    def plan(state: State) -> State:
        system = "You are the planning lead of a research desk. Answer with JSON: {\"questions\": [...]}."
        answer = planner.invoke([("system", system), ("user", state["question"])])
        return {"plan": answer.content}

    def research(state: State) -> State:
        task = f"{state['question']}\n\nPlan: {state['plan']}"
        done = researcher.invoke({"messages": [("user", task)]})
        return {"findings": done["messages"][-1].content}

    def write(state: State) -> State:
        system = "You are the editor. Write a short report in Markdown from the findings; say what is not known."
        task = f"{state['question']}\n\n{state['findings']}"
        text = "".join(part.content for part in editor.stream([("system", system), ("user", task)]))
        return {"report": text}

    graph = StateGraph(State)
    for name, node in (("plan", plan), ("research", research), ("write", write)):
        graph.add_node(name, node)
    graph.add_edge(START, "plan")
    graph.add_edge("plan", "research")
    graph.add_edge("research", "write")
    graph.add_edge("write", END)
    return graph.compile(name="deep_research")


def main() -> None:
    telemetry.start()
    if sys.argv[1:] == ["openllmetry"]:
        from opentelemetry.instrumentation.langchain import LangchainInstrumentor

        LangchainInstrumentor().instrument()
    else:
        from openinference.instrumentation.langchain import LangChainInstrumentor

        LangChainInstrumentor().instrument()
    settings = {"metadata": {"session_id": "desk-7", "user_id": "ines"}, "tags": ["research"]}
    print(build().invoke({"question": QUESTION}, settings)["report"])


if __name__ == "__main__":
    main()
