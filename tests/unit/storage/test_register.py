#!/usr/bin/env python3
"""Proves that storage/register.py stops the build where it should, and says why.

Each test takes a small good input, breaks one thing, and expects exit code 1 and one sentence that names
it. The last class holds the real register against the real migrations. Run by meson with the source root.
"""
import os
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = os.environ.get("FOYER_SOURCE_ROOT") or os.path.dirname(os.path.abspath(__file__)) + "/../../.."
TOOL = os.path.join(ROOT, "storage", "register.py")

REGISTER = """
[purposes]
contact = { bit = 0, fr = "contact", en = "contact" }
rights = { bit = 1, fr = "droits", en = "rights" }
[persons]
owners = { fr = "les propriétaires", en = "owners" }
[activities]
pets = { fr = "Animaux", en = "Pets" }
[categories]
identity = { fr = "identité", en = "identity" }
[bases]
contract = { fr = "contrat", en = "contract" }
[sources]
person = { fr = "vous", en = "you" }
[triggers]
last_activity = { fr = "après", en = "after" }
[thens]
delete = { fr = "suppression", en = "deletion" }
[viewers]
self = { fr = "vous", en = "you" }

[tables.pet]
label = { fr = "Animal", en = "Pet" }
person = "owner_id"
persons = ["owners"]
activity = "pets"
public = ["id", "owner_id"]
basis = "contract"
provided_by = "person"
keep = [{ setting = "retention.pet_days", from = "last_activity" }]
then = "delete"

[[columns]]
name = "pet.nickname"
mark = "personal"
label = { fr = "Surnom", en = "Nickname" }
category = "identity"
purposes = ["contact"]
seen_by = ["self"]

[[columns]]
name = "pet.chip_hash"
mark = "secret"
label = { fr = "Puce", en = "Chip" }
category = "identity"
purposes = ["contact"]
"""

STORE = """
[[stores]]
name = "barks"
label = { fr = "Aboiements", en = "Barks" }
persons = ["owners"]
activity = "pets"
category = "identity"
purposes = ["contact"]
basis = "contract"
provided_by = "person"
keep = [{ minutes = 10, from = "last_activity" }, { setting = "sessions.leash_minutes", from = "last_activity" }]
then = "delete"
seen_by = []
[stores.fields]
volume = { fr = "Volume", en = "Volume" }
hour = { fr = "Heure", en = "Hour" }
"""

MIGRATION = """
-- a comment; with a semicolon, and a column that is not one: ghost INT
CREATE TABLE IF NOT EXISTS pet (
	id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
	owner_id BIGINT UNSIGNED NOT NULL, /* here too, x INT */
	nickname VARBINARY(464) NOT NULL DEFAULT 'a;b,c(',
	chip_hash BINARY(32) NULL,
	PRIMARY KEY (id),
	UNIQUE KEY pet_chip (chip_hash),
	KEY pet_owner (owner_id, id),
	CONSTRAINT pet_of_owner FOREIGN KEY (owner_id) REFERENCES owner (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
"""

STATEMENTS = """
-- statement: pet_get
-- params: id:u64
-- row: id:u64, nickname:sealed(464), chip:secret(32)?
-- kind: one
SELECT p.id, p.nickname, p.chip_hash AS chip
FROM pet p
WHERE p.id = ?;
"""

SETTINGS = 'FY_KEY(retention, pet_days, INT, "7", 1, 90, "Pets.")\nFY_KEY(sessions, leash_minutes, INT, "30", 1, 90, "x")\nFY_KEY(log, gzip, BOOL, "true", 0, 0, "x")\n'


