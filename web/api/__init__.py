"""The platform API: JSON for programs, and OpenAI's dialect of it."""
