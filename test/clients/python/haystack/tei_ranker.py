from haystack.utils import Secret
from haystack_documents import candidates, tell_ranked
from haystack_integrations.components.rankers.huggingface_api import HuggingFaceTEIRanker
from task import key, query, url

ranker = HuggingFaceTEIRanker(url=url, token=Secret.from_token(key))
tell_ranked(ranker.run(query=query, documents=candidates))
