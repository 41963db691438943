"""What a run says: as text, as a page, as JSON, and against the last one that was kept."""
