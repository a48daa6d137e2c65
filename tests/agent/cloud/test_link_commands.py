from econduit_terminal.agent.cloud.link_commands import LinkCommands


def test_a_new_dial_is_the_end_of_what_was_wanted_of_the_connection_before_but_a_stop_stays():
    commands = LinkCommands(stop=True, dial=True, verify=True, abort="cable unplugged", leave="maintenance")
    commands.begin()
    assert commands == LinkCommands(stop=True, wakeup=commands.wakeup)


def test_each_has_a_bell_of_its_own():
    one, other = LinkCommands(), LinkCommands()
    one.wakeup.set()
    assert not other.wakeup.is_set()
