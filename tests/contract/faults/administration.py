"""MinIO's interface for its administrator, asked on a storage machine itself."""

from __future__ import annotations

import hashlib
import json
import shlex
from typing import Any

from model.lab import Machine
from tests.contract.faults.zoo import S3

ASK = """
. /etc/default/minio
curl --silent --fail --user "$MINIO_ROOT_USER:$MINIO_ROOT_PASSWORD" --aws-sigv4 aws:amz:us-east-1:s3 \\
    --header 'x-amz-content-sha256: {digest}' {rest}
"""


def ask_minio(node: Machine, path: str, body: str = "") -> Any:
    """What it answers.

    Args:
        node: Whom to ask.
        path: Below `/minio/admin/v3/`, with the query.
        body: Sent by POST; asked by GET without one.
    """
    words = [*(("--data", body) if body else ()), f"http://{node.at(S3)}/minio/admin/v3/{path}"]
    return json.loads(node.run(ASK.format(digest=hashlib.sha256(body.encode()).hexdigest(), rest=shlex.join(words))).stdout)
