"""A manual that answers, in LlamaIndex: embeddings, a retriever, a model that ranks anew, a streamed answer.

`python library.py [openinference|openllmetry]` names whose instrumentation watches it.
"""

import os
import sys

import telemetry
from llama_index.core import Document, Settings, VectorStoreIndex
from llama_index.core.postprocessor import LLMRerank
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI

BASE = os.environ["OPENAI_BASE_URL"]
MANUAL = [
    "The WP-9 heat pump needs a flow of at least seven litres of water a minute. Below it stops with error E14.",
    "After error E14 the heat pump waits ten minutes and then starts again by itself. Do not switch it off meanwhile.",
    "Clean the strainer once a year, before the heating period. Close both valves first.",
    "The outdoor unit may be covered with snow up to the lower edge of its fan.",
]


def main() -> None:
    telemetry.start()
    if sys.argv[1:] == ["openllmetry"]:
        from opentelemetry.instrumentation.llamaindex import LlamaIndexInstrumentor
    else:
        from openinference.instrumentation.llama_index import LlamaIndexInstrumentor
    LlamaIndexInstrumentor().instrument()
    Settings.llm = OpenAI(model="gpt-4.1-mini", temperature=0.1, api_base=BASE)
    Settings.embed_model = OpenAIEmbedding(model="text-embedding-3-small", api_base=BASE)
    documents = [Document(text=text, id_=f"wp9-{page}", metadata={"page": page}) for page, text in enumerate(MANUAL, 1)]
    index = VectorStoreIndex.from_documents(documents)
    ranked = index.as_query_engine(
        similarity_top_k=3, streaming=True, node_postprocessors=[LLMRerank(top_n=2, choice_batch_size=4)]
    )
    print(ranked.query("How much water does the heat pump need?"))
    print(index.as_query_engine(similarity_top_k=2).query("How long is the warranty?"))


if __name__ == "__main__":
    main()
