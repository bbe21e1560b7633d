"""The plugins that ship with Duka, one package each."""
