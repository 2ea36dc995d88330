"""Fails when config.example.toml is not what `foyer check-config --print-example` prints.

Usage: compare_example.py FOYER EXAMPLE
"""
import difflib
import subprocess
import sys


def main() -> int:
    printed = subprocess.run([sys.argv[1], "check-config", "--print-example"], check=True, capture_output=True,
                             text=True).stdout.splitlines(keepends=True)
    with open(sys.argv[2], encoding="utf-8") as file:
        committed = file.readlines()
    difference = list(difflib.unified_diff(committed, printed, "config.example.toml", "foyer check-config --print-example"))
    sys.stdout.writelines(difference)
    return 1 if difference else 0


if __name__ == "__main__":
    sys.exit(main())
