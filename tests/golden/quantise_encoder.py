#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""quantise_encoder.py — An encoder of export_encoder.py with weights of 8 bits, for peer_encoder.js.

    quantise_encoder.py OUT.onnx IN.onnx [--form FORM]

What ONNX Runtime calls dynamic quantisation: a matrix of weights is rounded here, its input when it is used,
to 0 to 255 with one scale per tensor. FORM says in which operators:

    fused         DynamicQuantizeMatMul of com.microsoft, weights -127 to 127, a scale per column
    fused-tensor  the same with one scale for the whole matrix
    standard      DynamicQuantizeLinear, MatMulInteger, Cast, Mul; a scale per column
    unsigned      the same with weights of 0 to 255 around 128
    convolutions  as fused, and all convolutions but the first as ConvInteger, one scale each
"""
import argparse

import numpy
import onnx
from onnx import helper, numpy_helper

FORMS = ("fused", "fused-tensor", "standard", "unsigned", "convolutions")


class Rewriter:
    """Nodes of a graph replaced one by one; inputs that several nodes share are rounded once."""

    def __init__(self, graph, form):
        self.form, self.graph = form, graph
        self.weights = {i.name: i for i in graph.initializer}
        self.nodes, self.rounded, self.dropped = [], {}, set()

    def constant(self, name, value):
        self.graph.initializer.append(numpy_helper.from_array(numpy.ascontiguousarray(value), name))
        return name

    def node(self, op, inputs, outputs, **attributes):
        self.nodes.append(helper.make_node(op, inputs, outputs, name=outputs[0] + "." + op, **attributes))
        return outputs[0]

    def round_weight(self, name, axis, per_column):
        """The names of integers, scale and zero point of a weight, and the scale's value."""
        w = numpy_helper.to_array(self.weights[name])
        others = tuple(i for i in range(w.ndim) if i != axis)
        top = abs(w).max(axis=others, keepdims=True) if per_column else abs(w).max()
        scale = (top / 127).astype(numpy.float32)
        q = numpy.rint(w / scale).astype(numpy.int8)
        zero = numpy.int8(0)
        if self.form == "unsigned":
            q, zero = (q.astype(numpy.int16) + 128).astype(numpy.uint8), numpy.uint8(128)
        scale = scale.reshape(-1) if per_column else numpy.float32(scale)
        zero = numpy.full(scale.shape, zero)
        self.dropped.add(name)
        return (self.constant(name + ".q", q), self.constant(name + ".scale", scale),
                self.constant(name + ".zero", zero))

    def round_input(self, name):
        if name not in self.rounded:
            outputs = [name + ".q", name + ".scale", name + ".zero"]
            self.node("DynamicQuantizeLinear", [name], outputs)
            self.rounded[name] = outputs
        return self.rounded[name]

    def finish(self, integers, scales, out):
        """Integers to float: out = integers * scales[0] * scales[1]."""
        both = self.node("Mul", scales, [out + ".scale"])
        as_float = self.node("Cast", [integers], [out + ".f32"], to=onnx.TensorProto.FLOAT)
        self.node("Mul", [as_float, both], [out])

    def matmul(self, n):
        x, w = n.input
        per_column = self.form != "fused-tensor"
        q, scale, zero = self.round_weight(w, 1, per_column)
        if self.form in ("standard", "unsigned"):
            xq, x_scale, x_zero = self.round_input(x)
            sums = self.node("MatMulInteger", [xq, q, x_zero, zero], [n.output[0] + ".sums"])
            self.finish(sums, [x_scale, scale], n.output[0])
        else:
            self.node("DynamicQuantizeMatMul", [x, q, scale, zero], list(n.output), domain="com.microsoft")

    def conv(self, n):
        xq, x_scale, x_zero = self.round_input(n.input[0])
        q, scale, zero = self.round_weight(n.input[1], 0, False)
        attributes = {a.name: helper.get_attribute_value(a) for a in n.attribute}
        sums = self.node("ConvInteger", [xq, q, x_zero, zero], [n.output[0] + ".sums"], **attributes)
        bias = n.input[2] if len(n.input) > 2 else None
        self.finish(sums, [x_scale, scale], n.output[0] + (".no_bias" if bias else ""))
        if bias:
            value = numpy_helper.to_array(self.weights[bias]).reshape(1, -1, 1)
            self.node("Add", [n.output[0] + ".no_bias", self.constant(bias + ".shaped", value)], list(n.output))

    def run(self):
        seen_conv = False
        for n in list(self.graph.node):
            if n.op_type == "MatMul" and n.input[1] in self.weights:
                self.matmul(n)
            elif n.op_type == "Conv" and seen_conv and self.form == "convolutions":
                self.conv(n)
            else:
                self.nodes.append(n)
            seen_conv = seen_conv or n.op_type == "Conv"
        kept = [i for i in self.graph.initializer if i.name not in self.dropped]
        del self.graph.node[:], self.graph.initializer[:]
        self.graph.node.extend(self.nodes)
        self.graph.initializer.extend(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("out")
    parser.add_argument("source")
    parser.add_argument("--form", choices=FORMS, default="fused")
    args = parser.parse_args()
    model = onnx.load(args.source)
    Rewriter(model.graph, args.form).run()
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, args.out)


if __name__ == "__main__":
    main()
