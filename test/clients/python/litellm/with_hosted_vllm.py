import litellm
from task import documents, key, model, query, tell, url

answer = litellm.rerank(
    model="hosted_vllm/" + model, query=query, documents=documents, api_base=url, api_key=key, top_n=len(documents)
)
tell((one["index"], one["relevance_score"]) for one in answer.results)
