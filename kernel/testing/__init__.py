"""What plugin authors build their tests on: throw-away databases, a deployment in a box, a client, conformance."""
