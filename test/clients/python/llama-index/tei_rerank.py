from llama_index.postprocessor.tei_rerank import TextEmbeddingInference
from llama_nodes import nodes, question, tell_nodes
from task import key, url

reranker = TextEmbeddingInference(top_n=len(nodes), base_url=url, auth_token=key)
tell_nodes(reranker.postprocess_nodes(nodes, question))
