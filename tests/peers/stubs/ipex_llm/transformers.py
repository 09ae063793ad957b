"""Stand-in for ipex_llm.transformers: its models make their own caches."""

from transformers import AutoModelForCausalLM as Plain


class AutoModelForCausalLM:
    @staticmethod
    def from_pretrained(folder, **arguments):
        return Plain.from_pretrained(folder, **arguments)
