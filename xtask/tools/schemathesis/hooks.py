"""Hooks of schemathesis for BitMart: selects the paths of the host, signs requests, and accepts the documented 5xx
response."""

import hashlib
import hmac
import json
import os
import time

import schemathesis
from requests.auth import AuthBase

HOST = os.environ["SCHEMATHESIS_HOST"]
CREDENTIALS = json.loads(os.environ["BITMART_SANDBOX"])["credentials"]


class Sign(AuthBase):
    """Signs the bytes that are sent."""

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        timestamp = str(int(time.time() * 1000))
        message = f"{timestamp}#{CREDENTIALS['memo']}#".encode() + body
        request.headers["X-BM-KEY"] = CREDENTIALS["key"]
        request.headers["X-BM-TIMESTAMP"] = timestamp
        request.headers["X-BM-SIGN"] = hmac.new(CREDENTIALS["secret"].encode(), message, hashlib.sha256).hexdigest()
        return request


def without_columns(schema):
    """Some rows are lists with a schema per column (`prefixItems`), which Schemathesis 4.32 converts to an invalid
    schema. Here each column may have the type of any of them."""
    if isinstance(schema, dict):
        columns = schema.pop("prefixItems", None)
        if columns is not None:
            schema["items"] = {"anyOf": columns}
        schema = schema.values()
    if not isinstance(schema, str) and hasattr(schema, "__iter__"):
        for member in schema:
            without_columns(member)


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Keeps the paths of one host, without the headers that `Sign` adds."""
    paths = raw_schema["paths"]
    futures = [path for path, item in paths.items() if len(item["servers"]) == 3]
    assert 0 < len(futures) < len(paths)
    for path in list(paths):
        if (path in futures) != (HOST == "futures"):
            del paths[path]
            continue
        del paths[path]["servers"]
        for operation in paths[path].values():
            operation["security"] = []
            without_columns(operation["responses"])


@schemathesis.hook
def before_call(context, case, kwargs):
    kwargs["auth"] = Sign()


@schemathesis.check
def no_server_error(ctx, response, case):
    """No 5xx except the documented 503 for a body that is not a JSON object."""
    if response.status_code < 500:
        return
    sent = response.request.body
    try:
        is_object = isinstance(json.loads(sent or b""), dict)
    except ValueError:
        is_object = False
    assert response.status_code == 503 and response.json()["code"] == 30018 and not is_object, \
        f"{response.status_code} {response.text[:200]}"
