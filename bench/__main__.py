"""Run every bench, or those named: `python -m bench checkout looking_up`."""

import sys

from bench import checkout, looking_up

ALL = {"checkout": checkout.main, "looking_up": looking_up.main}

for name in sys.argv[1:] or ALL:
    ALL[name]()
