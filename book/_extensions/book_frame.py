"""Sphinx extension: leave Thebe out of the pages, for it needs a network and declares its settings twice."""


def drop_thebe(app, pagename, templatename, context, doctree):
    """Remove Thebe's scripts from what a page loads."""
    context["script_files"] = [
        script
        for script in context["script_files"]
        if "thebe" not in (getattr(script, "filename", None) or "")
        and "THEBE" not in getattr(script, "attributes", {}).get("body", "")
    ]


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
