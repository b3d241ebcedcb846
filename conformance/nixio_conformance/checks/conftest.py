"""Stops a plain pytest run of the checks that names no implementation, because the plugin is not active then."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Exit with code 2 if the plugin is not active."""
    if not config.pluginmanager.hasplugin("nixio-fixtures"):
        pytest.exit("name an implementation: --nixio NAME, or --nixio-target, --nixio-agent, --nixio-lua", 2)
