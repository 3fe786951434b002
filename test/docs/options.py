"""
Which options gcloud's commands have, for docs/deploy.test.ts: python3 test/docs/options.py [SDK] >test/docs/options.json
Takes the commands from options.json as it is, and their options from the command tree that a Google Cloud SDK has for the completion of
command lines. Those of bq, npm and terraform stay; they are from the pages that stand beside them.
"""

import json
import sys
from pathlib import Path

sdk = Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/lib/google-cloud-sdk")
sys.path.insert(0, str(sdk / "data/cli"))
from gcloud_completions import STATIC_COMPLETION_CLI_TREE as tree  # noqa: E402

table = json.loads(Path(__file__).with_name("options.json").read_text())
table["gcloud"]["source"] = f"command tree of Google Cloud SDK {(sdk / 'VERSION').read_text().strip()}"
table["gcloud"]["everywhere"] = sorted(tree["flags"])
for command in table["gcloud"]["commands"]:
    place = tree
    for word in command.split():
        place = place["commands"][word]
    table["gcloud"]["commands"][command] = sorted(place["flags"])
print(json.dumps(table, indent=2))
