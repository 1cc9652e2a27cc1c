import cohere
from task import documents, key, model, query, tell, url

client = cohere.Client(api_key=key, base_url=url)
answer = client.rerank(model=model, query=query, documents=documents)
tell((one.index, one.relevance_score) for one in answer.results)
