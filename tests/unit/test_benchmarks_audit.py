"""Licences of what the package is built on are listed, and an audit that cannot be made says so."""

from __future__ import annotations

import importlib.util

import pytest

from benchmarks.audit import known_faults, licence, pinned


def test_licences_are_those_that_packages_state() -> None:
    assert "BSD" in str(licence("numpy"))
    assert licence("no-such-package") is None
    assert {"pandas", "mlflow", "lightgbm"} <= set(pinned())


@pytest.mark.skipif(importlib.util.find_spec("pip_audit") is not None, reason="pip-audit is installed here")
def test_an_audit_that_cannot_be_made_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert known_faults() is None
    assert "NOT AUDITED" in capsys.readouterr().out
