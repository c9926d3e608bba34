"""affinepieces check FILE [MODEL]: whether a certificate is right, and about this model."""
from __future__ import annotations

import argparse
import json
from pathlib import Path

from affinepieces import __version__, models
from affinepieces.certificates import check, writing


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of the package."""
    what = "check a certificate in exact arithmetic, and that it is about a model"
    parser = commands.add_parser("check", help=what, description=f"{what[0].upper()}{what[1:]}.")
    parser.add_argument("file", metavar="FILE", type=Path, help="written by trace --certificate, or certificate.save")
    parser.add_argument("model", metavar="MODEL", type=Path, nargs="?", help=", ".join(models.FORMATS))
    models.add_options(parser)
    parser.add_argument("--output", **models.OUTPUT)
    parser.set_defaults(call=run)


def run(given: argparse.Namespace) -> int:
    """Whether a certificate is right: accepted or rejected, by the checker that shares no code with the counters."""
    text = given.file.read_bytes()
    verdict = check.check(text)
    if given.model is not None and verdict.startswith("accepted"):
        verdict = writing.about(json.loads(text)["network"], models.net_of(given), given.model) or verdict
    elif given.model is None and any(getattr(given, name) is not None for name in (*models.OPTIONS, "output")):
        raise ValueError("there is an option about a MODEL, and no MODEL: give it after FILE, or leave the option out")
    if given.json:
        print(json.dumps({"file": str(given.file), "model": given.model and str(given.model),
                          "accepted": verdict.startswith("accepted"), "verdict": verdict, "version": __version__}))
    else:
        print(verdict)
    return 0 if verdict.startswith("accepted") else 1
