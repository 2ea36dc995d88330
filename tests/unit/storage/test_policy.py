#!/usr/bin/env python3
"""The versions of the policy: what of the register is in them, what stops the build, and what counts as a change.

Works on small registers of its own; that the real newest version is the real register is the build's to check.
Run by meson with the source root.
"""
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.environ.get("FOYER_SOURCE_ROOT") or os.path.dirname(os.path.abspath(__file__)) + "/../../.."
sys.path[:0] = [os.path.join(ROOT, "storage"), os.path.dirname(os.path.abspath(__file__))]
import policy  # noqa: E402
import register as tool  # noqa: E402
import test_register as given  # noqa: E402

# As test_register's, with a second word in each vocabulary, so that a field can change from one to the other.
WORDS = """
[purposes]
contact = { bit = 0, fr = "contact", en = "contact" }
billing = { bit = 1, fr = "facturation", en = "billing" }
rights = { bit = 2, fr = "droits", en = "rights" }
[persons]
owners = { fr = "les propriétaires", en = "owners" }
guests = { fr = "les hôtes", en = "guests" }
[activities]
pets = { fr = "Animaux", en = "Pets" }
[categories]
identity = { fr = "identité", en = "identity" }
profile = { fr = "profil", en = "profile" }
[bases]
contract = { fr = "contrat", en = "contract" }
consent = { fr = "consentement", en = "consent" }
[sources]
person = { fr = "vous", en = "you" }
school = { fr = "votre école", en = "your school" }
[triggers]
last_activity = { fr = "après l'usage", en = "after use" }
birth = { fr = "après la naissance", en = "after birth" }
[thens]
delete = { fr = "suppression", en = "deletion" }
archive = { fr = "archivage", en = "archive" }
[viewers]
self = { fr = "vous", en = "you" }
staff = { fr = "les employés", en = "employees" }
"""
REGISTER = WORDS + given.REGISTER[given.REGISTER.index("[tables.pet]"):]


