"""The stored audits are of the present book, and a random tenth of them is made anew in every test run.

`make audit` makes them all. SPACES_AUDIT, printed at the end of a run, chooses the tenth.
"""

import os

import pytest

from spaces_core.lab import audit
from spaces_core.lab.record import chapter_names

NAMES = chapter_names()
AGAIN = audit.tenth(NAMES, int(os.environ.get("SPACES_AUDIT", "0")))


@pytest.mark.parametrize("name", NAMES)
def test_the_stored_audit_is_whole_sealed_and_of_the_present_chapter(name):
    assert not audit.faults_of_audit(name)


@pytest.mark.parametrize(("name", "item"), AGAIN, ids=lambda text: text.replace(" ", "-"))
def test_audited_anew(name, item):
    audit.anew(name, item)
