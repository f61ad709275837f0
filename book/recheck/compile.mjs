// Compile what is imported at every start, with the Python that will run it: node compile.mjs PYODIDE_FOLDER IN.zip OUT.zip
// The rest stays source. Importing SymPy takes a third of the time so.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [folder, source, target] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(path.resolve(folder, "pyodide.mjs")).href);
const python = await loadPyodide({ indexURL: path.resolve(folder) });
python.unpackArchive(new Uint8Array(fs.readFileSync(source)), "zip", { extractDir: "/packages" });
python.runPython(`
import ast, importlib.util, marshal, sys, warnings, zipfile
from pathlib import Path

sys.path.insert(0, "/packages")
warnings.simplefilter("ignore")
import lark, mpmath, sympy

def compiled(text, name):
    """The code of a module without its docstrings, as an unchecked .pyc (PEP 552)."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)) and ast.get_docstring(node, False):
            node.body[:1] = [] if node.body[1:] else [ast.copy_location(ast.Pass(), node.body[0])]
    code = compile(tree, name, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8) + marshal.dumps(code)

root = Path("/packages")
loaded = {getattr(m, "__file__", None) for m in list(sys.modules.values())}
with zipfile.ZipFile("/out.zip", "w") as out:
    for file in sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        name, data = str(file.relative_to(root)), file.read_bytes()
        if str(file) in loaded and file.suffix == ".py":
            name, data = name + "c", compiled(data, name)
        out.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
`);
fs.writeFileSync(target, python.FS.readFile("/out.zip"));
