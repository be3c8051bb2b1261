"""Styles and scripts of Data Docs, and how a page comes to use them: no page may need a network.

The files beside this one are the originals of `LICENSES.md`. Building pages belongs to `resources.gx_pages`.
"""

import re
from functools import partial
from pathlib import Path

from ml_assets.files import write_atomically

_HERE = Path(__file__).parent

_LOCAL_NAMES = {
    "all.min.css": "icons.css",  # Font Awesome
    "bootstrap-table-filter-control.css": "bootstrap-table-filter-control.min.css",
    "bootstrap.min.js": "bootstrap.bundle.min.js",  # brings Popper along
}
"""Files that Great Expectations' pages load under another name than ours."""

_EXTERNAL_TAG = re.compile(
    r'<script[^>]*\ssrc="https?://(?P<js>[^"]*)"[^>]*></script>|<link[^>]*\shref="https?://(?P<css>[^"]*)"[^>]*>'
)


def share_assets(shared: Path) -> None:
    """Bring the folder that all pages share up to date: our files, and GX's logo and icon from its package."""
    import great_expectations.render.view

    images = Path(great_expectations.render.view.__file__).parent / "static" / "images"
    ours = (path for path in _HERE.iterdir() if path.suffix in {".css", ".js", ".md"})
    for source in (*ours, images / "logo-long.png", images / "favicon.ico"):
        target = shared / source.name
        if not target.is_file() or target.stat().st_size != source.stat().st_size:
            write_atomically(target, partial(_copy, source))


def offline(text: str, static: str) -> str:
    """A page that loads what it needs from `static`, and nothing from elsewhere. Twice is harmless.

    What we have no file for (charts, date picker, dark theme) is left out: no page of ours uses it.

    Args:
        text: An HTML page as Great Expectations renders it.
        static: The shared folder, relative to the page's own, e.g. `../../_static`.
    """

    def local(tag: re.Match[str]) -> str:
        name = re.sub(r"-\d[\d.]*(?=\.min\.)", "", (tag["js"] or tag["css"]).split("?")[0].rsplit("/", 1)[-1])
        name = _LOCAL_NAMES.get(name, name)
        if not (_HERE / name).is_file():
            return ""
        if tag["js"]:
            return f'<script src="{static}/{name}"></script>'
        return f'<link rel="stylesheet" href="{static}/{name}">'

    text = _EXTERNAL_TAG.sub(local, text)
    text = re.sub(r'(?<=src=")https?://[^"]*/logo-long\.png[^"]*', f"{static}/logo-long.png", text)
    text = re.sub(r'(?<=href=")[^"]*favicon\.ico', f"{static}/favicon.ico", text)
    # Half a dark theme, light text on white, would be worse than none.
    text = text.replace("@media (prefers-color-scheme: dark)", "@media not all")
    text = re.sub(r"url\('https?://[^']*'\)", "none", text)
    text = text.replace("'filterControl': 'datepicker'", "'filterControl': 'input'")
    text = re.sub(r"<footer>\s*<p>Stay current.*?</footer>", "", text, flags=re.DOTALL)
    # GX leaves the name of a data frame's asset out of the record that this line is read from.
    return text.replace("Data asset: None<br>", "")


def _copy(source: Path, to: Path) -> None:
    to.write_bytes(source.read_bytes())
