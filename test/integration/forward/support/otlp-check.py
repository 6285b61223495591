"""Reads OTLP/JSON log requests, one a line, with the official protobuf definitions; unknown fields are errors.

Prints one JSON line a request: its number of records, the body of the first, and its size as protobuf.
"""
import json
import sys

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

for line in sys.stdin:
    try:
        request = json_format.Parse(line, ExportLogsServiceRequest())
        records = [r for rl in request.resource_logs for sl in rl.scope_logs for r in sl.log_records]
        names = [a.key for a in records[0].attributes]
        print(json.dumps({
            "records": len(records),
            "times": [r.time_unix_nano for r in records],
            "severities": [r.severity_number for r in records],
            "ids": [next((a.value.string_value for a in r.attributes if a.key == "event.id"), "") for r in records],
            "bytes": len(request.SerializeToString()),
            "attributes": len(names),
        }))
    except json_format.ParseError as error:
        print(json.dumps({"error": str(error)}))