class Folder:
    """A register in a folder with published versions, as a build sees it."""

    def __init__(self, test, text=REGISTER):
        handle = tempfile.TemporaryDirectory()
        test.addCleanup(handle.cleanup)
        self.folder, self.policy = handle.name, os.path.join(handle.name, "policy")
        os.mkdir(self.policy)
        self.put("settings.def", given.SETTINGS)
        self.put("0001_pet.sql", given.MIGRATION)
        self.say(text)

    def put(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def say(self, text):
        self.text = text
        self.put("register.toml", text)

    def run(self, *args):
        inputs = [f"--{name}={os.path.join(self.folder, file)}" for name, file in
                  (("register", "register.toml"), ("settings", "settings.def"), ("migrations", "0001_pet.sql"), ("policy", "policy"))]
        done = subprocess.run([sys.executable, os.path.join(ROOT, "storage/register.py"), *inputs, "--statements", *args],
                              capture_output=True, text=True, check=False)
        self.said = done.stdout
        return done.returncode, done.stderr

    def publish(self, date, *more):
        return self.run("--write-policy", date, *more)

    def path(self, date):
        return os.path.join(self.policy, date + ".json")


def content(text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "register.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        mistakes = tool.Mistakes()
        register = tool.Register(path, {"retention.pet_days": 7 * 86400, "sessions.leash_minutes": 1800}, mistakes)
        if mistakes.lines:
            raise AssertionError(mistakes.lines)
        return policy.promises(register)


def seconds(keep):
    return tool.keep_seconds(keep, {"retention.pet_days": 7 * 86400, "sessions.leash_minutes": 1800})


class Versions(unittest.TestCase):
    def test_a_register_that_is_published_builds_and_one_that_has_changed_does_not(self):
        f = Folder(self)
        self.assertEqual(f.run(), (1, "policy: no version of the policy is published: storage/register.py --write-policy DATE\n"))
        self.assertEqual(f.publish("2026-01-02"), (0, ""))
        self.assertEqual(f.run(), (0, ""))
        f.say(REGISTER.replace("Surnom", "Petit nom"))
        self.assertEqual(f.run(), (1, "policy: the register has changed since 2026-01-02: publish it with "
                                      "storage/register.py --write-policy DATE\n"))
        self.assertEqual(f.publish("2026-01-03"), (0, ""))
        self.assertEqual(f.run(), (0, ""))

    def test_what_is_no_promise_makes_no_version(self):
        f = Folder(self)
        f.publish("2026-01-02")
        f.say("# a comment\n" + REGISTER.replace('staff = {', 'dpo = { fr = "le délégué", en = "the officer" }\nstaff = {')
              .replace('mark = "personal"', 'mark = "personal"\nin_clear = "because"'))
        self.assertEqual(f.run(), (0, ""), "a word that nothing uses, and what is said to the build only")
        self.assertIn("nothing has changed since 2026-01-02", f.publish("2026-01-03")[1])

    def test_the_order_of_the_register_is_no_promise(self):
        head, *columns = re.split(r"(?m)^(?=\[\[columns\]\])", REGISTER)
        self.assertEqual(content(REGISTER), content(head + "".join(reversed(columns))))
        self.assertEqual(policy.canonical(content(REGISTER), None), policy.canonical(content(head + "".join(reversed(columns))), None))

    def test_a_published_version_stays_as_it_is(self):
        f = Folder(self)
        f.publish("2026-01-02")
        f.say(REGISTER.replace("Surnom", "Petit nom"))
        for date in ("2026-01-02", "2026-01-01"):
            self.assertEqual(f.publish(date), (1, "policy: 2026-01-02 is published and stays as it is: choose a later date\n"))
        f.publish("2026-02-01")
        with open(f.path("2026-01-02"), encoding="utf-8") as file:
            old = file.read()
        with open(f.path("2026-01-02"), "w", encoding="utf-8") as file:
            file.write(old.replace("Surnom", "Sobriquet"))
        code, said = f.run()
        self.assertEqual(code, 1)
        self.assertIn("2026-02-01.json does not follow the version before it", said)

    def test_the_chain_begins_with_the_first_version(self):
        f = Folder(self)
        f.publish("2026-01-02")
        f.say(REGISTER.replace("Surnom", "Petit nom"))
        f.publish("2026-02-01")
        with open(f.path("2026-01-02"), "rb") as file:
            fingerprint = hashlib.sha256(file.read()).hexdigest()
        with open(f.path("2026-02-01"), encoding="utf-8") as file:
            self.assertEqual(json.load(file)["before"], fingerprint)
        os.unlink(f.path("2026-01-02"))
        self.assertIn("does not follow the version before it", f.run()[1])

    def test_names_of_files_and_dates(self):
        f = Folder(self)
        self.assertIn("is not a date", f.publish("tomorrow")[1])
        self.assertIn("is not a date", f.publish("2026-13-01")[1])
        self.assertIn("is not a date", f.publish("2026-02-30")[1])
        f.publish("2026-01-02")
        with open(os.path.join(f.policy, "draft.json"), "w", encoding="utf-8") as file:
            file.write("{}")
        self.assertIn("draft.json: a published version is a file YYYY-MM-DD.json", f.run()[1])

    def test_a_version_takes_effect_when_it_is_published_or_later(self):
        f = Folder(self)
        f.publish("2026-01-02")
        f.say(REGISTER.replace("Surnom", "Petit nom"))
        self.assertEqual(f.publish("2026-02-01", "--effective", "2026-01-31"),
                         (1, "policy: a version of 2026-02-01 cannot take effect before, on 2026-01-31\n"))
        self.assertIn("is not a date", f.publish("2026-02-01", "--effective", "soon")[1])
        self.assertEqual(f.publish("2026-02-01", "--effective", "2026-03-01"), (0, ""))
        self.assertEqual(f.run(), (0, ""), "the register is the newest version, in force or not")
        f.say(REGISTER)
        self.assertEqual(f.publish("2026-02-02", "--effective", "2026-02-28"),
                         (1, "policy: the version of 2026-02-01 takes effect on 2026-03-01: the next one not before\n"))
        self.assertEqual(f.publish("2026-03-01", "--effective", "2026-03-01"), (0, ""))
        self.assertEqual([(v.date, v.effective) for v in policy.read_versions(f.policy)],
                         [("2026-01-02", "2026-01-02"), ("2026-02-01", "2026-03-01"), ("2026-03-01", "2026-03-01")])
        with open(f.path("2026-03-01"), encoding="utf-8") as file:
            self.assertNotIn("effective", json.load(file), "the same day goes without saying")

    def test_what_does_not_wait_for_its_day_is_named(self):
        f = Folder(self)
        f.publish("2026-01-02")
        f.say(REGISTER.replace('basis = "contract"', 'basis = "consent"').replace('purposes = ["contact"]', 'purposes = ["contact", "billing"]'))
        self.assertEqual(f.publish("2026-02-01", "--effective", "2026-03-01"), (0, ""))
        lines = {line.split()[1]: line for line in f.said.splitlines() if line.startswith("  major: ")}
        self.assertIn("does NOT wait for 2026-03-01", lines["basis"])
        self.assertNotIn("wait", lines["purpose_added"])
        f.say(REGISTER)
        f.publish("2026-04-01")
        self.assertIn("major: basis", f.said)
        self.assertNotIn("wait", f.said)

    def test_a_date_of_effect_cannot_be_written_into_a_published_version(self):
        f = Folder(self)
        f.publish("2026-01-02")
        with open(f.path("2026-01-02"), encoding="utf-8") as file:
            said = json.load(file)
        for effective in ("2026-01-01", "tomorrow"):
            with open(f.path("2026-01-02"), "wb") as file:
                file.write(policy.canonical({k: v for k, v in said.items() if k != "before"}, None, effective))
            self.assertEqual(f.run()[0], 1, effective)

    def test_labels_and_settings_are_in_it(self):
        made = content(REGISTER + given.STORE)
        self.assertEqual(made["fields"]["pet.nickname"]["keep"], [{"setting": "retention.pet_days", "from": "last_activity"}])
        self.assertEqual(made["fields"]["pet.nickname"]["label"], {"fr": "Surnom", "en": "Nickname"})
        self.assertEqual(made["fields"]["barks.hour"]["holder"], "barks")
        self.assertEqual(made["holders"]["barks"]["persons"], ["owners"])
        self.assertNotIn("pet.owner_id", made["fields"])


class Differences(unittest.TestCase):
    def changes(self, before, after):
        return policy.difference(content(before), content(after), seconds)

    def one(self, replace, by, kind, major, before=REGISTER, field="pet.nickname"):
        self.assertIn(replace, before)
        after = before.replace(replace, by)
        found = self.changes(before, after)
        self.assertEqual([(c["kind"], c["major"]) for c in found], [(kind, major)], found)
        if field:
            self.assertIn(field, found[0]["fields"])
        return found[0]

    def test_nothing(self):
        self.assertEqual(self.changes(REGISTER, REGISTER), [])

    def test_a_field(self):
        more = REGISTER + given.STORE
        added = self.changes(REGISTER, more)
        self.assertEqual([(c["kind"], c["major"], c["fields"], c["to"]["en"]) for c in added],
                         [("field_added", True, ["barks.hour", "barks.volume"], "contact")])
        removed = self.changes(more, REGISTER)
        self.assertEqual([(c["kind"], c["major"], c["fields"]) for c in removed], [("field_removed", False, ["barks.hour", "barks.volume"])])

    def test_a_purpose(self):
        narrow, wide = 'purposes = ["contact"]\nseen_by', 'purposes = ["contact", "billing"]\nseen_by'
        change = self.one(narrow, wide, "purpose_added", True)
        self.assertEqual((change["to"]["fr"], change["fields"]), ("facturation", ["pet.nickname"]))
        change = self.one(wide, narrow, "purpose_removed", False, before=REGISTER.replace(narrow, wide))
        self.assertEqual(change["from"]["fr"], "facturation")

    def test_who_may_see_it(self):
        narrow, wide = 'seen_by = ["self"]', 'seen_by = ["self", "staff"]'
        self.assertEqual(self.one(narrow, wide, "viewer_added", True)["to"]["en"], "employees")
        self.one(wide, narrow, "viewer_removed", False, before=REGISTER.replace(narrow, wide))

    def test_whom_it_is_about(self):
        narrow, wide = 'persons = ["owners"]', 'persons = ["owners", "guests"]'
        change = self.one(narrow, wide, "persons_added", True)
        self.assertEqual(change["fields"], ["pet.chip_hash", "pet.nickname"], "the same change of two fields is one")
        self.one(wide, narrow, "persons_removed", False, before=REGISTER.replace(narrow, wide))

    def test_basis_source_and_what_happens_then(self):
        self.one('basis = "contract"', 'basis = "consent"', "basis", True)
        self.one('provided_by = "person"', 'provided_by = "school"', "provided_by", True)
        change = self.one('then = "delete"', 'then = "archive"', "then", True)
        self.assertEqual((change["from"]["en"], change["to"]["en"]), ("deletion", "archive"))
        self.one('then = "archive"', 'then = "delete"', "then", False, before=REGISTER.replace('then = "delete"', 'then = "archive"'))

    def test_a_purpose_that_gets_a_basis_of_its_own(self):
        change = self.one('contact = { bit = 0, fr', 'contact = { bit = 0, basis = "consent", fr', "purpose_basis", True, field=None)
        self.assertEqual((change["word"]["en"], change["from"], change["to"]["en"]), ("contact", None, "consent"))

    def test_a_period(self):
        rule = 'keep = [{ setting = "retention.pet_days", from = "last_activity" }]'      # seven days by default

        def keep(*rules):
            return "keep = [" + ", ".join(rules) + "]"

        def days(n, trigger="last_activity"):
            return f'{{ days = {n}, from = "{trigger}" }}'

        self.one(rule, keep(days(8)), "period", True)
        self.one(rule, keep(days(7)), "period", False)
        self.one(rule, keep(days(6)), "period", False)
        self.one(rule, keep('{ minutes = 20, from = "last_activity" }'), "period", False)
        self.one(rule, keep(days(7, "birth")), "period", True)
        both = keep(days(7), days(30, "birth"))
        change = self.one(rule, both, "period", False)
        self.assertEqual((len(change["from"]), len(change["to"])), (1, 2))
        self.one(both, keep(days(7)), "period", True, before=REGISTER.replace(rule, both))
        self.one(both, keep(days(6), days(31, "birth")), "period", True, before=REGISTER.replace(rule, both))

    def test_a_setting_that_is_no_more_counts_as_longer(self):
        old, new = content(REGISTER), content(REGISTER.replace('setting = "retention.pet_days"', "days = 1"))
        found = policy.difference(old, new, lambda keep: tool.keep_seconds(keep, {}))
        self.assertEqual([(c["kind"], c["major"]) for c in found], [("period", True)])

    def test_words_alone_are_minor(self):
        self.one("Surnom", "Petit nom", "label", False)
        change = self.one('contact = { bit = 0, fr = "contact"', 'contact = { bit = 0, fr = "prise de contact"', "word", False, field=None)
        self.assertEqual((change["from"]["fr"], change["to"]["fr"]), ("contact", "prise de contact"))
        self.one('label = { fr = "Animal"', 'label = { fr = "Bête"', "word", False, field=None)
        self.one('category = "identity"', 'category = "profile"', "category", False)

    def test_a_basis_of_a_purpose_is_about_the_fields_that_serve_it(self):
        change = self.one('contact = { bit = 0, fr', 'contact = { bit = 0, basis = "consent", fr', "purpose_basis", True, field=None)
        self.assertEqual(change["bearers"], ["pet.chip_hash", "pet.nickname"])

    def test_purposes_that_came_late(self):
        class At:
            def __init__(self, text):
                self.content = content(text)

        narrow, wide = 'purposes = ["contact"]\nseen_by', 'purposes = ["contact", "billing"]\nseen_by'
        self.assertEqual(list(policy.openings([At(REGISTER)])), [], "the first version has none")
        self.assertEqual(list(policy.openings([At(REGISTER), At(REGISTER.replace(narrow, wide)), At(REGISTER + given.STORE)])),
                         [(1, "pet.nickname", ["billing"], False), (2, "barks.hour", ["contact"], True), (2, "barks.volume", ["contact"], True)])

    def test_major_ones_come_first(self):
        found = self.changes(REGISTER, REGISTER.replace("Surnom", "Petit nom").replace('["self"]', '["self", "staff"]'))
        self.assertEqual([c["major"] for c in found], [True, False])


if __name__ == "__main__":
    unittest.main()
