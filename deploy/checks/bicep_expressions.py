"""Types of Bicep's expressions, as far as bicep_check.py needs them; what cannot be known is `any` and fits all."""

# What each function returns; a dict's value None is `any`. Functions that are not here are misspelt.
FUNCTIONS = {
    "array": "array", "base64": "string", "bool": "bool", "concat": None, "contains": "bool", "empty": "bool",
    "endsWith": "bool", "filter": "array", "first": None, "format": "string", "guid": "string", "indexOf": "int",
    "int": "int", "intersection": None, "items": "array", "join": "string", "json": None, "last": None,
    "length": "int", "listKeys": None, "map": "array", "max": "int", "min": "int", "newGuid": "string",
    "range": "array", "reduce": None, "reference": "object", "replace": "string", "resourceGroup": "object",
    "resourceId": "string", "skip": None, "split": "array", "startsWith": "bool", "string": "string",
    "subscription": "object", "subscriptionResourceId": "string", "substring": "string", "take": None,
    "tenant": "object", "toLower": "string", "toObject": "object", "toUpper": "string", "trim": "string",
    "union": None, "uniqueString": "string", "uri": "string",
}  # fmt: skip
RESOURCE = {"id": "string", "name": "string", "type": "string", "apiVersion": "string"}


def text(node):
    return node.text.decode()


def named(node):
    return [child for child in node.children if child.is_named and child.type != "comment"]


class Kind:
    """A type: name, for a string or number its value if known, what an array holds, what an object is."""

    def __init__(self, name, value=None, of=None, shape=None):
        self.name, self.value, self.of, self.shape = name, value, of, shape

    def __str__(self):
        return f"{self.of or 'any'}[]" if self.name == "array" else self.name

    @classmethod
    def of_syntax(cls, node):
        written = text(node)
        if written.endswith("[]"):
            return cls("array", of=cls(written[:-2]))
        return cls(written) if written in ("string", "int", "bool", "object", "array") else Any

    def fits(self, wanted):
        if "any" in (self.name, wanted.name) or self.name == "null":
            return True
        if self.name != wanted.name:
            return False
        return self.name != "array" or self.of is None or wanted.of is None or self.of.fits(wanted.of)


Any = Kind("any")


