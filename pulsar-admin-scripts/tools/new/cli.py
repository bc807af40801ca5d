"""Lays out a new command topic of a context: everything that its name must find, and a function that works.

  schemas/<context>/comando-x.avsc          the usual envelope, a payload of two ids; put on record as version 1
  functions/messages/payloads.py            the payload's class, ComandoX
  functions/<context>/decisions.py          the decision x: finds its aggregate, leaves it as it is, says nothing
  functions/<context>/x.py                  the function that Pulsar runs
  deployment/functions/x.yaml               its configuration
  tests/unit/functions/<context>/test_x.py  a test of the decision

Catalogue and dashboards are made anew. `make check` passes afterwards. Nothing is changed if anything is in the way.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.cluster.repository import ROOT
from tools.new.edits import edited_files
from tools.new.model import Command, parse, require_free
from tools.new.texts import new_files
from tools.new.workspace import Workspace, write


def lay_out(command: Command, root: Path) -> list[Path]:
    """Writes all files of the command into the checkout `root`; their paths relative to it, generated ones too.

    Raises ToolError, and has then changed nothing, if one of its names is taken, or a generator fails.
    """
    require_free(command, root)
    with TemporaryDirectory(prefix="new-command-") as folder:
        workspace = Workspace(root, Path(folder))
        workspace.add(new_files(command, root) | edited_files(command, root))
        workspace.generate()
        changes = workspace.changes()
    write(root, changes)
    return list(changes)


def main() -> int:
    """The command line; the exit code."""
    parser = argparse.ArgumentParser(
        "new.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("topic", help="<context>/comando-<verb>-<noun>, as in ordenes/comando-archivar-orden")
    command = parse(parser.parse_args().topic)
    for path in lay_out(command, ROOT):
        print(path)
    print(
        f"next: what becomes of the {command.context.noun}, in {command.decisions}: {command.decision}, and its test;\n"
        f"  the texts of {command.schema} and the first line of {command.configuration};\n"
        "  who sends it: a function that names it in PUBLICA, or a route of the BFF (until then a test fails);\n"
        "  a row of docs/glossary.md for each new word"
    )
    return 0
