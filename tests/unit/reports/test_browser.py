"""The page in a real browser, Debian's chromium, by the plain WebDriver protocol of chromium-driver.

It sorts, filters, asks for nothing outside itself, logs no error, never scrolls sideways, and axe-core finds no serious
violation. axe-core is no part of this project: `AXE=FILE` names its `axe.min.js` (npm package axe-core); else that part
is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bench.evaluation.zero_shot import ZeroShot
from bench.flow import Settings, run_cells
from bench.run_folder import RunFolder
from reports import comparison_page, folder, page
from reports.compare import compare
from tests.contract.test_audits import cheap, toys
from tests.toys import ToyEncoder, toy_card
from tests.unit.reports.made import HOSTILE, TWELVE, Broken, Maker, Toy

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromium-driver"),
]
FLAGS = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
         "disable-component-update", "disable-sync", "hide-scrollbars")  # fmt: skip


@dataclass
class Browser:
    """A session of chromedriver."""

    base: str
    session: str = ""

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(
            f"{self.base}{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["value"]

    def start(self) -> None:
        options = {"binary": CHROMIUM, "args": [f"--{flag}" for flag in FLAGS]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options,
                  "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}  # fmt: skip
        self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def __call__(self, command: str, **body: Any) -> Any:
        return self.call("POST", f"/session/{self.session}/{command}", body)

    def script(self, code: str, *arguments: Any) -> Any:
        return self("execute/sync", script=code, args=list(arguments))

    def open(self, path: Path, *, width: int = 1280, dark: bool = False) -> None:
        self("goog/cdp/execute", cmd="Emulation.setDeviceMetricsOverride",
             params={"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})  # fmt: skip
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self("goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"features": scheme})
        self("url", url=path.as_uri())

    def logs(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self("se/log", type=kind)
        return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    import socket
    import time

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        [str(DRIVER), f"--port={port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as driver:
        one = Browser(f"http://127.0.0.1:{port}")
        try:
            for _ in range(100):
                try:
                    one.start()
                    break
                except urllib.error.URLError:
                    time.sleep(0.1)
            yield one
            one.call("DELETE", f"/session/{one.session}")
        finally:
            driver.terminate()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    base = tmp_path_factory.mktemp("pages")
    run = Maker(base / "run").save(
        TWELVE[1], TWELVE[3], TWELVE[5], Toy("weak", n=60, accuracy=0.1), Broken("pets", "no folder")
    )
    hostile = Maker(base / "hostile", model=HOSTILE[0]).save(
        Toy("x", HOSTILE, 80, 0.4, notes=HOSTILE[5]), Broken("y", HOSTILE[1])
    )
    for seed, model in enumerate(("small", "large")):
        for task in TWELVE[1:3]:
            Maker(base / "sweep" / f"{model}-{task.name}", model=model, seed=seed, parameters=10 ** (7 + seed)).save(
                task
            )
    audited = RunFolder(base / "audited", provenance={"run": "r", "model": toy_card().as_dict()})
    audits = [cheap(name) for name in ("robustness", "bias")]
    run_cells(ToyEncoder(), [toys((HOSTILE[0], HOSTILE[1]))], [ZeroShot()], audits=audits, folder=audited,
              settings=Settings(run="r"))  # fmt: skip
    found = compare([("sweep", folder.read_all([base / "sweep"]))])
    made = {"run": run, "hostile": hostile, "sweep": base / "sweep", "audited": base / "audited"}
    return {name: page.write(place) for name, place in made.items()} | {
        "compare": comparison_page.write(found, base / "compare")
    }


NAMES = ("run", "hostile", "sweep", "audited", "compare")


@pytest.mark.parametrize("name", NAMES)
def test_no_error_no_request_no_sideways_scroll(browser: Browser, pages: dict[str, Path], name: str) -> None:
    browser.logs("performance"), browser.logs("browser")
    for width in (1280, 390):
        browser.open(pages[name], width=width)
        assert browser.script("return document.documentElement.scrollWidth") <= width
    assert [line["message"] for line in browser.logs("browser")] == []
    events = [json.loads(line["message"])["message"] for line in browser.logs("performance")]
    asked = [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert {url for url in asked if url.startswith("file")} == {pages[name].as_uri()}


def column(browser: Browser, place: int) -> list[str]:
    code = ("return [...document.querySelector('#results').tBodies[0].rows].filter(row => !row.hidden)"
            ".map(row => row.cells[arguments[0]].textContent.trim())")  # fmt: skip
    found: list[str] = browser.script(code, place)
    return found


def test_sorting_by_value_and_name(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["run"])
    press = "document.querySelectorAll('#results thead th')[arguments[0]].querySelector('button').click()"
    sort = "return document.querySelectorAll('#results thead th')[arguments[0]].getAttribute('aria-sort')"
    before = column(browser, 0)
    browser.script(press, 3)
    values = [float(text.partition("%")[0]) for text in column(browser, 3)[:-1]]
    assert values == sorted(values, reverse=True)
    assert column(browser, 0)[-1] == "pets", "a failed task stays at the end"
    assert browser.script(sort, 3) == "descending"
    browser.script(press, 3)
    assert [float(text.partition("%")[0]) for text in column(browser, 3)[:-1]] == values[::-1]
    assert column(browser, 0)[-1] == "pets"
    browser.script(press, 0)
    assert column(browser, 0) == sorted(before)
    assert browser.script(sort, 3) == "none"


def test_filter_by_words_and_verdict(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["run"])
    kind = ("const e = document.querySelector(arguments[0]); e.value = arguments[1];"
            "e.dispatchEvent(new Event(e.tagName === 'INPUT' ? 'input' : 'change'))")  # fmt: skip
    said = "return document.querySelector('.tools output').textContent"
    browser.script(kind, ".tools input", "FAS")
    assert column(browser, 0) == ["fashion"]
    assert browser.script(said) == "1 of 5"
    browser.script(kind, ".tools input", "")
    browser.script(kind, ".tools select", "failed")
    assert column(browser, 0) == ["pets"]
    browser.script(kind, ".tools select", "")
    assert len(column(browser, 0)) == 5


def test_keyboard_reaches_the_sort_buttons(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["run"])
    focusable = ("return [...document.querySelectorAll('#results thead button')]"
                 ".every(b => { b.focus(); return document.activeElement === b })")  # fmt: skip
    assert browser.script(focusable)


def test_hostile_names_run_nothing(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile"])
    assert browser.script("return document.scripts.length") == 1
    assert browser.script("return [...document.images].every(i => i.src.startsWith('data:image/jpeg'))")
    assert browser.script("return getComputedStyle(document.body).display") != "none"
    assert HOSTILE[0] in browser.script("return document.querySelector('h1').textContent")


def test_a_link_to_a_folded_section_opens_it(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["run"])
    code = ("const d = document.querySelector('details.cell'); d.open = false; location.hash = d.id;"
            "return new Promise(done => setTimeout(() => done(d.open), 100))")  # fmt: skip
    assert browser.script(code)


@pytest.mark.skipif(not os.environ.get("AXE"), reason="AXE=FILE names axe.min.js")
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_serious(browser: Browser, pages: dict[str, Path], name: str, dark: bool) -> None:
    browser.open(pages[name], dark=dark)
    browser("goog/cdp/execute", cmd="Runtime.evaluate", params={"expression": Path(os.environ["AXE"]).read_text()})
    found = browser.script(
        "return axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})"
    )
    serious = [(v["id"], v["nodes"][0]["html"][:200], v["nodes"][0]["failureSummary"]) for v in found["violations"]
               if v["impact"] in ("serious", "critical")]  # fmt: skip
    assert serious == []
