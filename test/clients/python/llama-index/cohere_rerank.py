from llama_index.postprocessor.cohere_rerank import CohereRerank
from llama_nodes import nodes, question, tell_nodes
from task import key, model, url

reranker = CohereRerank(top_n=len(nodes), model=model, api_key=key, base_url=url)
tell_nodes(reranker.postprocess_nodes(nodes, question))
