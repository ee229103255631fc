"""What people read: words, figures, one HTML page and a workbook."""

from __future__ import annotations

from demand.report.inputs import ReportInput, ReportSpec

__all__ = ["ReportInput", "ReportSpec"]
