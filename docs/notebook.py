#!/usr/bin/env python3
"""Runs a notebook from its first cell and keeps it with its outputs, in a form that depends on sources and outputs alone.

    npm run docs:notebook
    python docs/notebook.py examples/notebooks/walkthrough.ipynb [--to=FILE] [--folder=FOLDER] [--limit=SECONDS]

Nothing is written if a cell raises or is too slow.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError

#: Of each cell. The slowest takes seconds on a quiet machine.
CELL_LIMIT_S = 180
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}


def execute(notebook: nbformat.NotebookNode, folder: Path, limit_s: int) -> None:
    """Each cell in turn, in a new kernel whose working directory is `folder`. @raises CellExecutionError, CellTimeoutError"""
    os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
    for cell in notebook.cells:
        # Else a cell that shows nothing now would keep what it has shown before.
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=limit_s,
        startup_timeout=120,
        coalesce_streams=True,
        # It warns of talking to us by TCP on this machine.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(folder)}},
    )
    client.execute()


def clean(notebook: nbformat.NotebookNode) -> None:
    """Without what an editor or a run leaves: metadata but for kernel, language and the size of pictures; ids follow from sources."""
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.metadata = nbformat.from_dict(KERNEL)
    seen: dict[str, int] = {}
    for cell in notebook.cells:
        same = seen[cell.source] = seen.get(cell.source, 0) + 1
        cell.id = hashlib.sha256(f"{same} {cell.source}".encode()).hexdigest()[:8]
        cell.metadata = nbformat.NotebookNode()
        for output in cell.get("outputs", []):
            if "metadata" in output:
                output.metadata = nbformat.from_dict({kind: size for kind, size in output.metadata.items() if kind.startswith("image/")})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("--to", type=Path, help="file for the result (default: the notebook itself)")
    parser.add_argument("--folder", type=Path, help="working directory of the kernel (default: the notebook's own folder)")
    parser.add_argument("--limit", type=int, default=CELL_LIMIT_S, help="seconds that a cell may take (%(default)s)")
    given = parser.parse_args()
    notebook = nbformat.read(given.notebook, as_version=4)
    try:
        execute(notebook, given.folder or given.notebook.parent, given.limit)
    except (CellExecutionError, CellTimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    clean(notebook)
    nbformat.validate(notebook)
    nbformat.write(notebook, given.to or given.notebook)
    return 0


if __name__ == "__main__":
    sys.exit(main())