class Types:
    """Infers types within one file, and says what is wrong on the way."""

    def __init__(self, checker, file):
        self.checker, self.file, self.under_way = checker, file, set()

    # Objects and what surrounds them.

    def body(self, node, names, use):
        """Calls `use` with the object within `if` and `for`, and the names that `for` brings."""
        if node.type == "if_statement":
            condition, node = named(node)
            found = self.of(named(condition)[0], names)
            if not found.fits(Kind("bool")):
                self.file.say(condition, f"a condition is to be bool, not {found}")
            self.body(node, names, use)
        elif node.type == "for_statement":
            inner, result = self.loop(node, names)
            self.body(result, inner, use)
        else:
            use(node, names)

    def loop(self, node, names):
        *variables, over, result = named(node)
        variables = named(variables[0]) if variables[0].type == "for_loop_parameters" else variables
        found = self.of(over, names)
        if not found.fits(Kind("array")):
            self.file.say(over, f"a loop is over an array, not {found}")
        inner = {**names, text(variables[0]): found.of or Any}
        if len(variables) > 1:
            inner[text(variables[1])] = Kind("int")
        return inner, result

    def properties(self, node):
        out = {}
        if node.type != "object":
            return out
        for entry in named(node):
            key, *value = named(entry)
            name = text(key).strip("'")
            if name in out:
                self.file.say(key, f"{name} is given twice")
            out[name] = value[0] if value else key
        return out

    def against(self, definition, name, node, properties, names):
        """Holds an object to the definition called `name`."""
        shape = definition["objects"].get(name)
        if shape is None:
            for value in properties.values():
                self.of(value, names)
            return
        for key, value in properties.items():
            if key in shape["properties"]:
                wanted, flags = shape["properties"][key]
                if "ReadOnly" in flags:
                    self.file.say(value, f"{key} is read-only")
                self.value_against(definition, wanted, value, names, key)
            elif shape["more"]:
                self.value_against(definition, shape["more"], value, names, key)
            else:
                self.file.say(value, f"{name} has no property {key}")
        for key, (_, flags) in shape["properties"].items():
            if "Required" in flags and "ReadOnly" not in flags and key not in properties:
                self.file.say(node, f"{name} needs the property {key}")

    def value_against(self, definition, wanted, node, names, key):
        if node.type == "ternary_expression":
            condition, *branches = named(node)
            self.of(condition, names)
            for branch in branches:
                self.value_against(definition, wanted, branch, names, key)
            return
        if node.type == "parenthesized_expression":
            self.value_against(definition, wanted, named(node)[0], names, key)
            return
        if node.type == "call_expression" and text(named(node)[0]) == "concat":
            for argument in named(named(node)[1]):
                self.value_against(definition, wanted, argument, names, key)
            return
        if wanted.endswith("[]"):
            if node.type == "array":
                for entry in named(node):
                    self.value_against(definition, wanted[:-2], entry, names, key)
                return
            if node.type == "for_statement":
                inner, result = self.loop(node, names)
                self.value_against(definition, wanted[:-2], result, inner, key)
                return
        if node.type == "object" and wanted in definition["objects"]:
            self.against(definition, wanted, node, self.properties(node), names)
            return
        found = self.of(node, names)
        target, choices = self.wanted_kind(definition, wanted)
        if not found.fits(target):
            self.file.say(node, f"{key} is to be {wanted}, not {found}")
        elif choices and found.name == "string" and found.value is not None and found.value not in choices:
            self.file.say(node, f"{key} is to be one of {', '.join(choices)}, not {found.value}")

    def wanted_kind(self, definition, wanted):
        parts = [part.strip() for part in wanted.split(" | ")]
        if wanted.endswith("[]"):
            return Kind("array"), []
        if wanted in ("string", "int", "bool"):
            return Kind(wanted), []
        if wanted in definition["objects"]:
            return Kind("object"), []
        if wanted in ("any", "object"):
            return (Any if wanted == "any" else Kind("object")), []
        choices = [part for part in parts if part not in ("string", "null")]
        return Kind("string"), choices

    # Expressions.

    def of(self, node, names):
        handler = getattr(self, "of_" + node.type, None)
        if handler:
            return handler(node, names)
        for child in named(node):
            self.of(child, names)
        return Any

    def of_string(self, node, names):
        parts = named(node)
        for part in parts:
            if part.type == "interpolation":
                for inner in named(part):
                    self.of(inner, names)
        whole = None if any(p.type == "interpolation" for p in parts) else "".join(text(p) for p in parts)
        return Kind("string", whole)

    def of_number(self, node, names):
        return Kind("int", int(text(node)))

    def of_boolean(self, node, names):
        return Kind("bool")

    def of_null(self, node, names):
        return Kind("null")

    def of_array(self, node, names):
        found = [self.of(entry, names) for entry in named(node)]
        same = {str(one) for one in found}
        return Kind("array", of=found[0] if len(same) == 1 else None)

    def of_object(self, node, names):
        for value in self.properties(node).values():
            self.of(value, names)
        for entry in named(node):  # keys with interpolation
            if named(entry)[0].type == "string":
                self.of(named(entry)[0], names)
        return Kind("object")

    def of_for_statement(self, node, names):
        inner, result = self.loop(node, names)
        return Kind("array", of=self.of(result, inner))

    def of_parenthesized_expression(self, node, names):
        return self.of(named(node)[0], names)

    def of_ternary_expression(self, node, names):
        condition, one, other = named(node)
        self.of(condition, names)
        first, second = self.of(one, names), self.of(other, names)
        if first.name == "null":
            return second
        return first if first.name == second.name else Any

    def of_unary_expression(self, node, names):
        found = self.of(named(node)[0], names)
        return Kind("bool") if text(node).startswith("!") else found

    def of_binary_expression(self, node, names):
        found = [self.of(part, names) for part in named(node)]
        operator = next((text(child) for child in node.children if not child.is_named), "")
        if operator in ("+", "-", "*", "/", "%"):
            for part, one in zip(named(node), found):
                if not one.fits(Kind("int")):
                    self.file.say(part, f"{operator} is of numbers, not {one}")
            return Kind("int")
        return Any if operator == "??" else Kind("bool")

    def of_lambda_expression(self, node, names):
        *variables, result = named(node)
        return self.of(result, {**names, **{text(v): Any for v in variables}})

    def of_identifier(self, node, names):
        name = text(node)
        if name in names:
            return names[name]
        one = self.file.declarations.get(name)
        if one is None:
            self.file.say(node, f"{name} is not declared")
            return Any
        one.used = True
        if one.kind == "parameter":
            return one.type
        if one.kind == "variable" and name not in self.under_way:
            self.under_way.add(name)
            one.type = Types(self.checker, self.silent()).of(one.default, {})
            self.under_way.discard(name)
            return one.type
        return Kind("array") if one.looped else Kind("symbol", shape=one)

    def silent(self):
        class Silent:
            declarations, outputs, path = self.file.declarations, self.file.outputs, self.file.path

            def say(self, node, problem):
                pass  # a variable's own problems are said where it is declared

        return Silent()

    def of_call_expression(self, node, names):
        called, *arguments = named(node)
        for argument in named(arguments[0]) if arguments else []:
            self.of(argument, names)
        if called.type == "member_expression":
            self.of(named(called)[0], names)  # listKeys() of a resource
            return Any
        name = text(called)
        if name not in FUNCTIONS:
            self.file.say(called, f"there is no function {name}")
            return Any
        made = FUNCTIONS[name]
        return Kind(made) if made else Any

    def of_subscript_expression(self, node, names):
        held, index = named(node)
        self.of(index, names)
        found = self.of(held, names)
        return found.of or Any

    def of_member_expression(self, node, names):
        held, member = named(node)
        name = text(member)
        found = self.of(held, names)
        if found.name != "symbol" and found.name != "defined":
            return Any
        if found.name == "symbol":
            return self.member_of_symbol(node, found.shape, name)
        definition, shape = found.shape
        return self.member_of_shape(node, definition, shape, name)

    def member_of_symbol(self, node, one, name):
        if one.kind == "module":
            if name == "name":
                return Kind("string")
            if name != "outputs":
                self.file.say(node, f"a module has no {name}")
                return Any
            return Kind("symbol", shape=Outputs(self.checker.files.get((self.file.path.parent / one.target).resolve())))
        if one.kind == "outputs":
            if one.file and name not in one.file.outputs:
                self.file.say(node, f"there is no output {name}")
                return Any
            return one.file.outputs[name].type if one.file else Any
        definition = self.checker.definitions.get(one.target)
        if name in RESOURCE:
            return Kind(RESOURCE[name])
        return self.member_of_shape(node, definition, definition["root"], name) if definition else Any

    def member_of_shape(self, node, definition, shape, name):
        known = definition["objects"].get(shape)
        if known is None:
            return Any
        if name not in known["properties"]:
            if not known["more"]:
                self.file.say(node, f"{shape} has no property {name}")
            return Any
        wanted = known["properties"][name][0]
        if wanted in definition["objects"]:
            return Kind("defined", shape=(definition, wanted))
        if wanted.endswith("[]"):
            held = wanted[:-2]
            return Kind("array", of=Kind("defined", shape=(definition, held)) if held in definition["objects"] else None)
        return Kind(wanted) if wanted in ("string", "int", "bool") else Any


class Outputs:
    """What a module's `outputs` is."""

    kind = "outputs"

    def __init__(self, file):
        self.file = file
