"""An independent host: what a component answers when PyPI's wasmtime runs it.

    differential.py CASES.json COMPONENT.wasm

Prints one line of JSON with the imports and the exported functions, then one per case:
{"ok": …}, {"err": …} or {"trap": …}.

It has its own reading of how JSON maps to component values, so that two hosts can disagree.
"""

import json
import math
import sys

from wasmtime import Config, Engine, Store, WasiConfig, WasmtimeError, component
from wasmtime.component import Linker, Record, Variant

NUMBER_MAX = (1 << 53) - 1
SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def lower(ty, value):
    """JSON as the Python value that the bindings want for `ty`."""
    match ty:
        case component.S64() | component.U64():
            return int(value)
        case component.F32() | component.F64():
            return SPECIAL[value] if isinstance(value, str) else float(value)
        case component.ListType():
            items = [lower(ty.element, item) for item in value]
            return bytes(items) if isinstance(ty.element, component.U8) else items
        case component.TupleType():
            return tuple(lower(part, item) for part, item in zip(ty.elements, value, strict=True))
        case component.RecordType():
            record = Record()
            for name, part in ty.fields:
                setattr(record, name, lower(part, value.get(name)))
            return record
        case component.FlagsType():
            return set(value)
        case component.OptionType():
            if value is None:
                return case(ty, "none", None)
            some = value["some"] if nullable(ty.payload) else value
            return case(ty, "some", lower(ty.payload, some))
        case component.VariantType() | component.ResultType():
            [(tag, payload)] = [(value, None)] if isinstance(value, str) else value.items()
            inner = dict(ty._cases())[tag]
            return case(ty, tag, None if inner is None else lower(inner, payload))
        case _:
            return value


def lift(ty, value):
    """The Python value of a `ty` as JSON."""
    match ty:
        case component.S64() | component.U64():
            return value if abs(value) <= NUMBER_MAX else str(value)
        case component.F32() | component.F64():
            if math.isnan(value):
                return "NaN"
            return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"
        case component.ListType():
            return [lift(ty.element, item) for item in value]
        case component.TupleType():
            return [lift(part, item) for part, item in zip(ty.elements, value, strict=True)]
        case component.RecordType():
            return {name: lift(part, getattr(value, name)) for name, part in ty.fields}
        case component.FlagsType():
            return [name for name in ty.names if name in value]
        case component.OptionType():
            tag, payload = which(ty, value)
            if tag == "none":
                return None
            return {"some": payload} if nullable(ty.payload) else payload
        case component.ResultType():
            tag, payload = which(ty, value)
            return {tag: payload}
        case component.VariantType():
            tag, payload = which(ty, value)
            return tag if dict(ty._cases())[tag] is None else {tag: payload}
        case _:
            return value


def nullable(ty):
    """Whether JSON's null is a value of `ty`, so that an option of it needs a form of its own."""
    return isinstance(ty, component.OptionType)


def case(ty, tag, payload):
    """A case of a variant: the bindings leave the tag out where the payloads' classes tell."""
    return Variant(tag, payload) if ty._tagged() else payload


def which(ty, value):
    """The case that `value` is, and its payload as JSON."""
    if ty._tagged():
        tag, payload = value.tag, value.payload
    else:
        tag, payload = next(name for name, inner in ty._cases() if belongs(value, inner)), value
    inner = dict(ty._cases())[tag]
    return tag, None if inner is None else lift(inner, payload)


def belongs(value, ty):
    if ty is None or value is None:
        return ty is None and value is None
    classes = set()
    ty.add_classes(classes)
    return isinstance(value, tuple(classes))


class Host:
    def __init__(self, path):
        config = Config()
        config.cranelift_opt_level = "none"  # One call each: compiling is what takes time here.
        self.engine = Engine(config)
        self.component = component.Component.from_file(self.engine, path)
        self.linker = Linker(self.engine)
        self.linker.add_wasip2()
        self.linker.add_wasi_http()

    def functions(self):
        """Every exported function as (interface or None, name, type)."""
        for name, export in self.component.type.exports(self.engine).items():
            match export.ty:
                case component.FuncType() as ty:
                    yield None, name, ty
                case component.ComponentInstanceType() as instance:
                    for inner, export in instance.exports(self.engine).items():
                        if isinstance(ty := export.ty, component.FuncType):
                            yield name, inner, ty

    def imports(self):
        """What a host has to give; an interface that only names types asks for nothing."""
        for name, extern in self.component.type.imports(self.engine).items():
            types = (component.FuncType, component.ResourceType)
            parts = extern.ty.exports(self.engine).values()
            if any(isinstance(part.ty, types) for part in parts):
                yield name

    def call(self, function, arguments):
        """Calls `function` of an instance of its own."""
        [(interface, name, ty)] = [it for it in self.functions() if it[1] == function]
        store = Store(self.engine)
        store.set_wasi(WasiConfig())
        instance = self.linker.instantiate(store, self.component)
        within = interface and instance.get_export_index(store, interface)
        index = instance.get_export_index(store, name, within)
        values = [lower(part, arguments.get(param)) for param, part in ty.params]
        try:
            answer = instance.get_func(store, index)(store, *values)
        except WasmtimeError as error:
            return {"trap": str(error)}
        if isinstance(ty.result, component.ResultType):
            return lift(ty.result, answer)
        return {"ok": None if ty.result is None else lift(ty.result, answer)}


def spell(ty):
    """A type in words, near enough to WIT to recognise it."""
    match ty:
        case None:
            return "_"
        case component.ListType():
            return f"list<{spell(ty.element)}>"
        case component.TupleType():
            return f"tuple<{', '.join(map(spell, ty.elements))}>"
        case component.OptionType():
            return f"option<{spell(ty.payload)}>"
        case component.ResultType():
            return f"result<{spell(ty.ok)}, {spell(ty.err)}>"
        case component.RecordType():
            return f"record {{{', '.join(f'{name}: {spell(part)}' for name, part in ty.fields)}}}"
        case component.VariantType():
            cases = (name if part is None else f"{name}({spell(part)})" for name, part in ty.cases)
            return f"variant {{{', '.join(cases)}}}"
        case component.EnumType() | component.FlagsType():
            return f"{type(ty).__name__.removesuffix('Type').lower()} {{{', '.join(ty.names)}}}"
        case _:
            return type(ty).__name__.removesuffix("Type").lower()


def listing(host):
    exports = {}
    for interface, name, ty in host.functions():
        params = ", ".join(f"{param}: {spell(part)}" for param, part in ty.params)
        signature = f"func({params})" + (f" -> {spell(ty.result)}" if ty.result else "")
        exports[f"{interface}#{name}" if interface else name] = signature
    return {"imports": list(host.imports()), "exports": exports}


def main():
    match sys.argv[1:]:
        case [cases, path]:
            host = Host(path)
            print(json.dumps(listing(host)))
            with open(cases, encoding="utf-8") as file:
                for it in json.load(file):
                    print(json.dumps(host.call(it["function"], it["arguments"]), ensure_ascii=False))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
