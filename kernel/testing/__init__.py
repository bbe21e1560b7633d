"""What plugin authors build their tests on: throw-away databases, a deployment in a box, an API client, builders, conformance."""
