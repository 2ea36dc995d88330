"""The published versions of the privacy policy: what the data register promised on a day, and what has changed since.

A version is a file storage/policy/YYYY-MM-DD.json: the register's promises in one canonical form (sorted, labels and
words included, settings by name), and the SHA-256 of the version before it. So one that was edited later does not fit
the next. Its own SHA-256 is its fingerprint. Its name is the day of its publication; where it takes effect later, it says
so (`effective`). Read by register.py, which compares the newest one with the register and turns all into C tables
(policy.h).
"""
import datetime
import hashlib
import json
import os
import re

KINDS = {"category": "categories", "basis": "bases", "provided_by": "sources", "then": "thens"}
ORDERED = ("purposes", "categories", "persons", "activities", "bases", "sources", "triggers", "thens", "viewers")
LANGS = ("fr", "en")
LIST = "fy_policy_versions"


class PolicyError(Exception):
    pass


# ---- from the register to a version ------------------------------------------------------------------


def promises(register):
    """What the register tells people, without what it tells the build."""
    holders, fields, used = {}, {}, {kind: set() for kind in ORDERED}

    def hold(name, given):
        holders[name] = {"activity": given["activity"], "label": given["label"], "persons": sorted(given["persons"])}
        used["activities"].add(given["activity"])
        used["persons"].update(given["persons"])

    def add(holder, field):
        fields[field["name"]] = {
            "holder": holder, "label": field["label"], "purposes": sorted(field["purposes"]), "seen_by": sorted(field["seen_by"]),
            "keep": sorted(field["keep"], key=lambda keep: json.dumps(keep, sort_keys=True)), **{key: field[key] for key in KINDS}}
        used["purposes"].update(field["purposes"])
        used["viewers"].update(field["seen_by"])
        used["triggers"].update(keep["from"] for keep in field["keep"])
        used["bases"].update(register.own_basis[p] for p in field["purposes"] if p in register.own_basis)
        for key, kind in KINDS.items():
            used[kind].add(field[key])

    for field in register.fields:
        table = field["name"].split(".")[0]
        hold(table, register.tables[table])
        add(table, field)
    for name, store in register.stores.items():
        hold(name, store)
        for field in store["fields"].values():
            add(name, field)
    words = {kind: {word: dict(register.data[kind][word]) for word in used[kind]} for kind in ORDERED}
    for word, basis in register.own_basis.items():
        if word in words["purposes"]:
            words["purposes"][word]["basis"] = basis
    return {"fields": fields, "holders": holders, "words": words}


def canonical(made, before, effective=None):
    head = {"before": before, "effective": effective} if effective else {"before": before}
    text = json.dumps({**head, **made}, ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    return text.encode("utf-8")


# ---- the files -----------------------------------------------------------------------------------------


def is_date(text):
    try:
        return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and bool(datetime.date.fromisoformat(text))
    except ValueError:
        return False


class Version:
    def __init__(self, date, data):
        self.date, self.data = date, data
        self.fingerprint = hashlib.sha256(data).hexdigest()
        self.content = json.loads(data)
        self.effective = self.content.get("effective", date)

    def says(self, made):
        return canonical(made, self.content["before"], self.content.get("effective")) == self.data


def check_effective(effective, date, versions):
    """PolicyError unless a version of that date may take effect then: not before people could read it, and in the order
    of the versions."""
    if not is_date(effective):
        raise PolicyError(f"'{effective}' is not a date like 2026-11-23")
    if effective < date:
        raise PolicyError(f"a version of {date} cannot take effect before, on {effective}")
    if versions and effective < versions[-1].effective:
        raise PolicyError(f"the version of {versions[-1].date} takes effect on {versions[-1].effective}: the next one not before")


def read_versions(folder):
    """Oldest first. PolicyError where one was changed after the next was published."""
    versions, before = [], None
    for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
        date, ending = os.path.splitext(name)
        if ending != ".json" or not is_date(date):
            raise PolicyError(f"{name}: a published version is a file YYYY-MM-DD.json")
        with open(os.path.join(folder, name), "rb") as file:
            version = Version(date, file.read())
        if version.content.get("before") != before:
            raise PolicyError(f"{name} does not follow the version before it: a published version was changed, added or taken away")
        check_effective(version.effective, date, versions)
        versions.append(version)
        before = version.fingerprint
    return versions


def check_newest(versions, made):
    """PolicyError unless the newest published version says what the register says."""
    if not versions:
        raise PolicyError("no version of the policy is published: storage/register.py --write-policy DATE")
    newest = versions[-1]
    if not newest.says(made):
        raise PolicyError(f"the register has changed since {newest.date}: publish it with storage/register.py --write-policy DATE")


def write_version(folder, date, made, effective=None):
    """Publishes the register as of `date`, in force from `effective` or that day; returns the path."""
    versions = read_versions(folder)
    if not is_date(date):
        raise PolicyError(f"'{date}' is not a date like 2026-11-23")
    if versions and versions[-1].says(made):
        raise PolicyError(f"nothing has changed since {versions[-1].date}")
    if versions and date <= versions[-1].date:
        raise PolicyError(f"{versions[-1].date} is published and stays as it is: choose a later date")
    if effective:
        check_effective(effective, date, versions)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, date + ".json")
    with open(path, "wb") as file:
        file.write(canonical(made, versions[-1].fingerprint if versions else None, effective if effective != date else None))
    return path


