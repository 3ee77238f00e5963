"""The wheel: both packages, typed, the entry points, and nothing of the tests."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("dist")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "-o",
        str(out),
        str(ROOT),
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_both_typed_packages_and_no_tests(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"sayna_client", "sayna_testing", "sayna_client-0.1.0.dist-info"}
    assert {"sayna_client/py.typed", "sayna_testing/py.typed"} <= set(names)


def test_the_wheel_declares_what_product_md_promises(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read("sayna_client-0.1.0.dist-info/METADATA").decode()
    needs = [
        line.split(": ", 1)[1] for line in metadata.splitlines() if line.startswith("Requires-")
    ]
    plain = sorted(need for need in needs if "extra ==" not in need)
    assert plain == [">=3.11", "aiohttp>=3.11", "pydantic>=2.7"]
    extras = {line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Provides-")}
    assert extras == {"testing", "media"}


def test_the_wheel_registers_the_plugin_and_the_command(wheel: zipfile.ZipFile) -> None:
    entry_points = wheel.read("sayna_client-0.1.0.dist-info/entry_points.txt").decode()
    assert entry_points.split("\n\n") == [
        "[console_scripts]\nsayna-testing = sayna_testing.cli:main",
        "[pytest11]\nsayna = sayna_testing.plugin\n",
    ]
