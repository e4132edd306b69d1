"""The browser of the tests of pages."""

from tests.view.conftest import browser as browser