# ---- what has changed ------------------------------------------------------------------------------------


def label_of(content, kind, word):
    label = content["words"][kind][word]
    return {lang: label[lang] for lang in LANGS}


def joined(labels):
    return {lang: ", ".join(label[lang] for label in labels) for lang in LANGS}


def periods_change(old, new, seconds):
    """None, or whether data are kept for longer. An end that is gone makes it longer; another one more, shorter."""
    if old == new:
        return None
    before = {keep["from"]: seconds(keep) for keep in old}
    after = {keep["from"]: seconds(keep) for keep in new}
    if set(before) - set(after):
        return True
    return any(before[word] is None or after[word] is None or after[word] > before[word] for word in before)


def difference(old, new, seconds):
    """The changes from one version's content to the next: dictionaries with kind, major, and of whom and what they are
    about: `fields`, names, or `word` and the `bearers` of that purpose; `from` and `to`, labels or rules of keep. The same
    change of several fields of one table is one. `seconds(keep)` says how long a rule means by default."""
    found = {}

    def change(kind, major, name=None, came_from=None, to=None, **more):
        content = old if kind == "field_removed" else new
        holder = content["fields"][name]["holder"] if name else None
        key = json.dumps([kind, holder, came_from, to, more], sort_keys=True)
        one = found.setdefault(key, {"kind": kind, "major": major, "holder": holder, "fields": [], "from": came_from, "to": to, **more})
        if name:
            one["fields"].append(name)

    def word_set(name, key, kind, what, was, now):
        for word in sorted(set(now) - set(was)):
            change(what + "_added", True, name, to=label_of(new, kind, word))
        for word in sorted(set(was) - set(now)):
            change(what + "_removed", False, name, came_from=label_of(old, kind, word))

    for name in sorted(set(new["fields"]) - set(old["fields"])):
        purposes = [label_of(new, "purposes", word) for word in new["fields"][name]["purposes"]]
        change("field_added", True, name, to=joined(purposes))
    for name in sorted(set(old["fields"]) - set(new["fields"])):
        change("field_removed", False, name)
    for name in sorted(set(old["fields"]) & set(new["fields"])):
        was, now = old["fields"][name], new["fields"][name]
        word_set(name, "purposes", "purposes", "purpose", was["purposes"], now["purposes"])
        word_set(name, "seen_by", "viewers", "viewer", was["seen_by"], now["seen_by"])
        word_set(name, "persons", "persons", "persons", old["holders"][was["holder"]]["persons"], new["holders"][now["holder"]]["persons"])
        for key, kind in KINDS.items():
            if was[key] != now[key]:
                # Deletion is the best that can become of data; a category is only where it is shown.
                major = now[key] != "delete" if key == "then" else key != "category"
                change(key, major, name, label_of(old, kind, was[key]), label_of(new, kind, now[key]))
        longer = periods_change(was["keep"], now["keep"], seconds)
        if longer is not None:
            change("period", longer, name, was["keep"], now["keep"])
        if was["label"] != now["label"]:
            change("label", False, name, was["label"], now["label"])
    for kind in ORDERED:
        for word in sorted(set(old["words"][kind]) & set(new["words"][kind])):
            was, now = old["words"][kind][word], new["words"][kind][word]
            if any(was[lang] != now[lang] for lang in LANGS):
                change("word", False, came_from=label_of(old, kind, word), to=label_of(new, kind, word))
            if was.get("basis") != now.get("basis"):
                ends = [label_of(content, "bases", label["basis"]) if "basis" in label else None
                        for content, label in ((old, was), (new, now))]
                bearers = sorted(name for name, field in new["fields"].items() if word in field["purposes"])
                change("purpose_basis", True, came_from=ends[0], to=ends[1], word=label_of(new, kind, word), bearers=bearers)
    for holder in sorted(set(old["holders"]) & set(new["holders"])):
        was, now = old["holders"][holder], new["holders"][holder]
        if was["label"] != now["label"]:
            change("word", False, came_from=was["label"], to=now["label"])
    return sorted(found.values(), key=lambda one: not one["major"])


