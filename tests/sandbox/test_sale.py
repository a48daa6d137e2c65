"""econduit-sandbox sale."""
import json
import subprocess
import sys


def test_sale_prints_the_answer(cloud, dial):
    terminal = dial(cloud.primary).online("T1")
    for code, status in (("Approved", 0), ("Declined", 1)):
        sale = subprocess.Popen([sys.executable, "-m", "econduit_terminal.sandbox", "sale", "--http", cloud.url,
                                 "--terminal", "T1", "--amount", "2.50"], stdout=subprocess.PIPE, text=True)
        request = terminal.request()
        terminal.send(json.dumps({"ResultCode": code, "RefID": request["RefID"]}).encode())
        assert json.loads(sale.communicate(timeout=20)[0])["ResultCode"] == code
        assert sale.returncode == status


def test_sale_says_that_the_cloud_is_not_there(cloud):
    url = cloud.url
    cloud.stop()
    result = subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox", "sale", "--http", url, "--terminal",
                             "T1"], capture_output=True, text=True, timeout=20)
    assert result.returncode == 3 and "does not answer" in result.stderr and "Traceback" not in result.stderr


def test_sale_passes_a_mistake_on(cloud):
    result = subprocess.run([sys.executable, "-m", "econduit_terminal.sandbox", "sale", "--http", cloud.url,
                             "--terminal", "T1", "--amount", "much"], capture_output=True, text=True, timeout=20)
    assert result.returncode == 2 and "decimal point" in result.stderr
