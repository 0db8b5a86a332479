"""How static files are named when they are served: by their content, so that browsers keep them."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Also rewrites what ES modules import to the hashed names, else a new version of one module
    would meet an old one of another in the browser's cache."""

    support_js_module_import_aggregation = True
    # One pass for each module in the longest chain of imports, which Django's 5 do not suffice for.
    max_post_process_passes = 20