def openings(versions):
    """The purposes that came to a field later than its first version: (version's number, field, words, whole). `whole`: the
    field came with them."""
    for number in range(1, len(versions)):
        old, new = versions[number - 1].content["fields"], versions[number].content["fields"]
        for name in sorted(new):
            words = sorted(set(new[name]["purposes"]) - set(old.get(name, {}).get("purposes", ())))
            if words:
                yield number, name, words, name not in old


# ---- C -------------------------------------------------------------------------------------------------


class Writer:
    """Writes policy_table.c. `tool` is register.py, whose ways to write C and to read rules these are."""

    def __init__(self, tool, register, out):
        self.tool, self.register, self.out = tool, register, out

    def sort(self, kind, words):
        """In the order of today's register, words that are no more last."""
        today = self.register.words[kind]
        return sorted(words, key=lambda word: (today.index(word) if word in today else len(today), word))

    def text(self, label):
        return self.tool.both(label) if label else "{ FY_NONE_INIT, FY_NONE_INIT }"

    def words(self, content, kind, words):
        return self.text(joined([label_of(content, kind, word) for word in self.sort(kind, words)]) if words else None)

    def periods(self, content, keeps):
        by = {keep["from"]: keep for keep in keeps}
        return "{ " + ", ".join("{ .keep = { %s }, .from = %s }" % (self.tool.c_keep(by[word], self.register.settings),
                                self.text(label_of(content, "triggers", word))) for word in self.sort("triggers", by)) + " }"

    def bases(self, content, field):
        """The field's, and those of the purposes that have one of their own."""
        own = {}
        for word in self.sort("purposes", field["purposes"]):
            basis = content["words"]["purposes"][word].get("basis")
            if basis and basis != field["basis"]:
                own[word] = label_of(content, "bases", basis)
        label = label_of(content, "bases", field["basis"])
        for word, basis in own.items():
            purpose = label_of(content, "purposes", word)
            label = {"fr": f"{label['fr']} ; {purpose['fr']} : {basis['fr']}", "en": f"{label['en']}; {purpose['en']}: {basis['en']}"}
        return self.text(label)

    def entry(self, content, name):
        field = content["fields"][name]
        holder = content["holders"][field["holder"]]
        self.out.write(
            f"\t{{ .name = {self.tool.c_string(name)}, .label = {self.text(field['label'])},\n"
            f"\t  .holder = {self.text(holder['label'])},\n"
            f"\t  .activity = {self.words(content, 'activities', [holder['activity']])},\n"
            f"\t  .persons = {self.words(content, 'persons', holder['persons'])},\n"
            f"\t  .about = {self.about(content, [name])},\n"
            f"\t  .category = {self.words(content, 'categories', [field['category']])},\n"
            f"\t  .purposes = {self.words(content, 'purposes', field['purposes'])},\n"
            f"\t  .basis = {self.bases(content, field)},\n"
            f"\t  .provided_by = {self.words(content, 'sources', [field['provided_by']])},\n"
            f"\t  .then = {self.words(content, 'thens', [field['then']])},\n"
            f"\t  .seen_by = {self.words(content, 'viewers', field['seen_by'])},\n"
            f"\t  .periods = {self.periods(content, field['keep'])}, .period_count = {len(field['keep'])} }},\n")

    def sorted_fields(self, content):
        """By category as the register orders them, then as the register lists the fields."""
        today = [f["name"] for f in self.register.fields] + \
                [f["name"] for store in self.register.stores.values() for f in store["fields"].values()]
        place = {category: i for i, category in enumerate(self.sort("categories", content["words"]["categories"]))}
        return sorted(content["fields"], key=lambda name: (place[content["fields"][name]["category"]],
                                                           today.index(name) if name in today else len(today), name))

    def about(self, content, names):
        """Whom these fields are about, of the words that still exist."""
        words = {word for name in names for word in content["holders"][content["fields"][name]["holder"]]["persons"]}
        return self.tool.bits("persons", [word for word in self.register.words["persons"] if word in words])

    def change(self, old, new, change):
        content = old if change["kind"] == "field_removed" else new
        names = change["fields"] or change.get("bearers", [])
        sealed = all(self.register.sealed.get(name, False) for name in names)
        if change["fields"]:
            labels = [content["fields"][name]["label"] for name in change["fields"]]
            holder = content["holders"][change["holder"]]["label"]
            what = {lang: f"{text} ({holder[lang]})" for lang, text in joined(labels).items()}
        else:
            what = change.get("word")
        ends = [self.text(None), self.text(None)] if change["kind"] == "period" else [self.text(change["from"]), self.text(change["to"])]
        self.out.write(f"\t{{ .kind = \"{change['kind']}\", .major = {str(change['major']).lower()}, .what = {self.text(what)},\n"
                       f"\t  .from = {ends[0]}, .to = {ends[1]},\n"
                       f"\t  .fields = (const char *const[]){{ {''.join(self.tool.c_string(name) + ', ' for name in names)}NULL }},\n"
                       f"\t  .about = {self.about(content, names)}, .sealed = {str(sealed).lower()},\n")
        if change["kind"] == "period":
            self.out.write(f"\t  .from_periods = {self.periods(old, change['from'])}, .from_count = {len(change['from'])},\n"
                           f"\t  .to_periods = {self.periods(new, change['to'])}, .to_count = {len(change['to'])},\n")
        self.out.write("\t},\n")

    def version(self, number, old, version):
        content = version.content
        changes = difference(old.content, content, lambda keep: self.tool.keep_seconds(keep, self.register.settings)) if old else []
        self.out.write(f"\nstatic const unsigned char file_{number}[] = {{\n")
        for at in range(0, len(version.data), 30):
            self.out.write(",".join(str(byte) for byte in version.data[at:at + 30]) + ",\n")
        self.out.write(f"}};\nstatic const struct fy_policy_entry entries_{number}[] = {{\n")
        for name in self.sorted_fields(content):
            self.entry(content, name)
        self.out.write(f"}};\nstatic const struct fy_policy_change changes_{number}[] = {{\n")
        for change in changes:
            self.change(old.content, content, change)
        self.out.write("\t{ .kind = NULL },\n};\n")
        return (f"\t{{ .date = \"{version.date}\", .effective = \"{version.effective}\", .fingerprint = \"{version.fingerprint}\", .file = {{ (const char *)file_{number}, "
                f"sizeof file_{number} }},\n\t  .entries = entries_{number}, .entry_count = {len(content['fields'])},\n"
                f"\t  .changes = changes_{number}, .change_count = {len(changes)}, "
                f".major = {str(any(change['major'] for change in changes)).lower()} }},\n")

    def write(self, versions, name):
        self.out.write("/* Generated by storage/register.py from storage/policy. */\n#include \"foyer/config.h\"\n"
                       "#include \"storage/policy.h\"\n\n#define FY_LIT_INIT(s) { (s), sizeof(s) - 1 }\n#define FY_NONE_INIT { NULL, 0 }\n")
        rows = [self.version(number, versions[number - 1] if number else None, version) for number, version in enumerate(versions)]
        self.out.write(f"\nstatic const struct fy_policy_version all[] = {{\n{''.join(rows)}}};\n"
                       f"const struct fy_policy_list {name} = {{ all, {len(rows)} }};\n")
        if name == LIST:        # other lists are of other columns
            self.openings(versions)

    def openings(self, versions):
        purposes, rows, late = set(self.register.words["purposes"]) - {self.tool.RIGHTS}, [], {}     # that one is never shut
        for number, name, words, whole in openings(versions):
            words = [word for word in words if word in purposes]
            if name not in self.register.sealed or not words:       # of a store, or gone
                continue
            late.setdefault(name, set()).update(words)
            rows.append(f"\t{{ .column = {self.column(name)}, .version = {number}, .purposes = {self.tool.bits('purposes', words)}, "
                        f".whole = {str(whole).lower()} }},\n")
        masks = [f"\t[{self.column(name)}] = {self.tool.bits('purposes', sorted(words))},\n" for name, words in sorted(late.items())]
        self.out.write(f"\nconst uint32_t fy_policy_late[FY_COLUMN_COUNT] = {{\n{''.join(masks or ['0'])}}};\n"
                       f"const struct fy_policy_opening fy_policy_openings[] = {{\n{''.join(rows)}\t{{ .purposes = 0 }},\n}};\n")

    @staticmethod
    def column(name):
        return "FY_COLUMN_" + name.replace(".", "_").upper()
