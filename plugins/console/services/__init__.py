"""How the console works: sessions, reading by the API, writing by forms, and putting pages together."""
