// The reader's Python, in a module worker made from a blob: it is given everything it needs and asks the network for nothing.
const HOME = "https://book.invalid/";
let packed, python;

async function unpacked(name) {
  const text = atob(packed[name]);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  if (name.endsWith(".zip")) return bytes;
  const inflated = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(inflated).arrayBuffer());
}

async function module(name) {
  const url = URL.createObjectURL(new Blob([await unpacked(name)], { type: "text/javascript" }));
  try { return await import(url); } finally { URL.revokeObjectURL(url); }
}

self.fetch = async function (request) {
  const name = String(request.url || request).replace(HOME, "");
  if (!(name in packed)) throw new Error(name + " is not in the book");
  const type = name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
  return new Response(await unpacked(name), { headers: { "Content-Type": type } });
};

async function start(files) {
  packed = files;
  postMessage({ progress: "Starting Python …" });
  const { loadPyodide } = await module("pyodide.mjs");
  const createPyodideModule = (await module("pyodide.asm.mjs")).default;
  python = await loadPyodide({
    indexURL: HOME, packageBaseUrl: HOME, createPyodideModule, lockFileContents: JSON.parse(packed.lock),
    stdout: function () {}, stderr: function () {},
  });
  const site = python.runPython("import site; site.getsitepackages()[0]");
  for (const name of ["packages.zip", "engine.zip"]) python.unpackArchive(await unpacked(name), "zip", { extractDir: site });
  packed = {};
  postMessage({ progress: "Importing SymPy …" });
  python.runPython(ENGINES);
}

const ENGINES = `
import json
import sympy
from spaces_core.checks.recheck import recheck

def asked(question):
    question = json.loads(question)
    return json.dumps(recheck(**question))
`;
const ASK = "asked(question)";

onmessage = async function (event) {
  const { files, question } = event.data;
  try {
    if (files) await start(files);
    postMessage({ progress: "Checking …" });
    python.globals.set("question", JSON.stringify(question));
    postMessage({ answer: JSON.parse(python.runPython(ASK)) });
  } catch (error) {
    const lines = String(error.message || error).trim().split("\n");
    postMessage({ broken: lines[lines.length - 1] });
  }
};
