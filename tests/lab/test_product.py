"""Agent and watchdog together, as a merchant's network treats them: every trouble is named, and undone at once."""
import time

from lab_terminal import start_cloud
from waiting import until

from econduit_terminal.sandbox.lab.netlab import CLOUD

ETH, ETH1 = "10.77.1.2", "10.77.2.2"
AT_ONCE = 0.5       # after the kernel's word of a link or an address; benchmarks measure, tests find faults
SILENT = 9.0        # a loss that nothing tells of: 4.3 s, and room for a busy machine
BACK = 6.0          # a silent line that works again: half a second, and the same room


def lost(terminal, trouble, reason, within=AT_ONCE):
    """Trouble, and the display says so, with the reason."""
    began = time.monotonic()
    trouble()
    at, _ = terminal.offline(after=began)
    assert at - terminal.rung(began) < within
    terminal.until(lambda status: not status["online"] and status["reason"] == reason, after=began)


def settled(terminal, after):
    """Both know that it is online, and nothing is on its way: what nobody acknowledged, the kernel sends again, also
    after the agent froze the connection."""
    terminal.verdict("online", after=after)
    until(lambda: all(line.split()[1] == "0" for line in terminal.lab.terminal.run("ss", "-Htn", "state", "established")
                      .stdout.splitlines()), "everything is acknowledged")


def test_cable_out_and_in(lab, product):
    cloud = start_cloud(lab)
    terminal = product(lab)
    began = 0.0
    for away in (0.0, 0.7, 1.5, 6.0):
        settled(terminal, began)
        lost(terminal, lab.cable_out, "cable unplugged")
        assert terminal.statuses[-1][1]["display"] == "POS Offline"
        # A probe of the kernel's keepalive may fall between the cable's end and the moment when the agent hears of it.
        lab.terminal.run("ip", "neigh", "flush", "dev", "eth0")
        time.sleep(away)
        assert "10.77.1.1" not in lab.terminal.run("ip", "neigh").stdout, "nobody asks for the gateway meanwhile"
        began = time.monotonic()
        lab.cable_in()
        at, status = terminal.online(after=began)
        assert at - terminal.rung(began) < AT_ONCE, terminal.agent.text
    assert status["disconnects"] == {"cable unplugged": 4}
    assert cloud.running()


def test_a_flapping_cable(lab, product):
    start_cloud(lab)
    terminal = product(lab)
    for _ in range(20):
        lab.cable_out()
        lab.cable_in()
    began = time.monotonic()
    lab.cable_out()
    terminal.offline(after=began)
    began = time.monotonic()
    lab.cable_in()
    terminal.online(after=began)


def test_silent_loss_of_the_internet_and_its_return(lab, product):
    start_cloud(lab)
    terminal = product(lab)
    began = time.monotonic()
    lab.router.drop()
    at, _ = terminal.offline(after=began)
    assert at - began < SILENT
    terminal.verdict("no internet", after=began)
    began = time.monotonic()
    lab.router.allow()
    at, _ = terminal.online(after=began)
    assert at - began < BACK
    terminal.verdict("online", after=began)


def test_a_line_that_fails_again_and_again_is_not_the_cloud_s_fault(lab, product):
    """Losses of the path do not add to the waits for a cloud in trouble: the sixth return is as quick as the first."""
    start_cloud(lab)
    terminal = product(lab)
    for _ in range(6):
        lab.router.drop()
        terminal.offline(after=time.monotonic())
        began = time.monotonic()
        lab.router.allow()
        at, _ = terminal.online(after=began)
        assert at - began < BACK, terminal.agent.text
    assert "failures in a row: 0" in terminal.agent.text and "failures in a row: 1" not in terminal.agent.text


def test_router_off_and_on_behind_a_switch(lab, product):
    start_cloud(lab)
    terminal = product(lab)
    began = time.monotonic()
    lab.router.die()
    terminal.offline(after=began)
    terminal.verdict("gateway silent", after=began)
    began = time.monotonic()
    lab.router.revive()
    terminal.online(after=began)


def test_router_reboot_takes_the_address_and_gives_it_back(lab, product):
    start_cloud(lab)
    terminal = product(lab)
    lost(terminal, lab.cable_out, "cable unplugged")
    lab.take_address()
    began = time.monotonic()
    lab.cable_in()
    terminal.verdict("no address", after=began)
    began = time.monotonic()
    lab.set_address(f"{ETH}/24", "10.77.1.1")
    done = time.monotonic()
    at, _ = terminal.online(after=began)
    assert at - done < AT_ONCE


def test_another_address_from_dhcp(lab, product):
    start_cloud(lab)
    terminal = product(lab)
    began = time.monotonic()
    lab.set_address("10.77.1.9/24", "10.77.1.1")
    done = time.monotonic()
    terminal.offline(after=began)
    at, status = terminal.until(lambda status: status["online"] and status["local_address"] == "10.77.1.9", after=began)
    assert at - done < AT_ONCE
    assert status["disconnects"] == {"no address": 1}


def test_dns_dead_while_addresses_work(lab, product):
    """The last address that worked is dialed beside the lookup; at boot there is none, and the reason is named."""
    start_cloud(lab)
    server = lab.name_server(cloud__test=CLOUD)
    terminal = product(lab, primary="cloud.test", secondary="cloud.test")
    lab.router.block_dns()
    server.end()
    began = time.monotonic()
    terminal.client.reconnect("DNS is dead now")
    terminal.offline(after=began)
    at, _ = terminal.online(after=began)
    assert at - began < AT_ONCE


