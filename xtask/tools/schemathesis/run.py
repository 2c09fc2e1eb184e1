"""Runs schemathesis against one host of a sandbox: `run.py spot` or `run.py futures`, with the ready line in
BITMART_SANDBOX. Prints its output, then the counts."""

import os
import pathlib
import re
import subprocess
import sys

HOST = sys.argv[1]
HERE = pathlib.Path(__file__).parent
ENVIRONMENT = {**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"), "SCHEMATHESIS_HOST": HOST,
               # Leaves no files behind.
               "PYTHONDONTWRITEBYTECODE": "1"}
CHECKS = ["no_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
          "response_headers_conformance"]
command = [
    os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", str(HERE.parents[2] / "docs/openapi.json"),
    "--url", os.environ[f"BITMART_{HOST.upper()}_REST"],
    "--checks", ",".join(CHECKS), "--phases", "examples,fuzzing", "--max-examples", "3",
    "--generation-deterministic", "--max-failures", "20", "--continue-on-failure",
    "--request-timeout", "10", "--warnings", "off", "--no-color", "--no-shrink",
]
process = subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=False)
print(process.stdout)
# A run that tests something makes some hundreds of requests.
made = re.search(r"(\d+) generated", process.stdout.replace(",", ""))
made = int(made.group(1)) if made else 0
bad = process.returncode != 0 or made < 150
if bad:
    print(f"FAIL   schemathesis ended with {process.returncode} after {made} requests")
print(f"{made} passed, {int(bad)} failed")
sys.exit(bad)
