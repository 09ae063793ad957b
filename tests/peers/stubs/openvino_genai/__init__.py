"""Stand-in for openvino_genai: token i after a prompt is arithmetic, and EOS would win every fifth time if it were not masked.

Like the real one it keeps prefixes unless a SchedulerConfig or ATTENTION_BACKEND says otherwise: the second answer to a prompt is other then.
"""

import json
import os

__version__ = "2026.4.1.0"
VOCAB = 64


def log(**entry):
    with open(os.environ["STUB_LOG"], "a", encoding="utf-8") as file:
        file.write(json.dumps(entry, default=str) + "\n")


class SchedulerConfig:
    enable_prefix_caching = True
    max_num_batched_tokens = 256


class GenerationConfig:
    min_new_tokens = 0
    eos_token_id = -1
    stop_token_ids = set()
    apply_chat_template = True


class StreamingStatus:
    RUNNING = "running"


class StreamerBase:
    pass


class Ids:
    def __init__(self, ids):
        self.input_ids, self.data = self, self
        self._ids = ids

    def reshape(self, _):
        return self._ids


class Tokenizer:
    def encode(self, text, add_special_tokens):
        assert not add_special_tokens
        return Ids([byte % VOCAB for byte in text.encode("utf-8")])

    def get_bos_token_id(self):
        return 60


class LLMPipeline:
    def __init__(self, path, device, scheduler_config=None, **settings):
        log(pipeline=[path, device], settings=settings, batched=getattr(scheduler_config, "max_num_batched_tokens", None))
        self._keeps = settings["ATTENTION_BACKEND"] == "PA" and getattr(scheduler_config, "enable_prefix_caching", True)
        self._seen = set()
        if settings.get("enable_save_ov_model"):
            with open(os.path.join(os.path.dirname(path), "openvino_model.xml"), "wb"):
                pass

    def get_tokenizer(self):
        return Tokenizer()

    def generate(self, inputs, config, streamer):
        assert not config.apply_chat_template
        (prompt,) = inputs.data
        ids = list(prompt)
        shift = 1 if self._keeps and tuple(prompt) in self._seen else 0
        self._seen.add(tuple(prompt))
        eos = config.stop_token_ids
        for i in range(config.max_new_tokens):
            position = len(ids) - 1
            token = (3 * ids[-1] + position + shift) % (VOCAB - 1)
            if position % 5 == 4 and eos and i >= config.min_new_tokens:
                token = config.eos_token_id
            ids.append(token)
            assert streamer.write(token if i % 2 else [token]) == StreamingStatus.RUNNING
            if token in eos:
                break
        streamer.end()
