"""Both kinds of terminals have what the model asks of them."""
import inspect

from econduit_terminal.sandbox.fleet.behaviour import Behaviour
from econduit_terminal.sandbox.fleet.peers import Peer
from econduit_terminal.sandbox.fleet.product import Product


def test_each_kind_has_every_decision_with_the_same_arguments():
    asked = {name: inspect.signature(function) for name, function in inspect.getmembers(Behaviour, inspect.isfunction)
             if not name.startswith("_")}
    assert len(asked) == 10
    for kind in (Product, Peer):
        assert {name: inspect.signature(getattr(kind, name)) for name in asked} == asked
