from llama_index.postprocessor.nvidia_rerank import NVIDIARerank
from llama_nodes import nodes, question, tell_nodes
from task import key, model, url

reranker = NVIDIARerank(top_n=len(nodes), model=model, api_key=key, base_url=url + "/v1")
tell_nodes(reranker.postprocess_nodes(nodes, question))
