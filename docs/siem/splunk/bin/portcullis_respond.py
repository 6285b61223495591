#!/usr/bin/env python3
"""Splunk alert action and adaptive response: asks Portcullis to block or release the address of a result.

Splunk starts it with --execute and one JSON document on standard input. Lines on standard error go to splunkd.log.
Exit codes: 0 done or as it was, 1 wrong configuration, 2 refused, 3 not reached (Splunk shows the action as failed).
"""
import hashlib
import json
import ssl
import sys
import time
import urllib.error
import urllib.request

ATTEMPTS = 4


def log(level, message):
    print(f"{level} {message}", file=sys.stderr, flush=True)


def build(payload):
    """What Portcullis is asked for, from what Splunk hands over."""
    settings = payload.get("configuration", {})
    field = settings.get("field") or "src"
    value = payload.get("result", {}).get(field, "")
    values = value if isinstance(value, list) else [value]
    values = [v.strip() for v in values if v and v.strip()][:100]
    if not values:
        raise ValueError(f"the result has no field {field}")
    op = settings.get("op") or "block"
    reason = settings.get("reason") or f"Splunk search {payload.get('search_name') or payload.get('sid', '')}"
    items = []
    for v in values:
        item = {"op": op, "value": v, "reason": reason[:400]}
        if op == "block" and settings.get("duration_secs"):
            item["durationSecs"] = int(settings["duration_secs"])
        items.append(item)
    # The same result of the same search asks once, however often Splunk starts the action.
    key = json.dumps([payload.get("sid", ""), op, values])
    request = {
        "idempotencyKey": "splunk-" + hashlib.sha256(key.encode()).hexdigest(),
        "source": "splunk",
        "items": items,
    }
    if payload.get("sid"):
        request["reference"] = payload["sid"][:200]
    return request


def send(settings, request):
    """The answer of Portcullis; tries again while it cannot be reached or is busy. The key makes that safe."""
    with open(settings["token_file"], encoding="utf-8") as file:
        token = file.read().strip()
    url = settings["url"].rstrip("/") + "/api/v1/response-requests"
    context = ssl.create_default_context(cafile=settings.get("ca_file") or None) if url.startswith("https:") else None
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(2 ** attempt)
        try:
            http = urllib.request.Request(url, json.dumps(request).encode(), headers)
            with urllib.request.urlopen(http, timeout=15, context=context) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            if error.code not in (429, 502, 503, 504):
                raise ValueError(f"HTTP {error.code}: {text}") from error
            log("WARN", f"HTTP {error.code}: {text}")
        except OSError as error:
            log("WARN", f"not reached: {error}")
    return None


def main():
    if len(sys.argv) < 2 or sys.argv[1] != "--execute":
        log("FATAL", "Splunk starts this with --execute")
        return 1
    try:
        payload = json.load(sys.stdin)
        result = send(payload.get("configuration", {}), build(payload))
    except (ValueError, KeyError, OSError) as error:
        log("ERROR", str(error))
        return 1
    if result is None:
        log("ERROR", f"Portcullis was not reached in {ATTEMPTS} attempts")
        return 3
    for item in result["items"]:
        log("INFO" if item["outcome"] != "refused" else "ERROR",
            f"{item['op']} {item['value']}: {item['outcome']} {item.get('code', '')} {item['message']}")
    return 2 if result["refused"] else 0


if __name__ == "__main__":
    sys.exit(main())
