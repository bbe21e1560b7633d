"""The kit for developers of plugins: a new plugin, an environment for it, a check of what is to be published."""
