"""Reduced latent models in Chromium: the exported passes give the digest of every other stack."""

import json
import socket
import threading
from pathlib import Path
from queue import Queue

import numpy as np
import pytest
import uvicorn
from small_diffusion import DIGESTS, diffusion, passes
from starlette.applications import Starlette
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from inference import browser
from inference.browser import headless
from inference.device.export import as_json
from inference.device.program import program
from inference.device.target import Target
from inference.graph import schedule
from inference.kernels import alone

ENGINE = Path(browser.__file__).with_name("engine.js")
SECONDS = 240  # for a browser to start and answer: a time-out, not a measure
PAGE = """<script type="module">
import { build, guarded, load, measureSubgroups, open, sha256, submit, write } from "/engine.js";
const kernel = async (path) => (await fetch(`/kernels/${path}`)).text();
const weight = async (key) => (await fetch(`/weights/${encodeURIComponent(key)}`)).arrayBuffer();

async function drawn() {
  const gpu = await open();
  await measureSubgroups(gpu, kernel);
  const { lanes, subgroups, features } = gpu, body = JSON.stringify({ lanes, subgroups, features });
  const plan = await (await fetch("/plan", { method: "POST", body })).json();
  const model = load(gpu, { kernel, weight }), programs = [], found = new Map();
  return guarded(gpu, async () => {
    for (const each of plan.programs) programs.push(await build(model, each, new Map(), [], () => {}));
    let words = [];
    for (const [index, { program, inputs, links }] of plan.passes.entries()) {
      const linked = Object.entries(links).map(([name, from]) => [name, new Int32Array(found.get(String(from)))]);
      write(gpu, programs[program], { ...inputs, ...Object.fromEntries(linked) });
      words = await submit(gpu, programs[program].dispatches.flat(), programs[program].reads);
      words.forEach((each, at) => found.set(`${index},${plan.reads[program][at]}`, each));
    }
    return { digest: await sha256([words.at(-1)]), adapter: gpu.name };
  });
}

const answer = await drawn().catch((error) => ({ error: String(error.stack ?? error) }));
await fetch("/answer", { method: "POST", body: JSON.stringify(answer) });
</script>"""


def exported(made, target, weights):
    """Programs, the nodes that each reads, and passes by program; the layouts of weights are added to ``weights``."""
    last = len(made) - 1
    read = {}
    for each in made:
        for link in each.links.values():
            read.setdefault(id(made[link.index].graph), set()).add(link.node)
    graphs = list({id(each.graph): each.graph for each in made}.values())
    reads = [[schedule(made[last].graph)[-1]] if g is made[last].graph else sorted(read[id(g)]) for g in graphs]
    programs = []
    for graph, nodes in zip(graphs, reads, strict=True):
        built = program(graph, target, keep=frozenset(nodes))
        weights |= built.weights
        programs.append(as_json(graph, built, nodes))
    described = [
        {
            "program": next(at for at, graph in enumerate(graphs) if graph is each.graph),
            "inputs": {f"input {name}": values.ravel().tolist() for name, values in each.given.items()},
            "links": {f"input {name}": f"{link.index},{link.node}" for name, link in each.links.items()},
        }
        for each in made
    ]
    return {"programs": programs, "reads": reads, "passes": described}


@pytest.mark.slow
@pytest.mark.parametrize("name", DIGESTS)
def test_chromium_draws_the_picture_of_every_stack(name):
    if "chromium" not in headless.installed():
        pytest.skip("chromium is not installed")
    model, weights, answers = diffusion(name, "exact", 8), {}, Queue()

    async def plan(request):
        device = json.loads(await request.body())
        target = Target(device["lanes"], device["subgroups"], frozenset(device["features"]))
        return JSONResponse(exported(passes(model, 2), target, weights))

    def weight(request):
        constant, pack = weights[request.path_params["key"]]
        return Response(np.ascontiguousarray(pack(model.model.constants[constant])).tobytes())

    async def answer(request):
        answers.put(json.loads(await request.body()))
        return Response(status_code=204)

    routes = [
        Route("/", lambda request: HTMLResponse(PAGE)),
        Route("/engine.js", lambda request: FileResponse(ENGINE, media_type="text/javascript")),
        Route("/kernels/{path:path}", lambda r: PlainTextResponse(alone(r.path_params["path"].removesuffix(".wgsl")))),
        Route("/weights/{key}", weight),
        Route("/plan", plan, methods=["POST"]),
        Route("/answer", answer, methods=["POST"]),
    ]
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with headless.opened("chromium", f"http://127.0.0.1:{listener.getsockname()[1]}/"):
            found = answers.get(timeout=SECONDS)
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
    assert "error" not in found, found
    assert found["digest"].startswith(DIGESTS[name])
