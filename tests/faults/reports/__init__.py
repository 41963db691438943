"""What a campaign has shown, as text and as a page."""
