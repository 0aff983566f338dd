"""Checks Bicep templates without Azure: bicep_check.py [FOLDER].

Syntax (tree-sitter's grammar of Bicep), names, parameters and outputs of modules, and every resource against
Microsoft's type definitions (bicep_types.py): unknown, missing and read-only properties, types, values of enums.
Not checked: what only Azure knows (regions, quotas, which values go together). bicep_mutations.py tests the checks.
"""

import json
import pathlib
import re
import sys

import tree_sitter
import tree_sitter_bicep

from bicep_expressions import FUNCTIONS, Any, Kind, Types
from bicep_types import load

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))
ROLES = {
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": "Cognitive Services OpenAI User",
}
GUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
META = {"parent", "scope", "dependsOn"}  # Bicep's own keys of a resource
SUBSCRIPTION = "Microsoft.Resources/resourceGroups"


def text(node):
    return node.text.decode()


def named(node):
    return [child for child in node.children if child.is_named and child.type != "comment"]


def literal(node):
    """The value of a string without interpolation, else None."""
    if node.type != "string" or any(part.type == "interpolation" for part in named(node)):
        return None
    return "".join(text(part) for part in named(node))


class Declaration:
    def __init__(self, kind, node, name):
        self.kind, self.node, self.name = kind, node, name
        self.used = False
        self.type = Any
        self.body = None  # a resource's or module's object
        self.target = None  # a resource's type@version or a module's path
        self.existing = self.looped = False
        self.default = None
        self.decorators = {}


class File:
    """One template: its declarations, read before any is checked, since they may stand in any order."""

    def __init__(self, path, source=None):
        self.path = path
        self.tree = PARSER.parse(source if source is not None else path.read_bytes())
        self.declarations, self.outputs, self.problems = {}, {}, []
        self.scope = "resourceGroup"
        if self.tree.root_node.has_error:
            self.say(self.first_error(self.tree.root_node), "syntax error")
            return
        pending = {}
        for node in named(self.tree.root_node):
            if node.type == "decorators":
                for decorator in named(node):
                    call = named(decorator)[0]
                    parts = named(call)
                    pending[text(parts[0])] = named(parts[1]) if len(parts) > 1 else []
                continue
            self.declare(node, pending)
            pending = {}

    def first_error(self, node):
        for child in node.children:
            if child.has_error or child.is_missing or child.type == "ERROR":
                return self.first_error(child)
        return node

    def say(self, node, problem):
        line, column = node.start_point
        self.problems.append(f"{self.path}:{line + 1}:{column + 1}: {problem}")

    def declare(self, node, decorators):
        parts = named(node)
        if node.type == "target_scope_assignment":
            self.scope = literal(parts[0])
            return
        if not node.type.endswith("_declaration"):
            return
        name = text(parts[0])
        made = Declaration(node.type.removesuffix("_declaration"), node, name)
        made.decorators = decorators
        if made.kind == "output":
            made.type = Kind.of_syntax(parts[1])
            made.default = parts[2]
            table = self.outputs
        else:
            table = self.declarations
        if made.kind == "parameter":
            made.type = Kind.of_syntax(parts[1])
            made.default = parts[2] if len(parts) > 2 else None
        elif made.kind == "variable":
            made.default = parts[1]
        elif made.kind in ("resource", "module"):
            made.target = literal(parts[1])
            made.existing = any(child.type == "existing" or text(child) == "existing" for child in node.children)
            made.body = parts[2]
            made.looped = made.body.type == "for_statement"
        if name in table:
            self.say(node, f"{name} is declared twice")
        table[name] = made


