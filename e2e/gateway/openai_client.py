"""What somebody with OpenAI's Python package does: nothing here is about CloudFreedom but the two variables.

OPENAI_BASE_URL and OPENAI_API_KEY say where and as whom; prints what it saw as JSON.
"""

import json
import sys

from openai import AuthenticationError, OpenAI

client = OpenAI(max_retries=0)
messages = [{"role": "user", "content": sys.argv[1]}]
try:
    models = [model.id for model in client.models.list()]
    whole = client.chat.completions.create(model="gpt-4o-mini", messages=messages)
    parts = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=True)
    streamed = "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
    vectors = client.embeddings.create(model="text-embedding-3-small", input=["one", "two"])
    seen = {
        "models": models,
        "whole": whole.choices[0].message.content,
        "streamed": streamed,
        "vectors": len(vectors.data),
        "tokens": whole.usage.total_tokens,
    }
except AuthenticationError as refused:
    seen = {"refused": refused.status_code, "code": refused.code}
print(json.dumps(seen))
