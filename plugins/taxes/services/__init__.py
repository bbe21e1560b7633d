"""The use cases of taxes: region packs, classes and their rates, how lines are treated."""
