#!/usr/bin/env python
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings")
    # Commands take the time they need. The limit is for pages and tasks, for which somebody waits.
    os.environ["DATABASE_STATEMENT_SECONDS"] = "0"
    execute_from_command_line(sys.argv)
