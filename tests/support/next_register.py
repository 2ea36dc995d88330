#!/usr/bin/env python3
"""Makes the tables of a next release, in which the register has changed and the policy has a second version: published on
2098-12-01, in force from 2099-01-01. Tests that link them, and foyer-next, live through what an agency does later.

    next_register.py --root TREE --depfile D [--without FIELD] REGISTER_TABLE.c POLICY_TABLE.c

The ways are those of a release: the register is edited, published with register.py, and made into C. With --without the
published version does not know that field, as if its column were new. Called by meson."""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

PUBLISHED, EFFECTIVE = "2098-12-01", "2099-01-01"
# What changes, as (after which line, what, into what): a purpose that only people with a phone number notice, a period
# that only concerns the team, and a word.
EDITS = (
    ('name = "account.phone"', 'purposes = ["contact", "contractualisation"]', 'purposes = ["contact", "contractualisation", "billing"]'),
    ('name = "manager_session"', 'keep = [{ setting = "sessions.manager_minutes", from = "sign_in" }]', 'keep = [{ days = 400, from = "sign_in" }]'),
    ('name = "account.passions"', 'fr = "Passions", en = "Passions"', 'fr = "Loisirs", en = "Hobbies"'),
)


def next_text(text):
    for after, what, into in EDITS:
        at = text.index(what, text.index(after + "\n"))
        text = text[:at] + into + text[at + len(what):]
    return text


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--root", required=True)
    arguments.add_argument("--depfile", required=True)
    arguments.add_argument("--without")
    arguments.add_argument("register_table")
    arguments.add_argument("policy_table")
    args = arguments.parse_args()
    storage = os.path.join(args.root, "storage")
    published = sorted(glob.glob(os.path.join(storage, "policy/*.json")))
    with tempfile.TemporaryDirectory() as folder:
        path, versions = os.path.join(folder, "register.toml"), os.path.join(folder, "policy")
        with open(os.path.join(storage, "register.toml"), encoding="utf-8") as old, open(path, "w", encoding="utf-8") as new:
            new.write(next_text(old.read()))
        os.mkdir(versions)
        for version in published if not args.without else published[-1:]:
            shutil.copy(version, versions)
        if args.without:
            first = os.path.join(versions, os.path.basename(published[-1]))
            with open(first, encoding="utf-8") as file:
                content = json.load(file)
            del content["fields"][args.without]
            with open(first, "w", encoding="utf-8") as file:
                json.dump(content | {"before": None}, file)
        tool = [sys.executable, os.path.join(storage, "register.py"), "--register", path, "--policy", versions]
        said = subprocess.run([*tool, "--write-policy", PUBLISHED, "--effective", EFFECTIVE], check=True, capture_output=True, text=True).stdout
        if f"in force from {EFFECTIVE}" not in said:
            raise SystemExit(f"no major change in:\n{said}")
        subprocess.run([*tool, "--source", args.register_table, "--policy-source", args.policy_table], check=True)
    with open(args.depfile, "w", encoding="utf-8") as out:
        out.write(f"{args.register_table} {args.policy_table}: {' '.join(published)}\n")


if __name__ == "__main__":
    main()
