"""The commands: parse, call, say."""
