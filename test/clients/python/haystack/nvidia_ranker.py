from haystack.utils import Secret
from haystack_documents import candidates, tell_ranked
from haystack_integrations.components.rankers.nvidia import NvidiaRanker
from task import key, model, query, url

ranker = NvidiaRanker(model=model, api_key=Secret.from_token(key), api_url=url + "/v1")
tell_ranked(ranker.run(query=query, documents=candidates))
