from infinity_client import AuthenticatedClient
from infinity_client.api.default import rerank
from infinity_client.models import RerankInput
from task import documents, key, model, query, tell, url

client = AuthenticatedClient(base_url=url, token=key)
answer = rerank.sync(client=client, body=RerankInput(query=query, documents=documents, model=model))
tell((one.index, one.relevance_score) for one in answer.results)