def run(register=REGISTER, migration=MIGRATION, statements=STATEMENTS, more=()):
    with tempfile.TemporaryDirectory() as folder:
        def put(name, text):
            path = os.path.join(folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            return path
        header, source = os.path.join(folder, "t.h"), os.path.join(folder, "t.c")
        migrations = [put("0001_pet.sql", migration)] + [put(f"{i:04}_more.sql", text) for i, text in enumerate(more, 2)]
        done = subprocess.run([sys.executable, TOOL, "--register", put("register.toml", register),
                               "--settings", put("settings.def", SETTINGS), "--migrations", *migrations,
                               "--statements", put("pet.def", statements), "--header", header, "--source", source],
                              capture_output=True, text=True, check=False)
        made = ""
        if os.path.exists(source):
            with open(source, encoding="utf-8") as file:
                made = file.read()
        return done.returncode, done.stderr, made


class Good(unittest.TestCase):
    def test_the_good_input_passes_and_lists_each_column_once(self):
        code, said, made = run()
        self.assertEqual((code, said), (0, ""))
        self.assertEqual(re.findall(r'\.column = "(\w+)", \.mark = FY_MARK_(\w+)', made),
                         [("id", "PUBLIC"), ("owner_id", "PUBLIC"), ("nickname", "PERSONAL"), ("chip_hash", "SECRET")])
        self.assertIn("offsetof(struct fy_config, retention_pet_days)", made)

    def test_a_store_is_a_list_of_fields_that_share_their_terms(self):
        code, said, made = run(register=REGISTER + STORE)
        self.assertEqual((code, said), (0, ""))
        stores = made[made.index("fy_register_stores[]"):]
        self.assertEqual(re.findall(r'\.column = "(\w+)", \.mark = FY_MARK_(\w+)', stores), [("volume", "PERSONAL"), ("hour", "PERSONAL")])
        self.assertEqual(stores.count(".seconds = 600, .from = FY_TRIGGER_LAST_ACTIVITY"), 2)
        self.assertEqual(stores.count(".setting_unit_s = 60, .setting_offset = offsetof(struct fy_config, sessions_leash_minutes)"), 2)
        self.assertEqual(stores.count(".persons = 1u << FY_PERSONS_OWNERS, .activity = FY_ACTIVITY_PETS"), 1)
        fields = made[made.index("fy_register_fields[]"):made.index("fy_register_stores[]")]
        self.assertNotIn("volume", fields, "a store is no table")

    def test_later_migrations_count(self):
        code, said, _ = run(more=["ALTER TABLE pet ADD COLUMN IF NOT EXISTS colour INT NULL, DROP COLUMN chip_hash;",
                                  "ALTER TABLE pet CHANGE colour chip_hash BINARY(32) NULL, ADD KEY pet_n (nickname), "
                                  "MODIFY nickname VARBINARY(500) NOT NULL;"])
        self.assertEqual((code, said), (0, ""))


class Broken(unittest.TestCase):
    def refused(self, sentence, **inputs):
        code, said, made = run(**inputs)
        self.assertEqual(code, 1, said)
        self.assertIn(sentence, said)
        self.assertEqual(len(said.strip().split("\n")), 1, said)
        self.assertEqual(made, "", "nothing may be generated from a wrong register")

    def test_a_column_that_is_not_listed(self):
        self.refused("0002_more.sql: creates the column pet.weight, which register.toml does not list",
                     more=["ALTER TABLE pet ADD weight INT NOT NULL;"])

    def test_columns_added_in_parentheses(self):
        self.refused("pet.weight", more=["ALTER TABLE pet ADD COLUMN (weight DECIMAL(5,2) NULL);"])

    def test_a_renamed_column(self):
        code, said, _ = run(more=["ALTER TABLE pet RENAME COLUMN nickname TO alias;"])
        self.assertEqual(code, 1)
        self.assertIn("creates the column pet.alias", said)
        self.assertIn("pet.nickname is listed, but no migration creates it", said)

    def test_a_table_that_is_not_listed(self):
        self.refused("creates the column toy.id", more=["CREATE TABLE toy (id INT PRIMARY KEY);"])

    def test_a_table_whose_columns_cannot_be_told(self):
        self.refused("cannot tell which columns this makes", more=["CREATE TABLE copy LIKE pet;"])

    def test_listed_twice(self):
        self.refused("pet.id is listed twice", register=REGISTER.replace('["id", "owner_id"]', '["id", "owner_id", "id"]'))

    def test_listed_as_public_and_as_personal(self):
        self.refused("pet.nickname is listed twice", register=REGISTER.replace('["id", "owner_id"]', '["id", "owner_id", "nickname"]'))

    def test_listed_but_never_created(self):
        self.refused("pet.ghost is listed, but no migration creates it",
                     register=REGISTER.replace('["id", "owner_id"]', '["id", "owner_id", "ghost"]'))

    def test_a_dropped_column_that_is_still_listed(self):
        self.refused("pet.nickname is listed, but no migration creates it", more=["ALTER TABLE pet DROP COLUMN nickname;"],
                     statements="")

    def test_each_required_key_of_a_personal_column(self):
        for key, line in (("label", 'label = { fr = "Surnom", en = "Nickname" }\n'), ("seen_by", 'seen_by = ["self"]\n'),
                          ("basis", 'basis = "contract"\n'), ("provided_by", 'provided_by = "person"\n'),
                          ("then", 'then = "delete"\n'),
                          ("keep", 'keep = [{ setting = "retention.pet_days", from = "last_activity" }]\n')):
            with self.subTest(key):
                self.assertIn(line, REGISTER)
                code, said, _ = run(register=REGISTER.replace(line, ""))
                self.assertEqual(code, 1)
                self.assertRegex(said, rf"pet\.nickname is personal and lacks .*{key}")
        personal = REGISTER.index('name = "pet.nickname"')
        for key, line in (("category", 'category = "identity"\n'), ("purposes", 'purposes = ["contact"]\n')):
            with self.subTest(key):
                self.refused(f"pet.nickname is personal and lacks {key}",
                             register=REGISTER[:personal] + REGISTER[personal:].replace(line, "", 1))

    def test_a_label_in_one_language(self):
        self.refused("pet.nickname needs a label in fr and en", register=REGISTER.replace(', en = "Nickname"', ""))

    def test_a_word_that_does_not_exist(self):
        self.refused("pet.nickname: 'advertising' is not one of the purposes",
                     register=REGISTER.replace('purposes = ["contact"]\nseen_by', 'purposes = ["advertising"]\nseen_by'))

    def test_no_purpose_at_all(self):
        self.refused("pet.nickname needs at least one purpose",
                     register=REGISTER.replace('purposes = ["contact"]\nseen_by', 'purposes = []\nseen_by'))

    def test_a_purpose_that_changed_its_number(self):
        swapped = REGISTER.replace("bit = 0", "bit = 9").replace("bit = 1", "bit = 0")
        self.refused("purposes.contact needs bit = 0", register=swapped.replace('rights = { bit = 0', 'rights = { bit = 1'))

    def test_no_purpose_for_the_rights_of_persons(self):
        self.refused("there is no purpose 'rights'", register=REGISTER.replace('rights = { bit', 'other = { bit'))

    def test_a_secret_that_cannot_be_sealed(self):
        self.refused("pet.chip_hash is sealed and BINARY", register=REGISTER + "sealed = true\n")

    def test_a_mark_that_does_not_exist(self):
        self.refused('pet.nickname needs mark = "personal" or "secret"',
                     register=REGISTER.replace('mark = "personal"', 'mark = "public"').replace('seen_by = ["self"]\n', ""))

    def test_a_key_that_does_not_exist(self):
        self.refused("pet.nickname: unknown key 'sen_by'", register=REGISTER.replace("seen_by =", 'sen_by = ["self"]\nseen_by ='))

    def test_a_secret_that_somebody_sees(self):
        self.refused("pet.chip_hash is secret: nobody sees it", register=REGISTER + 'seen_by = ["self"]\n')

    def test_a_setting_that_does_not_exist(self):
        for name in ("retention.cat_days", "log.gzip"):
            with self.subTest(name):
                code, said, _ = run(register=REGISTER.replace("retention.pet_days", name))
                self.assertEqual(code, 1)
                self.assertIn(f"there is no setting '{name}' that counts days", said)

    def test_no_way_from_a_row_to_a_person(self):
        code, said, _ = run(register=REGISTER.replace('person = "owner_id"\n', ""))
        self.assertEqual(code, 1)
        self.assertIn("must say by which column a row belongs to a person", said)

    def test_a_table_about_persons_says_which_and_what_for(self):
        for line, sentence in (('persons = ["owners"]\n', "table pet must say whom its rows are about"),
                               ('activity = "pets"\n', "table pet must say to which activity")):
            with self.subTest(line):
                self.refused(sentence, register=REGISTER.replace(line, ""))
        code, said, _ = run(register=REGISTER.replace('persons = ["owners"]\nactivity = "pets"\n', ""))
        self.assertEqual(code, 1)
        self.assertIn("table pet must say whom its rows are about", said)
        self.refused("table pet: 'martians' is not one of the persons: owners", register=REGISTER.replace('["owners"]', '["martians"]'))
        self.refused("table pet: 'cats' is not one of the activities: pets", register=REGISTER.replace('activity = "pets"', 'activity = "cats"'))

    def test_a_store_says_all_that_a_table_says(self):
        for key in ("label", "category", "purposes", "basis", "provided_by", "keep", "then", "seen_by"):
            with self.subTest(key):
                broken = re.sub(rf"(?m)^{key} = .*\n", "", STORE, count=1)
                self.assertNotEqual(broken, STORE)
                self.refused(f"store barks lacks {key}", register=REGISTER + broken)
        self.refused("store barks must say whom", register=REGISTER + STORE.replace('persons = ["owners"]\n', ""))
        self.refused("store barks: unknown key 'colour'", register=REGISTER + STORE.replace("seen_by = []", "seen_by = []\ncolour = 1"))
        self.refused("store barks: hour needs a label in fr and en", register=REGISTER + STORE.replace(', en = "Hour"', ""))
        self.refused("a [[stores]] entry needs a name of its own, not 'pet'", register=REGISTER + STORE.replace('"barks"', '"pet"'))
        self.refused("a [[stores]] entry needs a name of its own, not 'barks'", register=REGISTER + STORE + STORE)
        self.refused("store barks: minutes is a number", register=REGISTER + STORE.replace("minutes = 10", "minutes = -1"))
        self.refused("there is no setting 'sessions.rope_minutes' that counts days or minutes",
                     register=REGISTER + STORE.replace("leash", "rope"))

    def test_a_purpose_with_a_basis_that_does_not_exist(self):
        self.refused("purposes.contact: 'hope' is not one of the bases",
                     register=REGISTER.replace('contact = { bit = 0, fr', 'contact = { bit = 0, basis = "hope", fr'))

    def test_personal_text_that_could_not_be_sealed(self):
        self.refused("pet.nickname is personal and VARCHAR, which cannot hold a sealed value",
                     migration=MIGRATION.replace("VARBINARY(464)", "VARCHAR(100)"))

    def test_broken_toml(self):
        self.refused("register.toml", register=REGISTER + "\n[[columns]\n")


class Types(unittest.TestCase):
    refused = Broken.refused

    def test_personal_text_read_as_text(self):
        self.refused("statement pet_get has column nickname as text, but pet.nickname is sealed: declare it sealed(464)",
                     statements=STATEMENTS.replace("nickname:sealed", "nickname:text"))

    def test_personal_text_read_as_bytes(self):
        self.refused("pet.nickname is sealed", statements=STATEMENTS.replace("nickname:sealed", "nickname:bytes"))

    def test_another_name_does_not_hide_it(self):
        self.refused("has column chip as personal, but pet.chip_hash is secret", statements=STATEMENTS.replace("chip:secret", "chip:personal"))

    def test_nor_does_an_expression(self):
        self.refused("pet.nickname is sealed", statements=STATEMENTS.replace("p.nickname,", "COALESCE(UPPER(p.nickname), ?),")
                     .replace("nickname:sealed", "nickname:text").replace("params: id:u64", "params: other:text(9), id:u64"))

    def test_a_parameter_that_is_compared(self):
        self.refused("statement pet_find has parameter wanted as bytes, but pet.chip_hash is secret: declare it secret(32)", statements="""
-- statement: pet_find
-- params: wanted:bytes(=32)
-- row: id:u64
-- kind: one
SELECT id FROM pet WHERE chip_hash = ?;
""")

    def test_a_parameter_that_is_inserted_or_set(self):
        self.refused("parameter x as text, but pet.nickname is sealed", statements="""
-- statement: pet_insert
-- params: owner_id:u64, x:text(464)
-- kind: insert_batch
INSERT INTO pet (owner_id, nickname) VALUES (?, ?);
""")
        self.refused("parameter x as text, but pet.nickname is sealed", statements="""
-- statement: pet_rename
-- params: x:text(464), id:u64
-- kind: exec
UPDATE pet SET nickname = ? WHERE id = ?;
""")

    def test_what_is_not_sealed_as_sealed(self):
        self.refused("has column chip as sealed, but pet.chip_hash is secret: declare it secret(32)",
                     statements=STATEMENTS.replace("chip:secret", "chip:sealed"))

    def test_personal_text_that_is_read_readable(self):
        self.refused("as personal, but pet.nickname is sealed", statements=STATEMENTS.replace("nickname:sealed", "nickname:personal"))

    def test_numbers_times_and_counts_are_free(self):
        code, said, _ = run(statements="""
-- statement: pet_count
-- params: owner_id:u64
-- row: pets:i64
-- kind: one
SELECT COUNT(nickname) AS pets FROM pet WHERE owner_id = ?;
""")
        self.assertEqual((code, said), (0, ""))


class Real(unittest.TestCase):
    def test_the_register_of_this_tree_is_complete_and_each_column_removed_from_it_is_missed(self):
        storage = os.path.join(ROOT, "storage")

        def listed(folder, end):
            return sorted(os.path.join(storage, folder, f) for f in os.listdir(os.path.join(storage, folder)) if f.endswith(end))

        with open(os.path.join(storage, "register.toml"), encoding="utf-8") as file:
            whole = file.read()

        def check(text):
            with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                return subprocess.run([sys.executable, TOOL, "--register", file.name, "--settings",
                                       os.path.join(ROOT, "include/foyer/config_keys.def"), "--migrations",
                                       *listed("migrations", ".sql"), "--statements", *listed("sql", ".def")],
                                      capture_output=True, text=True, check=False)
        self.assertEqual(check(whole).stderr, "")
        blocks = re.split(r"(?m)^(?=\[\[columns\]\])", whole)
        self.assertGreater(len(blocks), 20)
        for i in range(1, len(blocks), 7):
            name = re.search(r'name = "([^"]+)"', blocks[i]).group(1)
            rest = re.sub(r"(?s)^\[\[columns\]\].*?(?=^#|^\[|\Z)", "", blocks[i], count=1, flags=re.M)
            with self.subTest(name):
                done = check("".join(blocks[:i]) + rest + "".join(blocks[i + 1:]))
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"creates the column {name}", done.stderr)


if __name__ == "__main__":
    unittest.main()
