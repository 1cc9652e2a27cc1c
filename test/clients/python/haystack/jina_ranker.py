from haystack.utils import Secret
from haystack_documents import candidates, tell_ranked
from haystack_integrations.components.rankers.jina import JinaRanker
from task import key, model, query, url

ranker = JinaRanker(model=model, api_key=Secret.from_token(key), base_url=url + "/v1/rerank")
tell_ranked(ranker.run(query=query, documents=candidates))
