"""The reference is complete, and every link of a page leads somewhere."""

import re
import runpy
from pathlib import Path

import pytest

import sayna_client
import sayna_testing
from sayna_testing import scenarios, scripts
from sayna_testing.server.settings import ServerSettings

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GENERATE = runpy.run_path(str(DOCS / "generate.py"))
PAGES: dict[str, str] = GENERATE["pages"]()
WRITTEN = [*DOCS.glob("*.md"), *DOCS.glob("guides/*.md"), ROOT / "llms.txt"]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def test_the_reference_has_every_name_setting_and_key() -> None:
    for module, page in ((sayna_client, "sdk.md"), (sayna_testing, "testing.md")):
        assert all(f"::: {module.__name__}.{name}\n" in PAGES[page] for name in module.__all__)
    assert all(f"| `{name}` |" in PAGES["settings.md"] for name in ServerSettings.__slots__)
    turn = scripts.schema()["$defs"]["Turn"]["properties"]
    assert all(f"| `{key}` |" in PAGES["scripts.md"] for key in turn)


def test_the_guide_has_every_scenario_as_the_code_tells_it() -> None:
    guide = (DOCS / "guides/scripts.md").read_text(encoding="utf-8")
    assert guide == GENERATE["guide"](), "run docs/generate.py"
    for scenario in (*scenarios.calls(), *scenarios.sessions()):
        assert f"| `{scenario.name}` | {scenario.caller} | {scenario.shows} |" in guide


def test_no_secret_of_the_settings_is_printed() -> None:
    assert "fake-" not in PAGES["settings.md"]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: path.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not _is_there(page.parent / target)] == []


def test_every_entry_of_the_navigation_leads_somewhere() -> None:
    site = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    entries = re.findall(r'= "([\w/-]+\.md)"', site)
    assert len(entries) > 15
    assert [entry for entry in entries if not _is_there(DOCS / entry)] == []


def test_every_page_is_in_the_navigation_and_in_the_index_for_programs() -> None:
    site = (ROOT / "zensical.toml").read_text(encoding="utf-8")
    index = (ROOT / "llms.txt").read_text(encoding="utf-8")
    for page in WRITTEN[:-1]:
        name = str(page.relative_to(DOCS))
        assert f'"{name}"' in site
        assert name == "index.md" or f"(docs/{name})" in index


def _is_there(target: Path) -> bool:
    """Pages of the reference are written when the site is built."""
    return target.name in PAGES if target.parent.name == "reference" else target.exists()
