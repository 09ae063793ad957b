"""What a model's folder says that a library may read otherwise, held against what the library took.

transformers before 5 does not know `rope_parameters`, the form that transformers 5 writes: it would take a theta of 10000 and no scaling,
load without a word and generate something else. So the facts are read here as transformers 5 means them.
"""

from __future__ import annotations

import contextlib
import functools
import json
import math
import os
import tempfile
from dataclasses import dataclass

from .errors import PeerError, one_line
from .modules import version_of, version_text

_SCALING_KEYS = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
_DEFAULT_THETA = 10000.0

# Buffers may be fp16, whose smallest step is 6e-8.
_RELATIVE, _ABSOLUTE = 0.01, 1.2e-7


@dataclass(frozen=True)
class ModelFacts:
    """Theta of the rotary embedding, its scaling (type, then the values of `_SCALING_KEYS`), head size and whether the head is tied."""

    rope_theta: float
    rope_scaling: tuple
    head_dim: int | None
    tied: bool

    def differences(self, taken: "ModelFacts") -> list[str]:
        """One text for each fact that was taken otherwise."""
        names = {"rope_theta": "rope theta", "rope_scaling": "rope scaling", "head_dim": "head size", "tied": "tied head"}
        pairs = [(text, getattr(self, name), getattr(taken, name)) for name, text in names.items()]
        return [f"{text} {_shown(other)} for {_shown(own)}" for text, own, other in pairs if other != own]

    def frequencies(self) -> list[float]:
        """The head_dim / 2 inverse frequencies of the rotary embedding, as Llama 3.1 scales them (transformers, modeling_rope_utils)."""
        plain = [self.rope_theta ** (-2 * i / self.head_dim) for i in range(self.head_dim // 2)]
        return [self._scaled(frequency) for frequency in plain]

    def _scaled(self, frequency: float) -> float:
        if not self.rope_scaling or self.rope_scaling[0] != "llama3":
            return frequency
        _, factor, low, high, original = self.rope_scaling
        turns = original * frequency / (2 * math.pi)
        if turns > high:
            return frequency
        smooth = max(0.0, (turns - low) / (high - low))
        return frequency * (smooth + (1 - smooth) / factor)


def read_config(folder: str) -> dict:
    with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
        return json.load(file)


def facts_of(find, knows_parameters: bool = True) -> ModelFacts:
    """The facts of a config in either form.

    `find(key, default)` looks into it; a transformers before 5 keeps `rope_parameters` as an attribute that nothing of it reads.
    """
    rope = find("rope_scaling", None) or (knows_parameters and find("rope_parameters", None)) or {}
    kind = rope.get("rope_type", rope.get("type", "default"))
    theta = (knows_parameters and rope.get("rope_theta")) or find("rope_theta", None) or _DEFAULT_THETA
    # transformers reads an original length at the top before the one inside.
    original = find("original_max_position_embeddings", None)
    values = {**rope, **({"original_max_position_embeddings": original} if original else {})}
    return ModelFacts(
        rope_theta=float(theta),
        rope_scaling=() if kind == "default" else (kind, *(float(values.get(key) or 0) for key in _SCALING_KEYS)),
        head_dim=find("head_dim", None) or _quotient(find("hidden_size", None), find("num_attention_heads", None)),
        tied=bool(find("tie_word_embeddings", False)),
    )


def folder_eos(folder: str, vocab_size: int) -> list[int]:
    """The ids that end a text, from generation_config.json, else from config.json; ids outside the vocabulary left out."""
    for name in ("generation_config.json", "config.json"):
        with contextlib.suppress(OSError, ValueError), open(os.path.join(folder, name), encoding="utf-8") as file:
            ids = json.load(file).get("eos_token_id")
            if ids is not None:
                return [token for token in (ids if isinstance(ids, list) else [ids]) if 0 <= token < vocab_size]
    return []


@contextlib.contextmanager
def loadable_folder(transformers, folder: str, notes: list[str]):
    """A folder that this transformers reads as transformers 5 reads `folder`: that one, or links to its files and a config in both forms.

    Errors: wrong_version, when it reads neither form so.
    """
    own = read_config(folder)
    wanted = facts_of(own.get)
    if not (wrong := _misread(transformers, folder, wanted)):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="llama3perf-config-") as other:
        _link_files(folder, other)
        with open(os.path.join(other, "config.json"), "w", encoding="utf-8") as file:
            json.dump(in_both_forms(own, wanted), file)
        if still := _misread(transformers, other, wanted):
            raise PeerError(
                "wrong_version",
                f"transformers {version_text(transformers)} reads {os.path.join(folder, 'config.json')} otherwise ({'; '.join(still)}): "
                "it would compute another model; Llama 3.1 and 3.2 need 4.45 or newer",
            )
        version = version_text(transformers)
        notes.append(f"transformers {version} misreads the folder's config.json ({'; '.join(wrong)}): loaded from a translated one")
        yield other


def in_both_forms(config: dict, facts: ModelFacts) -> dict:
    """The config with its rotary embedding as transformers 4 reads it beside the form of 5, and with its head size."""
    scaling = None
    if facts.rope_scaling:
        scaling = {"rope_type": facts.rope_scaling[0], **dict(zip(_SCALING_KEYS, facts.rope_scaling[1:]))}
        scaling["original_max_position_embeddings"] = int(scaling["original_max_position_embeddings"])
    sizes = {"head_dim": facts.head_dim} if facts.head_dim else {}
    dtype = config.get("torch_dtype") or config.get("dtype")
    return {
        **config,
        **sizes,
        "rope_theta": facts.rope_theta,
        "rope_scaling": scaling,
        "tie_word_embeddings": facts.tied,
        **({"torch_dtype": dtype} if dtype else {}),
    }


def check_rotary(model, wanted: ModelFacts, notes: list[str]) -> None:
    """Holds the frequencies that the loaded model rotates with against the folder's: a config says what was read, these what is done."""
    if wanted.head_dim is None or (wanted.rope_scaling and wanted.rope_scaling[0] != "llama3"):
        notes.append("the rotary embedding was not checked: its kind is unknown here")
        return
    taken = next((buffer for name, buffer in model.named_buffers() if name.split(".")[-1] == "inv_freq"), None)
    if taken is None:
        notes.append("the rotary embedding was not checked: the loaded model shows no inv_freq")
        return
    values, expected = taken.float().tolist(), wanted.frequencies()
    if len(values) != len(expected):
        raise PeerError("wrong_version", f"the library took a head size of {2 * len(values)} and the model's is {wanted.head_dim}")
    for i, (value, right) in enumerate(zip(values, expected)):
        if not math.isclose(value, right, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE):
            raise PeerError(
                "wrong_version",
                f"the library rotates with other frequencies than the model's config says (number {i} is {value:.3g} for {right:.3g}): "
                "it would compute another model; take the versions of the requirements file",
            )


def _misread(transformers, folder: str, wanted: ModelFacts) -> list[str]:
    try:
        taken = transformers.AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (ValueError, KeyError) as error:  # transformers before 4.43 refuses a rope_scaling of llama3 here
        return [one_line(error, 200)]
    find = functools.partial(getattr, taken)
    return wanted.differences(facts_of(find, knows_parameters=version_of(transformers) >= (5,)))


def _link_files(folder: str, other: str) -> None:
    for name in os.listdir(folder):
        source = os.path.abspath(os.path.join(folder, name))
        if name == "config.json" or not os.path.isfile(source):
            continue
        target = os.path.join(other, name)
        try:
            os.symlink(source, target)
        except OSError:  # Windows without the right to; a hard link needs none, within one drive
            try:
                os.link(source, target)
            except OSError as error:
                raise PeerError(
                    "wrong_version",
                    f"this transformers misreads {os.path.join(folder, 'config.json')}, and a translated folder cannot be linked "
                    f"({one_line(error, 100)}): write rope_theta and rope_scaling into the config, or turn on Windows' developer mode",
                ) from None


def _quotient(hidden, heads) -> int | None:
    return hidden // heads if hidden and heads else None


def _shown(value) -> str:
    if isinstance(value, tuple):
        return " ".join(f"{part:g}" if isinstance(part, float) else str(part) for part in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
