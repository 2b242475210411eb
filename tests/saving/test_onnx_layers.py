"""Every layer of the catalogue as ONNX: it computes the same, or says why it has no form."""

from __future__ import annotations

import pytest
from layers.cases import CASES, Case
from saving.layer_models import arrays_of, model_of
from saving.onnx_runs import assert_same

from kernelmodel.saving.onnx.export import onnx_model

# Layers that look things up in Python's dictionaries, or hash.
TABLES = {"IntegerLookup", "Hashing", "HashedCrossing"}


def without_form(case: Case) -> str | None:
    """What the error says about a layer that has no ONNX form; None for those that have one."""
    if case.reads_text:
        return "its input 'x0' is text"
    if case.gives == "string":
        return "gives text"
    return "uses Python code" if case.name in TABLES else None


@pytest.mark.parametrize("case", [c for c in CASES if without_form(c) is None], ids=str)
def test_onnx_runtime_computes_the_same(case: Case) -> None:
    model, _ = model_of(case)
    batches = [arrays_of(case, batch) for batch in (1, 3, 17)]
    session = assert_same(model, batches)
    assert [i.shape[0] for i in session.get_inputs()] == ["batch"] * len(session.get_inputs())


@pytest.mark.parametrize("case", [c for c in CASES if without_form(c) is not None], ids=str)
def test_a_layer_without_a_form_says_so(case: Case) -> None:
    model, layer = model_of(case)
    with pytest.raises(ValueError, match=str(without_form(case))) as caught:
        onnx_model(model)
    told = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert model.name in told
    assert layer.name in told or case.reads_text
    assert "Apply the layer" in told or "gives text" in told
