from langchain_cohere import CohereRerank
from task import documents, key, model, query, tell, url

reranker = CohereRerank(model=model, cohere_api_key=key, base_url=url, top_n=len(documents))
answer = reranker.rerank(documents, query)
tell((one["index"], one["relevance_score"]) for one in answer)
