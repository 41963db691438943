"""Static files with the hash of their content in the name, served by the web process itself."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from servestatic.middleware import ServeStaticMiddleware
from servestatic.storage import CompressedManifestStaticFilesStorage

OUR_FILES = ("accounts/", "listings/", "marketplace/", "messaging/", "notifications/", "privacy/")


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Rewrites the imports of ES modules too, so that every file of a page is of one version."""

    support_js_module_import_aggregation = True

    def url(self, name: str | None, force: bool = True) -> str:
        """Hashed in debug as well: what is developed is what will be served."""
        return str(super().url(name, force=force))

    def url_converter(
        self, name: str, hashed_files: dict[str, str], template: str | None = None
    ) -> Callable[[Any], str]:
        """A reference that leads nowhere stops the build in our files only.

        Packages ship modules that import by names of their bundlers, in files we never serve.
        """
        convert = super().url_converter(name, hashed_files, template)
        if name.startswith(OUR_FILES):
            return convert  # type: ignore[no-any-return]

        def convert_or_keep(match: Any) -> str:
            try:
                return str(convert(match))
            except ValueError:
                return str(match.group(0))

        return convert_or_keep


class StaticFilesMiddleware(ServeStaticMiddleware):  # type: ignore[misc]
    """Serves what `collectstatic` has put into STATIC_ROOT. A missing file is a plain 404."""

    async def __call__(self, request: HttpRequest) -> HttpResponseBase:
        static_file = self.files.get(request.path_info)
        if static_file is not None and request.method in {"GET", "HEAD"}:
            response: HttpResponseBase = await self.aserve(static_file, request)
            return response
        response = await self.get_response(request)
        return response
