"""The HTTP interfaces: Ollama's and OpenAI's."""
