"""What a developer's machine needs and no other: `bin/dev` and the page that shows its mails."""
