"""Wheel and sdist: both packages, typed, the entry points, and what each is to hold."""

from __future__ import annotations

import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
INFO = "sayna_client-0.1.0.dist-info"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist, and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "-o", str(out), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return out


@pytest.fixture(scope="module")
def wheel(built: Path) -> Iterator[zipfile.ZipFile]:
    (path,) = built.glob("*.whl")
    with zipfile.ZipFile(path) as wheel:
        yield wheel


def test_the_wheel_holds_both_typed_packages_and_no_tests(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"sayna_client", "sayna_testing", INFO}
    assert {"sayna_client/py.typed", "sayna_testing/py.typed"} <= set(names)
    assert [name for name in names if Path(name).name.startswith(("test_", "conftest"))] == []


def test_the_wheel_holds_the_demo_and_its_agent(wheel: zipfile.ZipFile) -> None:
    demo = [name for name in wheel.namelist() if name.startswith("sayna_testing/_demo/")]
    assert {name.removeprefix("sayna_testing/_demo/") for name in demo} == {
        "booking.sayna.toml",
        *(f"booking_agent/{name}.py" for name in ("__init__", "agent", "dialogue")),
    }


def test_the_wheel_declares_what_product_md_promises(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"{INFO}/METADATA").decode()
    needs = [
        line.split(": ", 1)[1] for line in metadata.splitlines() if line.startswith("Requires-")
    ]
    plain = sorted(need for need in needs if "extra ==" not in need)
    assert plain == [">=3.11", "aiohttp>=3.11.1", "pydantic>=2.11.4"]
    extras = {line.split(": ")[1] for line in metadata.splitlines() if line.startswith("Provides-")}
    assert extras == {"testing", "media"}


def test_the_wheel_registers_the_plugin_and_the_command(wheel: zipfile.ZipFile) -> None:
    entry_points = wheel.read(f"{INFO}/entry_points.txt").decode()
    assert entry_points.split("\n\n") == [
        "[console_scripts]\nsayna-testing = sayna_testing.cli:main",
        "[pytest11]\nsayna = sayna_testing.plugin\n",
    ]


def test_the_page_of_the_package_index_needs_no_checkout(wheel: zipfile.ZipFile) -> None:
    metadata = wheel.read(f"{INFO}/METADATA").decode()
    assert "Description-Content-Type: text/markdown" in metadata
    page = metadata.partition("\n\n")[2]
    assert "# sayna-client" in page
    assert "docs/assets" not in page
    assert page.count("](") == page.count("](https://") > 0


def test_the_sdist_holds_what_the_tests_and_the_documentation_need(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    for needed in (
        *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "llms.txt"),
        *("pyproject.toml", "hatch_build.py", "zensical.toml", "requirements/dev.txt"),
        *("docs/tutorial.md", "docs/assets/call.svg", "docs/generate.py"),
        *("fixtures/frames/client.json", "tests/test_packaging.py", "sayna_client/py.typed"),
    ):
        assert needed in names, needed
    assert [name for name in names if name.startswith((".venv", "site/", "docs/reference"))] == []


EXTRA = ("faker", "freezegun", "jinja2", "jwt", "numpy", "pytest_asyncio", "rich", "click")


def test_the_plugin_is_harmless_without_the_extra(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text("def test_plain(): import sayna_client, sayna_testing")
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({EXTRA!r})); import pytest;"
        "sys.exit(pytest.main(['-q', '-W', 'error', '-p', 'sayna_testing.plugin',"
        " '-c', '/dev/null', '--rootdir', '.', 'test_plain.py']))"
    )
    command = [sys.executable, "-c", code]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command,
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "1 passed" in run.stdout
