"""Pack Python for the browser: Pyodide, SymPy and the engine as script files that pages load on demand.

A page opened from a folder on disk may not fetch files, but it may load scripts: so everything travels as base64 in
`.js` files. Downloads are pinned and kept in the environment, so that a second build costs nothing.
Alone: python book/recheck/bundle.py FOLDER
"""

import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
CACHE = Path(sys.prefix) / "recheck"

PYODIDE = "314.0.7"
PYODIDE_SHA512 = "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
WHEELS = ("sympy", "mpmath", "lark", "markdown-it-py", "mdit-py-plugins", "mdurl")
LAYOUT = "5"


class Unavailable(RuntimeError):
    """The bundle cannot be made here; the message says what is missing."""


def versions() -> dict[str, str]:
    """The pinned versions, from constraints.txt."""
    pins = dict(re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE))
    return {name: pins[name] for name in WHEELS}


def runtime() -> Path:
    """The folder with `python.js`, `sympy.js` and `licences.txt`, made on first use.

    Raises:
        Unavailable: npm is missing, or a download fails.
    """
    pins = versions()
    key = hashlib.sha256(json.dumps([LAYOUT, PYODIDE_SHA512, pins]).encode()).hexdigest()[:12]
    done = CACHE / key
    if done.is_dir():
        return done
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise Unavailable("npm is not installed (Debian: apt-get install npm)")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as temporary:
        work = Path(temporary)
        files, licences = _pyodide(work)
        pyodide = work / "pyodide"
        pyodide.mkdir()
        for name, data in files.items():
            (pyodide / name).write_bytes(data)
        new = work / "new"
        new.mkdir()
        lock = json.dumps({"info": json.loads(files.pop("pyodide-lock.json"))["info"], "packages": {}})
        (new / "python.js").write_text(_script({n: _packed(files[n], n) for n in files} | {"lock": lock}))
        packages, more = _packages(work, pins)
        (work / "source.zip").write_bytes(packages)
        _run(["node", str(HERE / "compile.mjs"), "pyodide", "source.zip", "compiled.zip"], work)
        packages = (work / "compiled.zip").read_bytes()
        (new / "sympy.js").write_text(_script({"packages.zip": _packed(packages, "packages.zip")}))
        (new / "licences.txt").write_text("\n\n".join([licences, *more]))
        new.rename(done)
    return done


def _run(command: list[str], where: Path) -> None:
    ran = subprocess.run(command, cwd=where, capture_output=True, text=True)
    if ran.returncode:
        said = [line for line in (ran.stderr + ran.stdout).splitlines() if line.strip() and len(line) < 300]
        error = next((line for line in said if "Error" in line), said[-1] if said else ran.returncode)
        raise Unavailable(f"{' '.join(command[:3])} … failed: {error}")


def _pyodide(work: Path) -> tuple[dict[str, bytes], str]:
    _run(["npm", "pack", f"pyodide@{PYODIDE}", "--silent"], work)
    archive = work / f"pyodide-{PYODIDE}.tgz"
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != PYODIDE_SHA512:
        raise Unavailable(f"pyodide {PYODIDE} is not the file that was pinned (sha512 {digest})")
    with tarfile.open(archive) as tar:
        files = {name: tar.extractfile(f"package/{name}").read() for name in RUNTIME}
    return files, (
        f"Pyodide {PYODIDE}: Mozilla Public License 2.0; unmodified, its source is the npm package pyodide and the "
        "repository that it names. It contains CPython 3.14 (Python Software Foundation License) and its libraries."
    )


def _packages(work: Path, pins: dict[str, str]) -> tuple[bytes, list[str]]:
    """One zip of the wheels without their tests, and their licences."""
    wanted = [f"{name}=={version}" for name, version in pins.items()]
    pip = [sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps"]
    _run([*pip, "--only-binary", ":all:", "-d", "wheels", *wanted], work)
    members, licences = {}, []
    for wheel in sorted((work / "wheels").glob("*.whl")):
        with zipfile.ZipFile(wheel) as z:
            for name in z.namelist():
                if ".dist-info/" in name:
                    if re.search(r"/(LICEN[CS]E|COPYING|AUTHORS)[^/]*$", name) and "AUTHORS" not in name:
                        licences.append(f"{wheel.name.split('-py')[0]}\n{z.read(name).decode()}")
                elif not re.search(r"/(tests|benchmarks)/", name) and name.endswith((".py", ".lark")):
                    members[name] = z.read(name)
    return _zip(members), licences


def engine() -> str:
    """The script with the engine and the worker that runs it."""
    sources = [ROOT / "spaces_core/__init__.py", ROOT / "spaces_core/lazy.py"]
    sources += sorted((ROOT / "spaces_core" / "checks").glob("*.py"))
    members = {p.relative_to(ROOT).as_posix(): p.read_bytes() for p in sources}
    packed = {"engine.zip": _packed(_zip(members), "engine.zip")}
    return _script(packed | {"worker.js": (HERE / "worker.js").read_text(encoding="utf-8")})


def page(name: str, text: str) -> str:
    """The script with a chapter's source."""
    return _script({f"page:{name}": text})


def write(target: Path, pages: dict[str, str]) -> int:
    """Lay the bundle out in a folder of the built book.

    Args:
        target: the folder, made if needed.
        pages: source text of each chapter.

    Returns:
        bytes that a reader loads before the first re-check.
    """
    made = runtime()
    target.mkdir(parents=True, exist_ok=True)
    for file in made.iterdir():
        if not (target / file.name).exists() or (target / file.name).stat().st_mtime != file.stat().st_mtime:
            shutil.copy2(file, target / file.name)
    (target / "engine.js").write_text(engine(), encoding="utf-8")
    for name, text in pages.items():
        path = target / "pages" / f"{name}.js"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(name, text), encoding="utf-8")
    return sum((target / f).stat().st_size for f in ("python.js", "sympy.js", "engine.js"))


def _zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        for name in sorted(members):
            z.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), members[name], zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def _packed(data: bytes, name: str) -> str:
    return base64.b64encode(data if name.endswith(".zip") else gzip.compress(data, 9, mtime=0)).decode()


def _script(files: dict[str, str]) -> str:
    return f"spacesRecheck.take({json.dumps(files)});\n"


if __name__ == "__main__":
    try:
        print(f"{write(Path(sys.argv[1]), {}) / 1e6:.1f} MB")
    except Unavailable as error:
        sys.exit(str(error))
