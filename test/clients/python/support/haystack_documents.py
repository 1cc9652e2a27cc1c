"""Haystack's documents: a ranker gives them back in its order."""

from haystack import Document

from task import documents, places, tell

candidates = [Document(content=text) for text in documents]


def tell_ranked(answer):
    ranked = answer["documents"]
    tell(zip(places(one.content for one in ranked), (one.score for one in ranked)))
