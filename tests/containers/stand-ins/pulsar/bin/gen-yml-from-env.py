#!/usr/bin/env python3
"""gen-yml-from-env.py FILE.yml…: each variable PF_NAME becomes the setting NAME of the files; _ leads a level down."""

import os
import sys
from pathlib import Path

import yaml

for file in map(Path, sys.argv[1:]):
    settings = yaml.safe_load(file.read_text())
    for variable, value in os.environ.items():
        if variable.startswith("PF_"):
            *levels, name = variable.removeprefix("PF_").split("_")
            target = settings
            for level in levels:
                target = target.setdefault(level, {})
            target[name] = value
    file.write_text(yaml.safe_dump(settings))
