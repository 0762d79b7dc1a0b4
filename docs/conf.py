"""How Sphinx builds these pages: `make docs`, without network."""

import re
from hashlib import sha256
from pathlib import Path

import mermaidx
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from distribute_lab import __version__

HERE = Path(__file__).parent

for page in (HERE / "api" / "generated").glob("*.rst"):  # autosummary keeps the pages of modules that are gone
    module = HERE.parent / page.stem.replace(".", "/")
    if not (module.is_dir() or module.with_suffix(".py").exists()):
        page.unlink()

project = "distribute-lab"
author = "The distribute-lab authors"
release = version = __version__
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_templates"]
templates_path = ["_templates"]

myst_enable_extensions = ["deflist", "fieldlist"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
suppress_warnings = ["ref.python"]  # each package has an InputError of its own
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100

html_theme = "furo"
html_title = "distribute-lab"
html_static_path = ["_static"]
html_css_files = ["page.css"]
html_show_copyright = False
html_show_sphinx = False
html_copy_source = False


class Mermaid(SphinxDirective):
    """A picture in Mermaid's notation, drawn when the page is built and kept beside the doctrees."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        source = "\n".join(self.content)
        if self.env.app.builder.format != "html":
            return [nodes.literal_block(source, source)]
        name = "diagram-" + sha256(source.encode()).hexdigest()[:16]
        kept = Path(self.env.app.doctreedir) / f"{name}.svg"
        if not kept.exists():
            drawn = mermaidx.render(source, config={"flowchart": {"nodeSpacing": 120}})  # labels side by side
            kept.write_text(drawn.svg().replace("my-svg", name))
        width = re.search(r"max-width: ([\d.]+)px", kept.read_text())
        assert width
        # No narrower than its letters can be read; what is wider than the screen is scrolled.
        style = f"width: max(min(100%, {width[1]}px), {0.7 * float(width[1]):.0f}px)"
        html = f'<div class="diagram" tabindex="0"><div style="{style}">{kept.read_text()}</div></div>'
        return [nodes.raw("", html, format="html")]


def as_written(app, what, name, obj, options, lines):
    """In docstrings |x| is an absolute value, no substitution; what stands before a property's colon is no type."""
    if what in ("attribute", "property"):
        lines.insert(0, "")
    lines[:] = [re.sub(r"(``.*?``)|\|", lambda found: found[1] or r"\|", line) for line in lines]


def setup(app):
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", as_written, priority=400)  # before napoleon
    app.add_directive("mermaid", Mermaid)