class Checker:
    def __init__(self, files, definitions):
        self.files, self.definitions = files, definitions

    def run(self):
        for file in self.files.values():
            if not file.problems:
                self.check(file)
        return [problem for file in self.files.values() for problem in file.problems]

    def check(self, file):
        types = Types(self, file)
        for one in file.declarations.values():
            getattr(self, f"check_{one.kind}")(file, types, one)
        for one in file.outputs.values():
            found = types.of(one.default, {})
            if not found.fits(one.type):
                file.say(one.default, f"output {one.name} is to be {one.type}, not {found}")
        for one in file.declarations.values():
            if one.kind in ("parameter", "variable") and not one.used:
                file.say(one.node, f"{one.name} is never used")
        self.check_references(file)

    def check_parameter(self, file, types, one):
        if one.default is not None:
            found = types.of(one.default, {})
            if not found.fits(one.type):
                file.say(one.default, f"the default of {one.name} is to be {one.type}, not {found}")
        allowed = one.decorators.get("allowed")
        value = literal(one.default) if one.default is not None else None
        if allowed and value is not None and value not in [literal(v) for v in named(allowed[0])]:
            file.say(one.default, f"the default of {one.name} is none of the allowed values")
        least = one.decorators.get("minValue")
        if least and one.default is not None and one.default.type == "number" and int(text(one.default)) < int(text(least[0])):
            file.say(one.default, f"the default of {one.name} is less than its least value")
        if re.search(r"(key|secret|password)$", one.name, re.I) and "secure" not in one.decorators:
            file.say(one.node, f"{one.name} is a secret: @secure()")

    def check_variable(self, file, types, one):
        types.of(one.default, {})

    def check_resource(self, file, types, one):
        definition = self.definitions.get(one.target)
        if definition is None:
            file.say(one.node, f"{one.target} is not known: a misspelt type, or bicep_types.py refresh")
            return
        if not one.target.startswith(SUBSCRIPTION) and file.scope == "subscription":
            file.say(one.node, f"{one.target} belongs into a resource group: use a module")
        if one.target.startswith(SUBSCRIPTION) and file.scope != "subscription":
            file.say(one.node, "a resource group is made in a subscription: targetScope is missing")
        types.body(one.body, {}, lambda body, names: self.resource_body(file, types, one, definition, body, names))

    def resource_body(self, file, types, one, definition, body, names):
        properties = types.properties(body)
        parent = one.target.split("@")[0].rsplit("/", 1)[0]
        if parent.count("/") > 0:
            holder = file.declarations.get(text(properties["parent"])) if "parent" in properties else None
            if holder is None or not (holder.target or "").startswith(parent + "@"):
                file.say(body, f"the parent of {one.name} is to be a {parent}")
        for key in META & properties.keys():
            types.of(properties[key], names)
        if one.existing:
            for key, value in properties.items():
                if key not in META | {"name"}:
                    file.say(value, f"{key} cannot be set of what exists")
                types.of(value, names)
            return
        rest = {key: value for key, value in properties.items() if key not in META}
        types.against(definition, definition["root"], body, rest, names)

    def check_module(self, file, types, one):
        target = (file.path.parent / one.target).resolve()
        other = self.files.get(target)
        if other is None:
            file.say(one.node, f"there is no {one.target}")
            return
        types.body(one.body, {}, lambda body, names: self.module_body(file, types, one, other, body, names))

    def module_body(self, file, types, one, other, body, names):
        properties = types.properties(body)
        for key, value in properties.items():
            if key not in ("name", "scope", "params", "dependsOn"):
                file.say(value, f"{key} is no key of a module")
            if key != "params":
                types.of(value, names)
        if file.scope == "subscription" and other.scope == "resourceGroup" and "scope" not in properties:
            file.say(body, f"module {one.name} needs the scope of a resource group")
        given = types.properties(properties["params"]) if "params" in properties else {}
        wanted = {d.name: d for d in other.declarations.values() if d.kind == "parameter"}
        for key, value in given.items():
            found = types.of(value, names)
            if key not in wanted:
                file.say(value, f"{one.target} has no parameter {key}")
            elif not found.fits(wanted[key].type):
                file.say(value, f"{key} is to be {wanted[key].type}, not {found}")
        for key, parameter in wanted.items():
            if parameter.default is None and key not in given:
                file.say(body, f"{one.target} needs the parameter {key}")

    def check_references(self, file):
        """Names within one app that must match: secrets, volumes; and roles, which are bare numbers."""
        for one in file.declarations.values():
            if one.kind == "variable" and one.default is not None:
                value = literal(one.default)
                if value and GUID.match(value) and value not in ROLES:
                    file.say(one.default, f"{value} is not a role that is known here")
                elif value and re.fullmatch(r"[0-9a-fA-F-]{30,40}", value) and not GUID.match(value):
                    file.say(one.default, f"{value} is not a GUID")
        for reference, holder in (("secretRef", "secrets"), ("volumeName", "volumes")):
            there = self.names_in(file.tree.root_node, holder)
            for node in self.values_of(file.tree.root_node, reference):
                value = literal(node)
                if value is not None and value not in there:
                    file.say(node, f"{reference} {value} is none of {sorted(there)}")

    def values_of(self, node, key):
        if node.type == "object_property" and text(named(node)[0]) == key:
            yield named(node)[1]
        for child in node.children:
            yield from self.values_of(child, key)

    def names_in(self, node, key):
        return {literal(name) for value in self.values_of(node, key) for name in self.values_of(value, "name")}


def check_parameters(folder, files, problems):
    """main.parameters.json gives every parameter that needs a value, and none that is not there."""
    path = folder / "main.parameters.json"
    main = files[(folder / "main.bicep").resolve()]
    given = json.loads(path.read_text())["parameters"]
    wanted = {d.name: d for d in main.declarations.values() if d.kind == "parameter"}
    for name, entry in given.items():
        if name not in wanted:
            problems.append(f"{path}: main.bicep has no parameter {name}")
            continue
        default = re.fullmatch(r"\$\{\w+=(.*)\}", entry["value"])
        if default and str(wanted[name].type) == "int" and not default[1].isdigit():
            problems.append(f"{path}: {name} is to be a number, not {default[1]}")
        if default and str(wanted[name].type) == "bool" and default[1] not in ("true", "false"):
            problems.append(f"{path}: {name} is to be true or false, not {default[1]}")
    for name, parameter in wanted.items():
        if parameter.default is None and name not in given:
            problems.append(f"{path}: {name} of main.bicep has no value")
    for name in ("APIM_GATEWAY_URL", "AZURE_CONTAINER_REGISTRY_ENDPOINT"):
        if name not in main.outputs:
            problems.append(f"{main.path}: the output {name} is missing")


def check_folder(folder, changed=None):
    """All problems of the templates in `folder`; `changed` puts other text in the place of some files."""
    folder = folder.resolve()
    changed = changed or {}
    files = {path: File(path, changed.get(path)) for path in sorted(folder.rglob("*.bicep"))}
    problems = Checker(files, load()).run()
    if not problems:
        check_parameters(folder, files, problems)
    return problems


if __name__ == "__main__":
    found = check_folder(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "infra"))
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"    {len(load())} resource types known, {len(FUNCTIONS)} functions, {len(found)} problems")
    sys.exit(1 if found else 0)
