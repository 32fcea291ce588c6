"""The tools: one module or folder for each toolset, with the toolset's name."""

from pathlib import Path

# The names of the tools by toolset. Generated, so that one tool is found without importing the others.
NAMES = Path(__file__).with_name("names.json")
