"""Maps the top-level folders into one namespace, `econduit_terminal`.

Bare packages named `agent` and `watchdog` would overwrite those of other projects on the same machine.
"""
import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
NAMESPACE = "econduit_terminal"
FOLDERS = ("agent", "watchdog", "conf", "contract", "process", "sandbox")

packages, package_dir = [], {}
for folder in FOLDERS:
    package_dir[f"{NAMESPACE}.{folder}"] = folder
    packages.append(f"{NAMESPACE}.{folder}")
    packages += [f"{NAMESPACE}.{folder}.{name}" for name in find_packages(str(HERE / folder))]

setup(
    version=re.search(r'VERSION = "(.+)"', (HERE / "conf" / "version.py").read_text())[1],
    packages=packages,
    package_dir=package_dir,
    package_data={
        f"{NAMESPACE}.conf": ["*.ini", "supervisor.conf"],
        f"{NAMESPACE}.agent.api": ["display/*"],
        f"{NAMESPACE}.sandbox.desk": ["page.html"],
        f"{NAMESPACE}.sandbox.certify": ["templates/*"],
        f"{NAMESPACE}.sandbox.fleet": ["templates/*"],
        f"{NAMESPACE}.sandbox.certify.report": ["result.schema.json"],
    },
)
