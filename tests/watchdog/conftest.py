import pytest
from fake_agent import FakeAgent


@pytest.fixture
def agent(tmp_path):
    """A fake agent that serves `tmp_path/agent.sock` from within the test."""
    agent = FakeAgent(tmp_path / "agent.sock")
    yield agent
    agent.close()
