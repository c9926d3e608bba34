"""Let the builder of one single page write every node.

Sphinx takes what extensions registered for `singlehtml` instead of what they registered for `html`, not besides it.
"""


def complete(app):
    handlers = app.registry.translation_handlers
    handlers["singlehtml"] = {**handlers["html"], **handlers.get("singlehtml", {})}


def setup(app):
    app.connect("builder-inited", complete)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
