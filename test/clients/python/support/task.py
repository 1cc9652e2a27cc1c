"""The task of a client: its standard input."""

import json
import sys

task = json.load(sys.stdin)
url, key, model = task["url"], task["key"], task["model"]
query, documents = task["query"], task["documents"]


def tell(ranking):
    """Tells the ranking: the place of each document in the request, and its score, best first."""
    # Clients write to standard output, too.
    print("\n" + json.dumps([[index, score] for index, score in ranking]))


def places(texts):
    return [documents.index(text) for text in texts]
