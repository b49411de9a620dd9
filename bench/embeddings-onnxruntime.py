"""The other side of embeddings.ts: the same BERT in onnxruntime. Arguments: the model's folder, threads, tokens a text.

The graph is made of the fused operators that onnxruntime's own optimizer makes of an exported BERT (attention in one, a
residual added in LayerNorm, a bias in GELU), all texts of one length and no mask. Form "f32" has its weights as they are
stored, "int8" what `quantize_dynamic` makes of them. Reads "<form> <batch> <milliseconds>" lines; answers with the
milliseconds of the fastest run in that time. The first line it writes is a JSON object: its version, and the last hidden
values of a text's first row, of both forms.
"""
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import quantize_dynamic
from safetensors.numpy import load_file

folder, threads, tokens = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
config = json.loads((folder / "config.json").read_text())
weights = load_file(folder / "model.safetensors")
width, epsilon = config["hidden_size"], config["layer_norm_eps"]

nodes, constants = [], []


def constant(name, value):
    constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
    return name


def node(kind, inputs, name, domain="", **attributes):
    nodes.append(helper.make_node(kind, inputs, [name], name=name, domain=domain, **attributes))
    return name


def fused(kind, inputs, name, **attributes):
    return node(kind, inputs, name, "com.microsoft", **attributes)


def matrix(name):
    return constant(f"{name}.T", weights[f"{name}.weight"].T)


def vector(name):
    return constant(name, weights[name])


def skip_norm(x, skip, name, bias):
    inputs = [x, skip, vector(f"{name}.weight"), vector(f"{name}.bias"), vector(bias)]
    return fused("SkipLayerNormalization", inputs, f"{name}.out", epsilon=epsilon)


words = node("Gather", [vector("embeddings.word_embeddings.weight"), "ids"], "words")
places = weights["embeddings.position_embeddings.weight"][:tokens] + weights["embeddings.token_type_embeddings.weight"][0]
h = node("Add", [words, constant("places", places)], "embedded")
norm = "embeddings.LayerNorm"
h = node("LayerNormalization", [h, vector(f"{norm}.weight"), vector(f"{norm}.bias")], f"{norm}.out", epsilon=epsilon)
for layer in range(config["num_hidden_layers"]):
    at = f"encoder.layer.{layer}"
    parts = [f"{at}.attention.self.{part}" for part in ("query", "key", "value")]
    inputs = constant(f"{at}.qkv", np.concatenate([weights[f"{part}.weight"].T for part in parts], axis=1))
    bias = constant(f"{at}.qkv.bias", np.concatenate([weights[f"{part}.bias"] for part in parts]))
    mixed = fused("Attention", [h, inputs, bias], f"{at}.mixed", num_heads=config["num_attention_heads"])
    output = f"{at}.attention.output"
    mixed = node("MatMul", [mixed, matrix(f"{output}.dense")], f"{output}.product")
    h = skip_norm(mixed, h, f"{output}.LayerNorm", f"{output}.dense.bias")
    up = node("MatMul", [h, matrix(f"{at}.intermediate.dense")], f"{at}.up")
    fed = fused("BiasGelu", [up, vector(f"{at}.intermediate.dense.bias")], f"{at}.fed")
    down = node("MatMul", [fed, matrix(f"{at}.output.dense")], f"{at}.down")
    h = skip_norm(down, h, f"{at}.output.LayerNorm", f"{at}.output.dense.bias")

graph = helper.make_graph(
    nodes,
    "bert",
    [helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", tokens])],
    [helper.make_tensor_value_info(h, TensorProto.FLOAT, ["batch", tokens, width])],
    constants,
)
opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
model = helper.make_model(graph, opset_imports=opsets, ir_version=8)


def session(path):
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


with tempfile.TemporaryDirectory() as temporary:
    paths = {form: f"{temporary}/{form}.onnx" for form in ("f32", "int8")}
    onnx.save(model, paths["f32"])
    quantize_dynamic(paths["f32"], paths["int8"], extra_options={"DefaultTensorType": TensorProto.FLOAT})
    sessions = {form: session(path) for form, path in paths.items()}

ids = np.arange(tokens, dtype=np.int64) * 17 + 1000
inputs = {batch: {"ids": np.tile(ids, (batch, 1))} for batch in (1, 32)}
first = {form: it.run(None, inputs[1])[0][0, 0].tolist() for form, it in sessions.items()}
print(json.dumps({"version": ort.__version__, **first}), flush=True)

for line in sys.stdin:
    form, batch, milliseconds = line.split()
    run, given = sessions[form].run, inputs[int(batch)]
    best, end = float("inf"), time.perf_counter() + float(milliseconds) / 1000
    while time.perf_counter() < end:
        start = time.perf_counter()
        run(None, given)
        best = min(best, time.perf_counter() - start)
    print(1000 * best, flush=True)
