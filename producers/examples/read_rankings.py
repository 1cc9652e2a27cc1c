"""Reads rankings from Redis as their jobs end. Takes the rankings' keys from standard input, one per line.

    node enqueue.mjs sample.jsonl | python3 read_rankings.py        needs: pip install redis
"""

import json
import os
import sys

import redis

r = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379"), decode_responses=True)
# rankmill:{TAG}:result:JOBID: the braces are part of the key.
waiting = {line.strip() for line in sys.stdin if line.strip()}

notices = r.pubsub(ignore_subscribe_messages=True)
notices.subscribe({key.split(":result:")[0] + ":ended" for key in waiting})
while waiting:
    keys = sorted(waiting)
    for key, value in zip(keys, r.mget(keys)):
        if value is None:
            continue
        waiting.discard(key)
        # D and the line of output, or F and {"code", "message"}.
        status, body = value[0], json.loads(value[1:])
        if status == "F":
            print("failed", body["code"], body["message"], sep="\t", flush=True)
            continue
        best = body["results"][0] if body["results"] else {}
        print(body["id"], best.get("id", best.get("index")), best.get("relevance_score"), sep="\t", flush=True)
    # A notice says that some job ended. It can be lost, so the keys are asked again after a second anyway.
    if waiting:
        notices.get_message(timeout=1.0)
