"""LlamaIndex' nodes: a postprocessor gives them back in its order."""

from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from task import documents, places, query, tell

question = QueryBundle(query)
nodes = [NodeWithScore(node=TextNode(text=text)) for text in documents]


def tell_nodes(ranked):
    tell(zip(places(one.node.get_content() for one in ranked), (one.score for one in ranked)))