def test_boot_without_dns(lab, product):
    start_cloud(lab)
    terminal = product(lab, online=False, primary="cloud.test", secondary="cloud.test")
    terminal.verdict("no DNS")
    lab.name_server(cloud__test=CLOUD)
    terminal.online(timeout=15)


def test_one_endpoint_s_port_blocked(lab, product):
    start_cloud(lab)
    lab.router.block_port(80)
    terminal = product(lab)
    assert terminal.statuses[-1][1]["endpoint"] == f"{CLOUD}:9001"


def test_a_blocked_port_is_told_beside_the_refusal_by_the_other(lab, product):
    """What keeps the terminal offline is the reason; an open port would change nothing."""
    start_cloud(lab, "--terminal-type", "AnotherMaker")
    lab.router.block_port(80)
    terminal = product(lab, online=False)
    refused = "registration refused: FAILED-INVALID-TERMINAL-TYPE"
    terminal.until(lambda status: status["reason"] == status["network"].get("verdict") == refused
                   and f"{CLOUD}:80: silent" in status["network"]["detail"])


def test_both_uplinks_and_the_cable_of_one_fails(lab2, product):
    start_cloud(lab2)
    terminal = product(lab2)
    assert terminal.statuses[-1][1]["interface"] == "eth0"
    began = time.monotonic()
    lab2.cable_out()
    at, _ = terminal.until(lambda status: status["online"] and status["interface"] == "eth1", after=began)
    assert at - terminal.rung(began) < AT_ONCE
    began = time.monotonic()
    lab2.cable_in()
    terminal.until(lambda status: status["network"]["bind"] is None, after=began)
    assert terminal.statuses[-1][1]["local_address"] == ETH1, "a connection that works is not left for a better one"
    assert not [status for at, status in terminal.statuses if at > began and not status["online"]]


def test_both_uplinks_and_the_line_of_one_fails(lab2, product):
    start_cloud(lab2)
    terminal = product(lab2)
    began = time.monotonic()
    lab2.router.drop()
    terminal.offline(after=began)
    terminal.until(lambda status: status["online"] and status["interface"] == "eth1", after=began)


def test_the_other_uplink_s_cable_does_not_matter(lab2, product):
    start_cloud(lab2)
    terminal = product(lab2)
    began = time.monotonic()
    lab2.cable_out("eth1")
    terminal.until(lambda status: status["network"]["lost"] == {ETH1: "cable unplugged"}, after=began)
    began = time.monotonic()
    lab2.cable_in("eth1")
    terminal.until(lambda status: status["network"]["lost"] == {}, after=began)
    assert not [status for at, status in terminal.statuses if at > began and not status["online"]]


def test_cloud_down_while_the_internet_is_up(lab, product):
    cloud = start_cloud(lab)
    terminal = product(lab)
    began = time.monotonic()
    cloud.signal(9)
    terminal.offline(after=began)
    _, status = terminal.verdict("cloud not answering", after=began)
    assert status["network"]["path"] == "works"
    began = time.monotonic()
    start_cloud(lab)
    terminal.online(timeout=35, after=began)


def test_boot_without_any_network(lab, product):
    start_cloud(lab)
    lab.cable_out()
    lab.take_address()
    terminal = product(lab, online=False)
    terminal.verdict("cable unplugged")
    lab.cable_in()
    terminal.verdict("no address")
    lab.set_address(f"{ETH}/24", "10.77.1.1")
    terminal.online()
    assert terminal.agent.running() and terminal.watchdog.running()


def test_an_interface_that_goes_and_comes(lab, product):
    start_cloud(lab)
    terminal = product(lab)
    lost(terminal, lambda: lab.router.ip("link delete lan"), "cable unplugged")
    began = time.monotonic()
    lab.plug_new_interface()
    at, _ = terminal.online(after=began)
    assert at - terminal.rung(began) < AT_ONCE + 1, "the carrier's event may be one second behind the interface's"


def test_each_works_on_without_the_other(lab, product):
    start_cloud(lab)
    terminal = product(lab)
    terminal.watchdog.signal(9)
    terminal.watchdog.wait()
    began = time.monotonic()
    lab.cable_out()
    at, _ = terminal.offline(after=began)
    assert at - began < SILENT, "keepalive finds what the watchdog would have told"
    terminal.watchdog = terminal.run("watchdog")
    terminal.verdict("cable unplugged", after=began)
    began = time.monotonic()
    lab.cable_in()
    terminal.online(after=began)
    terminal.agent.signal(9)
    terminal.agent.wait()
    lab.cable_out()
    began = time.monotonic()
    terminal.agent = terminal.run("agent")
    terminal.verdict("cable unplugged", after=began)
    began = time.monotonic()
    lab.cable_in()
    terminal.online(after=began)


def test_a_stopped_agent_is_ended_and_a_missing_network_ends_nobody(lab, product):
    start_cloud(lab)
    terminal = product(lab, more="health_interval = 200ms\nhealth_timeout = 1s\n")
    lost(terminal, lab.cable_out, "cable unplugged")
    time.sleep(7)           # 35 health checks without a link, as many without an address, as many without a router
    lab.take_address()
    lab.cable_in()
    time.sleep(7)
    lab.router.die()
    lab.set_address(f"{ETH}/24", "10.77.1.1")
    time.sleep(7)
    assert terminal.agent.running() and terminal.watchdog.running()
    assert "it is killed" not in terminal.watchdog.text
    terminal.agent.signal(19)
    assert terminal.agent.wait(10) == -9
    assert "Current thread" in terminal.agent.text, "its stacks are in its log"
    terminal.watchdog.line("missed health check 3 of 3")
