from haystack.utils import Secret
from haystack_documents import candidates, tell_ranked
from haystack_integrations.components.rankers.vllm import VLLMRanker
from task import key, model, query, url

ranker = VLLMRanker(model=model, api_key=Secret.from_token(key), api_base_url=url + "/v1")
tell_ranked(ranker.run(query=query, documents=candidates))
