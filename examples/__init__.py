"""Programs that use Duka from outside, as a client would."""
