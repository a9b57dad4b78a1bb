"""Serves chat and embedding models with Ollama's and OpenAI's HTTP interfaces."""
