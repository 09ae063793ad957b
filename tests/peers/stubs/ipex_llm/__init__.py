"""Stand-in for ipex_llm."""

__version__ = "2.2.0"
