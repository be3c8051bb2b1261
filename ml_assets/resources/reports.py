"""Where report pages lie, and the address under which the report server shows them."""

from pathlib import Path
from urllib.parse import quote

import dagster as dg
from pydantic import Field


class Reports(dg.ConfigurableResource):
    """A folder of pages that `make ui` serves on loopback."""

    root: str = Field(description="Folder of the pages.")
    url: str = Field(description="Address of that folder, e.g. http://127.0.0.1:3080.")
    dagster_url: str = Field(default="", description="Where readers of pages and alerts find Dagster's UI.")
    mlflow_url: str = Field(default="", description="Where they find MLflow's UI.")

    def path(self, *parts: str) -> Path:
        """A file below the folder; its parent exists afterwards."""
        path = Path(self.root, *parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def link(self, path: Path | str) -> dg.UrlMetadataValue:
        """The address of a file below the folder (absolute, or relative to the folder)."""
        relative = Path(path).relative_to(self.root) if Path(path).is_absolute() else Path(path)
        return dg.MetadataValue.url(f"{self.url.rstrip('/')}/{quote(relative.as_posix())}")
