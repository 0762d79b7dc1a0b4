"""A file's own tests: its mirror and whoever imports it, read off the imports."""

import ast
import re
from pathlib import Path


class Imports:
    """Who imports whom in a project, tests included."""

    def __init__(self, root: Path):
        paths = (path.relative_to(root) for path in sorted(root.rglob("*.py")))
        found = {path: root / path for path in paths if not path.parts[0].startswith(".")}  # environments may lie there
        self.path = {module_of(path): path.as_posix() for path in found}
        source = {module_of(path): file.read_bytes() for path, file in found.items()}
        self.compiled = {name for name, text in source.items() if b"numba" in text}
        self.registries = {name for name in source if "/__init__" in self.path[name] and b"registry" in source[name]}
        self.importers: dict[str, list[str]] = {name: [] for name in source}
        for name, text in source.items():
            for imported in self._imported(text):
                self.importers[imported].append(name)

    def _imported(self, source: bytes) -> set[str]:
        found = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                found |= {f"{node.module}.{alias.name}" for alias in node.names} & self.path.keys() or {node.module}
        return found & self.path.keys()

    def beyond(self, module: str) -> set[str]:
        """A module and all that import it, in any number of steps."""
        seen: set[str] = set()
        left = [module]
        while left:
            if (name := left.pop()) not in seen:
                seen.add(name)
                left += self.importers[name]
        return seen

    def own_tests(self, path: str, above: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        """A file's own tests, the nearest first: files, each with what selects among its tests ('' for all)."""
        module, folder = module_of(Path(path)), Path(path).parent
        package = folder.parts[0]
        registry, _, stem = module.rpartition(".")
        name = stem.split("__")[0] or stem
        if path.endswith(".wgsl"):
            registry = module = f"{package}.kernels"
            found = dict.fromkeys(self._tests(module), name if f"{package}.ops.{name}" in self.path else "")
            mirrors = f"(?:{name}|kernels)"
        else:
            found = dict.fromkeys(self._tests(module), "")
            if registry in self.registries and not stem.startswith("_"):
                entries = {each.rpartition(".")[2] for each in self.path if each.rpartition(".")[0] == registry}
                others = sorted(entry for entry in entries - {stem} if not entry.startswith("_"))
                its_own = f"{name} or not ({' or '.join(others)})"
                found |= {test: its_own if test in found else name for test in self._tests(registry)}
            mirrors = name.lstrip("_")
        mirror = re.compile(f"tests/{package}/(.*/)?test_{mirrors}.py")
        mirrored = [
            test for test in self.path.values() if mirror.fullmatch(test) and (test in found or nested(test, folder))
        ]
        found |= {test: "" for test in mirrored if test not in found or test.endswith(f"/test_{name}.py")}
        if not any(test.startswith(f"tests/{package}/") for test in found):
            for importer in self.importers[module]:
                if importer not in above and not importer.startswith("tests."):
                    found = dict(self.own_tests(self.path[importer], (*above, module))) | found
        if not found:  # nobody imports it by name: whoever loads its package does
            package_mirror = re.compile(f"tests/{package}/(.*/)?test_{folder.name}.py")
            found = {test: "" for test in self.path.values() if package_mirror.fullmatch(test)}

        def farness(test: str) -> tuple[bool, bool, int, str]:
            steps = [a == b for a, b in zip(Path(test).parts[1:-1], folder.parts, strict=False)]
            return test not in mirrored, name not in found[test], -sum(steps), test

        return [(test, found[test]) for test in sorted(found, key=farness)]

    def _tests(self, module: str) -> list[str]:
        tests = [self.path[name] for name in self.importers[module]]
        return [test for test in tests if re.fullmatch("tests/.+/test_[^/]*", test)]


def nested(test: str, folder: Path) -> bool:
    """Whether the folder of a test mirrors a folder of code or one above it or below it: ledger/ is not dispute/."""
    return all(a == b for a, b in zip(Path(test).parts[1:-1], folder.parts, strict=False))


def module_of(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")
