"""What people read: words, figures, one HTML page and a workbook."""
