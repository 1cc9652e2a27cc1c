"""LiteLLM reads a document of Infinity as a string, and one of vLLM, asked in the same words, as an object."""

import litellm
from task import documents, key, model, query, tell, url

answer = litellm.rerank(
    model="infinity/" + model,
    query=query,
    documents=documents,
    api_base=url,
    api_key=key,
    top_n=len(documents),
    return_documents=False,
)
tell((one["index"], one["relevance_score"]) for one in answer.results)
